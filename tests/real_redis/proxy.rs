//! A wire between two servers that can be cut and healed.
//!
//! While it is cut, connections through it are reset and new ones end at once, as on a host whose
//! network is gone; neither server is told anything else.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    target: u16,
    cut: bool,
    ended: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A whole wire to a port of the loopback.
    pub fn to(target: u16) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let open = Vec::new();
        let state = Arc::new(Mutex::new(State { target, cut: false, ended: false, open }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if shared.lock().expect("whole").ended {
                    return;
                }
                connect(&shared, socket);
            }
        });
        Proxy { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn cut(&self) {
        let mut state = self.state.lock().expect("whole");
        state.cut = true;
        for socket in state.open.drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub fn heal(&self) {
        self.state.lock().expect("whole").cut = false;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
        self.state.lock().expect("whole").ended = true;
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn connect(shared: &Arc<Mutex<State>>, near: TcpStream) {
    let mut state = shared.lock().expect("whole");
    if state.cut {
        return;
    }
    let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, state.target)) else { return };
    let both = [&near, &far].map(|socket| socket.set_nodelay(true).and(socket.try_clone()));
    let [Ok(near_again), Ok(far_again)] = both else { return };
    state.open.extend([&near, &far].into_iter().flat_map(TcpStream::try_clone));
    drop(state);
    std::thread::spawn(move || carry(near, far));
    std::thread::spawn(move || carry(far_again, near_again));
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    for socket in [from, to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
