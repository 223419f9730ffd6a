//! Hostile peers over TCP, one kind after the other against one server: it stays alive, its memory
//! bounded, and two replicas that were there all the time have every byte in order.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::child::{PATIENCE, Server, ask, read_to_end, until};
use crate::replica::{Replica, assert_stream, command, full_resync};

/// Longer than any of these may take, on a busy machine.
const AT_MOST: Duration = Duration::from_secs(120);

/// What else a server holds besides what the test made it hold: program, backlog, data.
const BASE_MIB: u64 = 100;

struct Trial {
    server: Server,
    replicas: [Replica; 2],
    writer: TcpStream,
    writes: Vec<String>,
    began: Instant,
}

impl Trial {
    fn begin(args: &[&str]) -> Trial {
        // The default would drop raw replicas that acknowledge nothing while a slow machine works.
        let more = ["--repl-timeout", "3600", "--repl-diskless-sync-delay", "0"];
        let server = Server::start(&[&more[..], args].concat());
        let replicas = [Replica::attach(&server), Replica::attach(&server)];
        let writer = server.connect();
        Trial { server, replicas, writer, writes: Vec::new(), began: Instant::now() }
    }

    /// A write that must reach both replicas.
    #[track_caller]
    fn write(&mut self, value: &str) {
        let key = format!("key:{}", self.writes.len() % 100);
        let set = command(&["SET", &key, value]);
        ask(&mut self.writer, &set, "+OK\r\n");
        self.writes.push(set);
    }

    /// Afterwards: it is alive, holds no more than it may, has let go of its peers, and the
    /// replicas have everything.
    #[track_caller]
    fn end(mut self, most_mib: u64) {
        self.server.assert_alive();
        self.write("the last one");
        let last = self.writes.last().expect("written").clone();
        let [one, two] = self.replicas.each_ref().map(|replica| replica.stream_up_to(&last));
        assert_stream(&one, &self.writes);
        let shared = one.len().min(two.len());
        assert!(one[..shared] == two[..shared], "the replicas differ");
        assert_stream(&two, &self.writes);
        let rss_mib = self.server.rss_mib();
        assert!(rss_mib <= most_mib, "{rss_mib} MiB in use, {most_mib} are enough");
        // Two replicas, the writer, and what every process has.
        until("it has let go of its peers", || (self.server.open_files() < 40).then_some(()));
        let took = self.began.elapsed();
        assert!(took < AT_MOST, "it took {took:?}");
        eprintln!("{rss_mib} MiB, {took:?}");
    }
}

/// Ends a connection with a reset.
fn reset(socket: TcpStream) {
    SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("supported");
}

