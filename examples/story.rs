//! Plays a preset and prints what happened: `cargo run --example story -- too-long 20`.

use psync::cluster::trace::What;
use psync::cluster::{Run, Scenario};

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "short-blip".to_owned());
    let seconds = args.next().and_then(|text| text.parse().ok()).unwrap_or(20);
    let scenario = match Scenario::preset(&name) {
        Ok(scenario) => scenario,
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(2);
        }
    };
    let mut run = Run::new(scenario);
    run.advance_us(seconds * 1_000_000);
    for entry in run.trace().entries() {
        let what = match &entry.what {
            What::Message(m) => {
                let way = if m.to_replica { "M>" } else { ">M" };
                format!("{way}{} {} B {} | {}", m.replica, m.bytes, m.raw, m.meaning)
            }
            What::Decision(d) => format!("DECISION {d:#?}"),
            other => format!("{other:?}"),
        };
        println!("{} {what}", entry.at);
    }
    println!("digest {:016x}, {} events", run.digest(), run.world().events());
}
