//! DEBUG: what tests of real servers need of it. Always allowed here; real ones want
//! `enable-debug-command` from 7.0 on.

use bytes::Bytes;

use super::answer::{Answer, error, lower, ok, text};
use super::{ConnId, Server};
use crate::time::SECOND_US;

pub fn debug(server: &mut Server, conn: ConnId, argv: &[Bytes]) -> Answer {
    match (lower(&argv[1]).as_str(), &argv[2..]) {
        ("sleep", [seconds]) => {
            server.sleep(conn, microseconds(seconds));
            ok()
        }
        ("set-active-expire", [word]) => {
            server.active_expire = word.as_ref() != b"0";
            server.arm_expiry();
            ok()
        }
        // Of a replica the id is its master's, and stays.
        ("change-repl-id", []) if server.upstream.is_some() => ok(),
        ("change-repl-id", []) => {
            server.log("Changing replication IDs after receiving change-repl-id");
            server.history.replace_id(&mut server.rng);
            ok()
        }
        _ => error(format!(
            "ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.",
            text(&argv[1])
        )),
    }
}

/// `1.5` as microseconds, without a floating-point number; what is no number is none, as with
/// `strtod`, and more than a day is a day.
fn microseconds(seconds: &[u8]) -> u64 {
    const DAY_US: u64 = 86_400 * SECOND_US;
    let mut us = 0_u64;
    let mut unit = SECOND_US;
    let mut behind_point = false;
    for byte in seconds {
        match byte {
            b'.' if !behind_point => behind_point = true,
            b'0'..=b'9' if behind_point => {
                unit /= 10;
                us = us.saturating_add(u64::from(byte - b'0') * unit);
            }
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0') * SECOND_US;
                us = us.saturating_mul(10).saturating_add(digit);
            }
            _ => break,
        }
    }
    us.min(DAY_US)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_read_with_a_fraction_and_nonsense_is_none() {
        for (text, us) in [
            ("1", 1_000_000),
            ("0.5", 500_000),
            ("12.0000015", 12_000_001),
            (".25", 250_000),
            ("x", 0),
            ("-1", 0),
            ("1e9", 1_000_000),
            ("99999999999999999999", 86_400_000_000),
        ] {
            assert_eq!(microseconds(text.as_bytes()), us, "{text}");
        }
    }
}