#[test]
fn garbage_and_huge_lengths_and_lines_without_end() {
    let mut trial = Trial::begin(&[]);
    let noise: Vec<u8> =
        (0..200_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut open = Vec::new();
    for round in 0..50 {
        for hostile in [
            &b"*2147483647\r\n$536870912\r\n"[..],
            b"*2147483648\r\n",
            b"*-2147483648\r\n",
            b"*3\r\n$3\r\nSET\r\n$536870913\r\n",
            b"*3\r\n$3\r\nSET\r\n$-5\r\n",
            b"*1048576\r\n$536870912\r\nx",
            b"*2\r\n$4\r\nECHO\r\n$536870912\r\nx",
            b"*1\r\n$99999999999999999999\r\n",
            b"PSYNC\r\nPSYNC ? -1 x\r\nREPLCONF\r\nREPLCONF ACK\r\nREPLCONF ACK -1\r\n",
            b"PSYNC x 99999999999999999999999\r\n",
            b"\0\0\0\0\r\n\xff\xfe\r\n",
            &noise[round * 1000..],
            &[b'a'; 200_000],
        ] {
            let mut peer = trial.server.connect();
            peer.set_write_timeout(Some(PATIENCE)).expect("supported");
            // The server may have closed it before all is sent.
            let _ = peer.write_all(hostile);
            open.push(peer);
        }
        trial.write(&format!("round {round}"));
    }
    // All of them at once: what was announced is not held.
    trial.server.assert_alive();
    let rss_mib = trial.server.rss_mib();
    assert!(rss_mib < BASE_MIB, "{rss_mib} MiB for lengths that were only announced");
    // One that never ends its line is told so, and after a while nobody listens to it any more.
    let mut endless = trial.server.connect();
    endless.set_write_timeout(Some(PATIENCE)).expect("supported");
    until("nobody listens", || endless.write_all(&[b'a'; 64 * 1024]).err());
    drop(open);
    trial.end(BASE_MIB);
}

#[test]
fn slow_readers_while_others_write_fifty_megabytes() {
    let mut trial = Trial::begin(&[]);
    let value = "v".repeat(100_000);
    trial.write(&value);
    // Clients that ask and never read, and replicas that never read.
    let mut silent = Vec::new();
    for _ in 0..3 {
        let mut peer = trial.server.connect();
        peer.write_all("GET key:0\r\n".repeat(2000).as_bytes()).expect("sent");
        silent.push(peer);
    }
    let slow: Vec<_> = (0..10).map(|_| full_resync(&trial.server)).collect();
    let mut most_mib = 0;
    for _ in 0..500 {
        trial.write(&value);
        most_mib = most_mib.max(trial.server.rss_mib());
    }
    // Three times unread answers as far as they go, one stream of fifty that all replicas share,
    // and the data of a hundred keys.
    let enough_mib = BASE_MIB + 3 * 65 + 60;
    assert!(most_mib <= enough_mib, "{most_mib} MiB in use, {enough_mib} are enough");
    eprintln!("at most {most_mib} MiB");
    drop((silent, slow));
    trial.end(enough_mib);
}

#[test]
fn half_closed_peers_get_their_answer_and_resets_are_shrugged_off() {
    let mut trial = Trial::begin(&[]);
    trial.write(&"v".repeat(100_000));
    for round in 0..150 {
        let mut half = trial.server.connect();
        half.write_all(b"GET key:0\r\nPING\r\n").expect("sent");
        half.shutdown(Shutdown::Write).expect("open");
        let mut resets = Vec::new();
        for text in ["", "GET key:0\r\n", "*3\r\n$3\r\nSE", "PSYNC ? -1\r\n", "SYNC\r\n"] {
            let mut peer = trial.server.connect();
            peer.write_all(text.as_bytes()).expect("sent");
            resets.push(peer);
        }
        if round % 2 == 0 {
            // Some of them are answered already.
            let _ = resets[1].read(&mut [0; 100]);
            let _ = resets[3].read(&mut [0; 100]);
        }
        resets.into_iter().for_each(reset);
        let answer = read_to_end(&mut half);
        assert!(answer.ends_with(b"+PONG\r\n"), "round {round}: {} bytes", answer.len());
        trial.write(&format!("round {round}"));
    }
    trial.end(BASE_MIB);
}

/// How many connections a test may hold, at most ten thousand.
fn ten_thousand_if_allowed() -> usize {
    let nofile = rlimit::Resource::NOFILE;
    let hard = nofile.get_hard().expect("a limit");
    nofile.set(hard, hard).expect("up to the hard limit");
    // Other tests of this process need some too.
    usize::try_from(hard.saturating_sub(1000)).unwrap_or(usize::MAX).min(10_000)
}

#[test]
fn ten_thousand_connections_together_and_in_a_storm() {
    let most = ten_thousand_if_allowed();
    let maxclients = (most + 10).to_string();
    let mut trial = Trial::begin(&["--maxclients", &maxclients]);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, trial.server.port));
    let mut open = Vec::new();
    for place in 0..most {
        open.push(TcpStream::connect_timeout(&address, PATIENCE).expect("it accepts"));
        if place % 1000 == 0 {
            trial.write(&format!("open {place}"));
        }
    }
    for peer in open.iter_mut().step_by(97) {
        peer.set_read_timeout(Some(PATIENCE)).expect("supported");
        ask(peer, "PING\r\n", "+PONG\r\n");
    }
    // Beyond what is promised, one is told why.
    let more: Vec<TcpStream> = (0..20).map(|_| trial.server.connect()).collect();
    let told = more.into_iter().any(|mut peer| {
        peer.write_all(b"PING\r\n").is_ok() && read_some(&mut peer).starts_with(b"-ERR max number")
    });
    assert!(told, "nobody was told");
    let rss_mib = trial.server.rss_mib();
    eprintln!("{most} together: {rss_mib} MiB");
    assert!(rss_mib < BASE_MIB, "{rss_mib} MiB for {most} idle connections");
    trial.write("all of them are there");
    // They leave at once, every other one with a reset.
    for (place, peer) in open.into_iter().enumerate() {
        if place % 2 == 0 { reset(peer) } else { drop(peer) }
    }
    until("they are gone", || (trial.server.open_files() < 100).then_some(()));
    for place in 0..10_000 {
        let mut peer = TcpStream::connect_timeout(&address, PATIENCE).expect("it accepts");
        if place % 3 == 0 {
            let _ = peer.write_all(b"PING\r\nPI");
        }
        reset(peer);
        if place % 1000 == 0 {
            trial.write(&format!("storm {place}"));
        }
    }
    trial.end(BASE_MIB);
}

#[test]
fn a_server_that_may_open_few_files_promises_no_more_than_it_can_hold() {
    let server = Server::start_with_few_files(100);
    let log = server.log();
    // Whoever may raise the limit does; then there is nothing to tell anybody.
    if log.contains("Increased maximum number of open files") {
        return server.assert_alive();
    }
    assert!(log.contains("maxclients has been reduced to 68 to compensate"), "{log}");
    let mut peers: Vec<TcpStream> = (0..150).map(|_| server.connect()).collect();
    let answers: Vec<Vec<u8>> = peers
        .iter_mut()
        .map(|peer| {
            // One that was refused may be gone already.
            let _ = peer.write_all(b"PING\r\n");
            read_some(peer)
        })
        .collect();
    assert!(answers[..68].iter().all(|answer| answer == b"+PONG\r\n"));
    let (told, cut): (Vec<_>, Vec<_>) =
        answers[68..].iter().partition(|answer| answer.starts_with(b"-ERR max number"));
    assert!(!told.is_empty() && cut.iter().all(|answer| answer.is_empty()), "{cut:?}");
    drop(peers);
    until("there is room again", || {
        let mut peer = server.connect();
        peer.write_all(b"PING\r\n").ok()?;
        (read_some(&mut peer) == b"+PONG\r\n").then_some(())
    });
}

/// One piece of what comes, or nothing when it ends.
fn read_some(socket: &mut TcpStream) -> Vec<u8> {
    let mut chunk = vec![0; 1000];
    let count = socket.read(&mut chunk).unwrap_or(0);
    chunk.truncate(count);
    chunk
}
