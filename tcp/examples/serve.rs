//! One server on the loopback, for `redis-cli` and the curious.
//!
//! ```text
//! cargo run -p psync-tcp --example serve -- --port 6390 [--replicaof HOST PORT] [--DIRECTIVE VALUE]...
//! ```

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use psync::server::engine::REDIS_6_2;
use psync::server::{Address, Event};
use psync_tcp::{Driver, Happening, Options};

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options::new(&REDIS_6_2);
    let mut args = std::env::args().skip(1);
    while let Some(option) = args.next() {
        let mut value = || args.next().ok_or(format!("{option} wants a value"));
        match option.as_str() {
            "--port" => {
                options.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, value()?.parse()?));
            }
            "--replicaof" => {
                let host = value()?;
                options.master = Some(Address { host, port: value()?.parse()? });
            }
            directive => {
                let name = directive.strip_prefix("--").ok_or("options begin with --")?;
                options.config.load(name, &value()?)?;
            }
        }
    }
    Ok(options)
}

fn print(happening: Happening) {
    if let Event::Log(line) = happening.event {
        println!("{} {line}", happening.at);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let driver = Driver::start(options()?, print)?;
    println!("listening on {}", driver.handle().address());
    driver.run()?;
    Ok(())
}
