//! A chromedriver process of our own, and the Chromium that it starts.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};

/// How Chromium is started. A fresh profile is what chromedriver gives each session.
const FLAGS: [&str; 13] = [
    "--headless=new",
    // Tests run as root in containers.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    // Nothing of the browser's own may ask for anything.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A page that asked another origin would fail, even where there is a network.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    // Gives scripts `computedRole` and `computedName`: the browser's own opinion.
    "--enable-blink-features=ComputedAccessibilityInfo",
    // Pictures that are the same everywhere.
    "--force-color-profile=srgb",
    "--lang=en-US",
];

const STARTING: Duration = Duration::from_secs(30);
/// Chromedriver finds a port that is free and then takes it; another test may take it in between.
const STARTS: usize = 5;
const ENDING: Duration = Duration::from_secs(10);

/// A running chromedriver; it and its browsers end when this is dropped.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts chromedriver on a free port, again if another program was faster.
    pub fn start() -> io::Result<Self> {
        let mut starts = (0..STARTS).map(|_| Self::start_once());
        starts.find(|start| start.is_ok()).unwrap_or_else(Self::start_once)
    }

    /// Starts chromedriver on a free port, which it prints.
    fn start_once() -> io::Result<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| {
                io::Error::other(format!("chromedriver: {e}; `cargo xtask test` installs it"))
            })?;
        let output = process.stdout.take();
        // From here on the process is ended in every case.
        let mut driver = Self { process, port: 0 };
        let mut lines = BufReader::new(output.ok_or(io::ErrorKind::BrokenPipe)?).lines();
        let mut said = String::new();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            said.push_str(&line);
            said.push('\n');
            line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        driver.port = port.ok_or_else(|| {
            let ended = driver.process.try_wait();
            io::Error::other(format!("chromedriver said no port (its end: {ended:?}):\n{said}"))
        })?;
        // Whatever else it says must not fill the pipe and stop it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(driver)
    }

    /// A browser with a fresh profile, whose console and requests are recorded.
    pub async fn session(&self) -> WebDriverResult<WebDriver> {
        let mut wishes = ChromeCapabilities::new();
        for flag in FLAGS {
            wishes.add_arg(flag)?;
        }
        wishes.set_logging_prefs("browser", LoggingPrefsLogLevel::All)?;
        wishes.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
        let url = format!("http://127.0.0.1:{}", self.port);
        WebDriver::builder(url, wishes).request_timeout(STARTING).connect().await
    }

    /// Asks chromedriver to end, which ends its browsers too.
    fn ask_to_end(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(ENDING))?;
        write!(stream, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        stream.read(&mut [0; 64]).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let deadline = Instant::now() + ENDING;
        if self.ask_to_end().is_ok() {
            while Instant::now() < deadline && matches!(self.process.try_wait(), Ok(None)) {
                thread::sleep(Duration::from_millis(20));
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
