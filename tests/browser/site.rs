//! A small static web server on the loopback: the release site as somebody hosts it.
//!
//! It serves `dist/` below `/docs/lab/` and single documents below `/docs/`, all under
//! the strict policy, and remembers every request. Each answer closes its connection.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What the release site promises to run under.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
                      style-src 'self' 'unsafe-inline'";

const DOCUMENTS: &str = "/docs/";
const SITE: &str = "/docs/lab/";

/// One request and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    pub status: u16,
}

#[derive(Default)]
struct State {
    documents: BTreeMap<String, String>,
    refused: Vec<String>,
    requests: Vec<Request>,
}

/// A running server; it ends when dropped.
pub struct Site {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
}

impl Site {
    /// Serves the release site on a free port.
    pub fn start() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
        if !root.join("index.html").is_file() {
            return Err(io::Error::other("dist/ is empty: run `cargo xtask build` first"));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let (state, ended) = (Arc::new(Mutex::default()), Arc::new(AtomicBool::new(false)));
        let server = Self { address, state: Arc::clone(&state), ended: Arc::clone(&ended) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (root, state) = (root.clone(), Arc::clone(&state));
                // A browser that hangs up is not our failure.
                thread::spawn(move || answer(&stream, &root, &state).unwrap_or_default());
            }
        });
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`, which no request may leave.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the release site is.
    pub fn url(&self) -> String {
        format!("{}{SITE}", self.origin())
    }

    /// Adds a document beside the site and says where it is.
    pub fn publish(&self, name: &str, html: &str) -> String {
        let path = format!("{DOCUMENTS}{name}");
        let url = format!("{}{path}", self.origin());
        lock(&self.state).documents.insert(path, html.to_owned());
        url
    }

    /// Answers requests for a file of the site with "not found" from now on.
    pub fn refuse(&self, file: &str) {
        lock(&self.state).refused.push(format!("{SITE}{file}"));
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state).requests.clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut stream: &TcpStream, root: &Path, state: &Mutex<State>) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    // The headers are read, so that closing does not cut the answer short.
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}

    let target = request.split_whitespace().nth(1).unwrap_or_default();
    let path = target.split(['?', '#']).next().unwrap_or_default().to_owned();
    let found = content(&path, root, state);
    let status = if found.is_some() { 200 } else { 404 };
    if !path.is_empty() {
        lock(state).requests.push(Request { path, status });
    }
    let (kind, body) = found.unwrap_or(("text/plain", b"not found".to_vec()));
    write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Content-Security-Policy: {POLICY}\r\nX-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
}

fn content(path: &str, root: &Path, state: &Mutex<State>) -> Option<(&'static str, Vec<u8>)> {
    {
        let state = lock(state);
        if let Some(document) = state.documents.get(path) {
            return Some(("text/html; charset=utf-8", document.clone().into_bytes()));
        }
        if state.refused.iter().any(|refused| refused == path) {
            return None;
        }
    }
    let file = path.strip_prefix(SITE)?;
    if file.split('/').any(|part| part == "..") {
        return None;
    }
    let file: PathBuf = root.join(if file.is_empty() { "index.html" } else { file });
    let kind = match file.extension()?.to_str()? {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    };
    Some((kind, fs::read(file).ok()?))
}
