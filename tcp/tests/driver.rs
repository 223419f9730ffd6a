//! What peers may do to a server behind TCP, and what must not come of it.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use psync::server::engine::REDIS_6_2;
use psync::server::{Address, ConnId, Event, MOST_UNREAD_BYTES, Phase, Server};
use psync_tcp::{Driver, Limits, Options, Running, StartError, Stopped};

const PATIENCE: Duration = Duration::from_secs(30);

fn options() -> Options {
    Options { seed: Some(1), ..Options::new(&REDIS_6_2) }
}

fn serve(options: Options) -> Running {
    let driver = Driver::start(options, |_| {}).expect("a free port");
    driver.spawn().expect("a thread")
}

fn limited(limits: Limits) -> Running {
    serve(Options { limits, ..options() })
}

fn connect(server: &Running) -> TcpStream {
    let socket = TcpStream::connect(server.handle().address()).expect("it listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("supported");
    socket
}

/// Sends text and reads exactly as much as the answer is long.
#[track_caller]
fn ask(socket: &mut TcpStream, text: &str, answer: &str) {
    socket.write_all(text.as_bytes()).expect("sent");
    let mut read = vec![0; answer.len()];
    socket.read_exact(&mut read).expect("answered");
    assert_eq!(String::from_utf8_lossy(&read), answer, "{text:?}");
}

/// The server still answers, others and new ones.
#[track_caller]
fn assert_alive(server: &Running) {
    ask(&mut connect(server), "PING\r\n", "+PONG\r\n");
}

#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The first connection ever accepted.
const FIRST: ConnId = ConnId(2);

fn see<T: Send + 'static>(server: &Running, look: impl FnOnce(&Server) -> T + Send + 'static) -> T {
    server.handle().inspect(look).expect("it runs")
}

