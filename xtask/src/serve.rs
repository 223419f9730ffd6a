//! `cargo xtask serve`: the page, rebuilt when the sources change.
//!
//! This process becomes trunk, so ending it by Ctrl-C or by its id ends everything.
//! Beside it runs a short-lived copy that waits for the page, says where it is and
//! opens a browser where there is a screen.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::arguments::{self, ServeOptions};
use crate::project::Project;
use crate::tools;

/// Returns only when the page cannot be served.
pub fn run(project: &Project, options: &ServeOptions) -> Result<()> {
    let port = options.port;
    // Asked first: minutes of compiling should not end with this error.
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} cannot be used; choose another one with --port"))?;
    tools::for_page(project)?;

    println!("Building the page (about a minute the first time) ...");
    let open = options.open && has_screen();
    Command::new(env::current_exe()?)
        .args(arguments::announce(port, open))
        .stdin(Stdio::null())
        .spawn()
        .context("cannot start the program that announces the page")?;

    let mut trunk = project.trunk(&["serve", "--port", &port.to_string()]);
    // Not dist/, which belongs to `cargo xtask build`.
    trunk.arg("--dist").arg(project.path("target/site"));
    if options.release {
        trunk.arg("--release");
    }
    std::fs::create_dir_all(project.path("target/site"))?;
    Err(trunk.exec()).context("cannot start trunk")
}

/// Waits for the page that its parent serves and says where it is.
pub fn announce(port: u16, open: bool) {
    let server = parent_id();
    let url = format!("http://127.0.0.1:{port}");
    while parent_id() == server {
        if serves_the_page(port) {
            println!("\nPSYNC Lab is at {url}  (Ctrl-C ends it)\n");
            if open {
                let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
                // No browser is no failure: the address stands above.
                let _ = Command::new(opener).arg(&url).stderr(Stdio::null()).status();
            }
            return;
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn has_screen() -> bool {
    cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some())
}

/// Whether our page answers, not just something: trunk listens even when a build failed.
fn serves_the_page(port: u16) -> bool {
    fn page(port: u16) -> std::io::Result<String> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let patience = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        write!(stream, "GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept: text/html\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
    page(port).is_ok_and(|answer| answer.contains("<title>PSYNC Lab</title>"))
}
