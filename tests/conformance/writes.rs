//! Random writes: the commands that make the stream.

use std::time::{SystemTime, UNIX_EPOCH};

use psync::wire::Value;

use crate::dice::Dice;
use crate::judge::{Judge, Outcome};
use crate::pair::Pair;

/// How long values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// A few bytes to a few hundred.
    Small,
    /// Up to 3 kB.
    Middle,
    /// 10 to 300 kB: longer than a block.
    Big,
}

type Command = Vec<Vec<u8>>;

/// Gives both servers the same `count` writes.
pub fn write(
    judge: &mut Judge,
    pair: &mut Pair,
    dice: &mut Dice,
    count: u64,
    values: Values,
) -> Outcome {
    for _ in 0..count {
        if dice.one_in(60) {
            expire_lazily(judge, pair, dice)?;
        } else if dice.one_in(12) {
            transaction(judge, pair, dice, values)?;
        } else {
            let command = command(dice, values);
            pair.call(judge, &command)?;
        }
    }
    Ok(())
}

fn transaction(judge: &mut Judge, pair: &mut Pair, dice: &mut Dice, values: Values) -> Outcome {
    pair.say(judge, "MULTI")?;
    for _ in 0..dice.range(1, 4) {
        let command = if dice.one_in(6) { words("GET k1") } else { command(dice, values) };
        pair.call(judge, &command)?;
    }
    if dice.one_in(8) { pair.say(judge, "DISCARD") } else { pair.say(judge, "EXEC") }
}

/// A key that is gone by the time somebody looks: who looks, deletes it, and replicates that.
fn expire_lazily(judge: &mut Judge, pair: &mut Pair, dice: &mut Dice) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let soon = now.as_millis() + 100;
    let key = format!("fading{}", dice.range(0, 9));
    pair.say(judge, &format!("SET {key} x PXAT {soon}"))?;
    pair.say_until(judge, &format!("GET {key}"), &Value::NullBulk)
}

fn command(dice: &mut Dice, values: Values) -> Command {
    let key = |dice: &mut Dice| format!("k{}", dice.range(0, 40)).into_bytes();
    let text = |dice: &mut Dice| {
        let (from, to) = match values {
            Values::Small => (0, 400),
            Values::Middle => (100, 3000),
            Values::Big => (10_000, 300_000),
        };
        let count = dice.range(from, to);
        dice.letters(count)
    };
    match dice.range(0, 21) {
        0 => words(&format!("INCR n{}", dice.range(0, 5))),
        1 => words(&format!("INCRBY n{} {}", dice.range(0, 5), dice.range(0, 9000))),
        2 => vec![b"APPEND".to_vec(), key(dice), dice.letters(9)],
        3 => vec![b"DEL".to_vec(), key(dice), key(dice)],
        4 => {
            vec![b"MSET".to_vec(), key(dice), text(dice), b"other".to_vec(), dice.letters(5)]
        }
        5 => words(&format!("SELECT {}", dice.range(0, 15))),
        6 => vec![b"PUBLISH".to_vec(), b"news".to_vec(), dice.letters(30)],
        7 => words(["FLUSHDB", "GET k1", "DEL nothing"][dice.range(0, 2) as usize]),
        8 => vec![b"SET".to_vec(), key(dice), text(dice), b"EX".to_vec(), b"5000".to_vec()],
        9 => vec![b"set".to_vec(), key(dice), text(dice), b"px".to_vec(), b"5000000".to_vec()],
        10 => vec![b"SET".to_vec(), key(dice), dice.letters(3), b"NX".to_vec()],
        11 => vec![b"EXPIRE".to_vec(), key(dice), b"7000".to_vec()],
        _ => vec![b"SET".to_vec(), key(dice), text(dice)],
    }
}

fn words(line: &str) -> Command {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}
