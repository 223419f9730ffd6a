//! The replica's seat of each engine, held against what real servers do: what a lost link costs,
//! how each answer to PSYNC is taken, what is acknowledged, and when its own replicas are cut.

mod answers;
mod chains;
mod links;
mod machine;
mod two_channels;

use psync::server::engine::{
    Engine, REDIS_2_8, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2, VALKEY_9,
};

/// Every engine whose PSYNC was released, oldest first.
static ALL: [Engine; 6] = [REDIS_2_8, REDIS_4_0, REDIS_6_2, REDIS_7_0, REDIS_7_2, VALKEY_9];

/// Whether an engine is at least as new as another.
fn since(engine: &Engine, first: &Engine) -> bool {
    let place = |one: &Engine| ALL.iter().position(|engine| engine.name == one.name);
    place(engine) >= place(first)
}
