//! Real incidents and engine vectors, with their numbers: which branch fires, and why.
//!
//! The names (E01, T4, ...) are those of the project's list of incidents, collected from public
//! issue threads. `vectors` holds single facts, `incidents` whole stories.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::panic, reason = "the whole crate is a test, its helpers included")]

mod incidents;
mod vectors;

use psync::cluster::trace::What;
use psync::cluster::{Action, DecisionRecord, Run, Scenario};
use psync::server::engine::Engine;
use psync::time::SECOND_US;

/// A run of a scenario, by JSON.
fn run(json: &str) -> Run {
    Run::new(Scenario::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}")))
}

/// A run under an engine that is no row of the table.
fn run_as(engine: &'static Engine, json: &str) -> Run {
    let scenario = Scenario::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    Run::new(Scenario { engine, ..scenario })
}

/// Does something now.
fn act(run: &mut Run, json: &str) {
    let action = Action::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    run.act(action).unwrap_or_else(|error| panic!("{json}: {error}"));
}

fn seconds(run: &mut Run, seconds: u64) {
    run.advance_us(seconds * SECOND_US);
}

fn last(run: &Run) -> &DecisionRecord {
    run.trace().decisions().last().expect("somebody asked")
}

/// How often a line with these words was logged.
fn logged(run: &Run, words: &str) -> usize {
    let says = |what: &What| matches!(what, What::Log { line, .. } if line.contains(words));
    run.trace().entries().filter(|entry| says(&entry.what)).count()
}

const CUT: &str = "for overcoming of output buffer limits";
