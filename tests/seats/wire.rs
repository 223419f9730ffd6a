//! A wire between two servers that can be cut, held, healed, and given a fuse.
//!
//! Cut, connections through it are reset and new ones end at once, as on a host whose network is
//! gone. Held, new ones stand but nobody answers. A fuse cuts what is open after so many bytes,
//! wherever that is: in the handshake, in a snapshot, inside of a command.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Whole,
    Held,
    Cut,
    Ended,
}

struct State {
    target: u16,
    mode: Mode,
    open: Vec<TcpStream>,
    parked: Vec<TcpStream>,
    /// Bytes, of both directions, until everything open is cut.
    fuse: Option<u64>,
    burnt: u64,
}

impl Wire {
    /// A whole wire to a port of the loopback.
    pub fn to(target: u16) -> Wire {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let state = State {
            target,
            mode: Mode::Whole,
            open: Vec::new(),
            parked: Vec::new(),
            fuse: None,
            burnt: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if !accept(&shared, socket) {
                    return;
                }
            }
        });
        Wire { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn cut(&self) {
        self.turn(Mode::Cut);
        self.kill();
    }

    /// What is open stays open.
    pub fn hold(&self) {
        self.turn(Mode::Held);
    }

    pub fn heal(&self) {
        self.turn(Mode::Whole);
        let parked: Vec<TcpStream> = self.state.lock().expect("whole").parked.drain(..).collect();
        parked.into_iter().for_each(|socket| {
            accept(&self.state, socket);
        });
    }

    /// Cuts what is open, and nothing else.
    pub fn kill(&self) {
        self.state.lock().expect("whole").kill();
    }

    /// Cuts what is open once so many bytes have gone through.
    pub fn kill_after(&self, bytes: u64) {
        self.state.lock().expect("whole").fuse = Some(bytes);
    }

    /// Takes a fuse away that has not burnt, and says how many have.
    pub fn defuse(&self) -> u64 {
        let mut state = self.state.lock().expect("whole");
        state.fuse = None;
        std::mem::take(&mut state.burnt)
    }

    fn turn(&self, mode: Mode) {
        self.state.lock().expect("whole").mode = mode;
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.turn(Mode::Ended);
        self.kill();
        // Wakes the listener, which then sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl State {
    fn kill(&mut self) {
        for socket in self.open.drain(..).chain(self.parked.drain(..)) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// How much of so many bytes gets through.
    fn spend(&mut self, bytes: usize) -> usize {
        let Some(left) = &mut self.fuse else { return bytes };
        let through = (*left).min(bytes as u64);
        *left -= through;
        if *left == 0 {
            self.fuse = None;
            self.burnt += 1;
        }
        through as usize
    }
}

/// Whether the wire still exists.
fn accept(shared: &Arc<Mutex<State>>, near: TcpStream) -> bool {
    let mut state = shared.lock().expect("whole");
    match state.mode {
        Mode::Ended => return false,
        Mode::Cut => {}
        Mode::Held => state.parked.push(near),
        Mode::Whole => {
            let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, state.target)) else {
                return true;
            };
            let both = [&near, &far].map(|socket| socket.set_nodelay(true).and(socket.try_clone()));
            let [Ok(near_again), Ok(far_again)] = both else { return true };
            state.open.extend([&near, &far].into_iter().flat_map(TcpStream::try_clone));
            let (one, other) = (shared.clone(), shared.clone());
            std::thread::spawn(move || carry(&one, near, far));
            std::thread::spawn(move || carry(&other, far_again, near_again));
        }
    }
    true
}

fn carry(shared: &Mutex<State>, mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let through = shared.lock().expect("whole").spend(count);
        let written = to.write_all(&chunk[..through]);
        if through < count {
            shared.lock().expect("whole").kill();
            break;
        }
        if written.is_err() {
            break;
        }
    }
    for socket in [from, to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