fn set_large(socket: &mut TcpStream, count: usize) {
    let value = "x".repeat(count);
    ask(socket, &format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${count}\r\n{value}\r\n"), "+OK\r\n");
}

#[test]
fn only_the_loopback_is_listened_on_unless_more_is_meant() {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = Driver::start(Options { listen: everywhere, ..options() }, |_| {});
    assert!(matches!(refused, Err(StartError::NotLoopback { address }) if address == everywhere));
    let meant = Options { listen: everywhere, allow_remote: true, ..options() };
    assert!(Driver::start(meant, |_| {}).is_ok());
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let first = serve(options());
    let listen = first.handle().address();
    let error = Driver::start(Options { listen, ..options() }, |_| {}).err().expect("taken");
    assert!(error.to_string().contains(&listen.to_string()), "{error}");
}

#[test]
fn a_stopped_server_is_gone_and_says_so() {
    let server = serve(options());
    let mut client = connect(&server);
    ask(&mut client, "PING\r\n", "+PONG\r\n");
    let handle = server.handle().clone();
    server.stop().expect("a clean end");
    assert_eq!(client.read(&mut [0; 10]).expect("the end, not a reset"), 0);
    assert_eq!(handle.inspect(Server::connected_replicas), Err(Stopped));
    assert_eq!(handle.disconnect(FIRST), Err(Stopped));
    assert!(TcpStream::connect(handle.address()).is_err());
}

#[test]
fn a_peer_that_closed_its_own_half_still_gets_its_answer() {
    let server = serve(options());
    let mut client = connect(&server);
    set_large(&mut client, 100_000);
    client.write_all(b"GET k\r\n").expect("sent");
    client.shutdown(Shutdown::Write).expect("open");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("all of it, and then the end");
    assert_eq!(answer.len(), "$100000\r\n\r\n".len() + 100_000);
    until("the server forgot it", || see(&server, |s| s.held(FIRST).is_none()).then_some(()));
}

#[test]
fn garbage_gets_an_error_and_the_end() {
    let server = serve(options());
    for garbage in ["*1\r\n$x\r\n", "*99999999999\r\n", "*1\r\n:1\r\n", "PING \"unbalanced\r\n"] {
        let mut client = connect(&server);
        // What comes behind it is not read any more, and must not turn the error into a reset.
        client.write_all(garbage.as_bytes()).expect("sent");
        let _ = client.write_all(&[b'z'; 200_000]);
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer, and then the end");
        assert!(answer.starts_with("-ERR Protocol error"), "{garbage:?}: {answer:?}");
    }
    assert_alive(&server);
}

#[test]
fn an_announced_length_reserves_nothing() {
    let server = serve(options());
    let mut client = connect(&server);
    client.write_all(b"*1048576\r\n$536870912\r\nonly this").expect("sent");
    let held =
        until("it arrived", || see(&server, |s| s.held(FIRST)).filter(|held| held.input > 0));
    assert!(held.input < 10_000, "{held:?}");
}

#[test]
fn a_command_that_never_ends_is_cut_off_at_the_limit() {
    let server = limited(Limits { input_bytes: 1 << 20, ..Limits::default() });
    let mut client = connect(&server);
    client.write_all(b"*2\r\n$4\r\nECHO\r\n$536870912\r\n").expect("sent");
    let chunk = [b'x'; 64 * 1024];
    let sent = (0..1000).take_while(|_| client.write_all(&chunk).is_ok()).count();
    assert!(sent < 1000, "nobody stopped it");
    assert_alive(&server);
}

#[test]
fn a_client_that_does_not_read_is_not_answered_further_and_loses_nothing() {
    let server = serve(options());
    let mut client = connect(&server);
    let value_bytes = 1 << 20;
    set_large(&mut client, value_bytes);
    let answer_bytes = value_bytes + "$1048576\r\n\r\n".len();
    let asks = 300;
    // All of them arrive in one read.
    client.write_all(&b"GET k\r\n".repeat(asks)).expect("sent");
    let most = MOST_UNREAD_BYTES + answer_bytes as u64;
    let held = until("its answers pile up", || {
        see(&server, |s| s.held(FIRST)).filter(|held| held.output > MOST_UNREAD_BYTES / 2)
    });
    assert!(held.output <= most, "{held:?}");
    assert_alive(&server);
    let mut left = asks * answer_bytes;
    let mut chunk = vec![0; 1 << 20];
    while left > 0 {
        let count = client.read(&mut chunk).expect("more");
        assert!(count > 0 && count <= left, "{left} bytes are missing");
        left -= count;
        assert!(see(&server, |s| s.held(FIRST)).expect("there").output <= most);
    }
    ask(&mut client, "PING\r\n", "+PONG\r\n");
}

#[test]
fn a_replica_that_does_not_read_is_cut_off_at_the_limit_and_others_go_on() {
    let mut options = options();
    options.config.load("client-output-buffer-limit", "replica 8mb 0 0").expect("modelled");
    let server = serve(options);
    let mut replicas = [connect(&server), connect(&server)];
    for replica in &mut replicas {
        ask(replica, "SYNC\r\n", "$");
    }
    let [mut silent, mut reading] = replicas;
    let reading = std::thread::spawn(move || {
        let mut chunk = vec![0; 1 << 20];
        let mut total = 0;
        while let Ok(count @ 1..) = reading.read(&mut chunk) {
            total += count;
        }
        total
    });
    let mut client = connect(&server);
    let writes = 300;
    for _ in 0..writes {
        set_large(&mut client, 100_000);
    }
    until("one is left", || see(&server, |s| s.connected_replicas() == 1).then_some(()));
    let lost = std::iter::repeat_with(|| silent.read(&mut [0; 65536]))
        .find(|read| !matches!(read, Ok(1..)));
    assert!(lost.is_some(), "the silent one is told");
    server.stop().expect("a clean end");
    let total = reading.join().expect("no panic");
    assert!(total > writes * 100_000, "the other one has everything: {total}");
}

#[test]
fn resets_and_storms_leave_the_server_alive() {
    let server = serve(options());
    set_large(&mut connect(&server), 1 << 20);
    for round in 0..500 {
        let mut client = connect(&server);
        // Dropped with an unread answer, a socket sends a reset.
        let _ = client.write_all(b"GET k\r\nPSYNC ? -1\r\nGET k\r\n");
        if round % 3 == 0 {
            let _ = client.read(&mut [0; 100]);
        }
    }
    assert_alive(&server);
    until("all are gone", || {
        let gone = |s: &Server| (2..2100).step_by(2).all(|conn| s.held(ConnId(conn)).is_none());
        see(&server, gone).then_some(())
    });
}

#[test]
fn one_connection_more_than_allowed_is_told_why() {
    let server = limited(Limits { connections: 3, ..Limits::default() });
    let mut clients: Vec<TcpStream> = (0..3).map(|_| connect(&server)).collect();
    for client in &mut clients {
        ask(client, "PING\r\n", "+PONG\r\n");
    }
    let mut answer = String::new();
    connect(&server).read_to_string(&mut answer).expect("an answer, and then the end");
    assert_eq!(answer, "-ERR max number of clients reached\r\n");
    clients.pop();
    until("there is room again", || {
        let mut client = connect(&server);
        client.write_all(b"PING\r\n").ok()?;
        client.read_exact(&mut [0; 7]).ok()
    });
}

#[test]
fn a_master_that_is_not_there_is_tried_until_it_is() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let (tell, told) = std::sync::mpsc::channel();
    // By name: of its addresses the one that answers is taken.
    let master = Some(Address { host: "localhost".to_owned(), port });
    let driver = Driver::start(Options { master, ..options() }, move |happening| {
        let _ = tell.send(happening.event);
    });
    let server = driver.expect("a free port").spawn().expect("a thread");
    let mut seen = told.iter();
    let refused = |event: &Event| matches!(event, Event::Link(Phase::Connect));
    assert!(seen.any(|event| refused(&event)));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("still free");
    let (mut link, _) = listener.accept().expect("it comes");
    link.set_read_timeout(Some(PATIENCE)).expect("supported");
    ask(&mut link, "", "*1\r\n$4\r\nPING\r\n");
    assert!(seen.any(|event| matches!(event, Event::Link(Phase::Handshake))));
    // A master that goes away without a word is dialed again.
    drop((link, listener));
    assert!(seen.any(|event| refused(&event)));
    assert_alive(&server);
}

#[test]
fn a_connection_can_be_broken_from_here() {
    let server = serve(options());
    let mut client = connect(&server);
    ask(&mut client, "PING\r\n", "+PONG\r\n");
    server.handle().disconnect(FIRST).expect("it runs");
    match client.read(&mut [0; 10]) {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    assert!(see(&server, |s| s.held(FIRST).is_none()));
}
