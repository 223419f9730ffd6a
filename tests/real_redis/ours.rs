//! Our server behind TCP, with what it tells about itself kept.

use std::sync::{Arc, Mutex};

use psync::server::config::Config;
use psync::server::engine::{Engine, REDIS_6_2};
use psync::server::{Address, Decided, Event, Server};
use psync_tcp::{Driver, Options, Running};

use crate::client::Client;

pub struct Ours {
    running: Running,
    events: Arc<Mutex<Vec<Event>>>,
    /// Talks to it.
    pub client: Client,
}

impl Ours {
    /// A master with these settings.
    pub fn master(settings: &[(&str, &str)]) -> Ours {
        Ours::start(&REDIS_6_2, settings, None)
    }

    /// A replica of a port of the loopback.
    pub fn replica_of(port: u16) -> Ours {
        Ours::start(&REDIS_6_2, &[], Some(port))
    }

    /// A server of this engine; with a port of the loopback it is its replica.
    pub fn start(engine: &'static Engine, settings: &[(&str, &str)], master: Option<u16>) -> Ours {
        let mut config = Config::defaults(engine);
        let master = master.map(|port| Address { host: "127.0.0.1".to_owned(), port });
        for (directive, value) in settings {
            config.load(directive, value).expect("a modelled directive");
        }
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let observer = move |happening: psync_tcp::Happening| {
            heard.lock().expect("whole").push(happening.event);
        };
        let options = Options { config, master, ..Options::new(engine) };
        let driver = Driver::start(options, observer).expect("a free port");
        let running = driver.spawn().expect("a thread");
        let client = Client::connect(running.handle().address().port()).expect("it listens");
        Ours { running, events, client }
    }

    pub fn port(&self) -> u16 {
        self.running.handle().address().port()
    }

    pub fn handle(&self) -> &psync_tcp::Handle {
        self.running.handle()
    }

    /// Looks at the server.
    pub fn see<T: Send + 'static>(&self, look: impl FnOnce(&Server) -> T + Send + 'static) -> T {
        self.handle().inspect(look).expect("it runs")
    }

    /// `master_repl_offset`.
    pub fn end(&self) -> u64 {
        self.see(|server| server.history().end.0)
    }

    /// The answers to PSYNC so far.
    pub fn decisions(&self) -> Vec<Decided> {
        let events = self.events.lock().expect("whole");
        let decided = events.iter().filter_map(|event| match event {
            Event::Decided(decided) => Some((**decided).clone()),
            _ => None,
        });
        decided.collect()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        let events = self.events.lock().expect("whole");
        let lines = events.iter().filter_map(|event| match event {
            Event::Log(line) => Some(line.as_str()),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("our log:\n{}", self.log());
        }
    }
}
