//! How many files the process may have open, and so how many clients it can promise.
//!
//! As `adjustOpenFilesLimit` of a real server: every client needs one descriptor, and 32 are kept
//! for everything else. Where the limit cannot be raised so far, `maxclients` is lowered, which is
//! better than a server that stops accepting in the middle of its work.

use std::io;

use crate::redis_conf::system_words;

/// Descriptors for all that is not a client (`CONFIG_MIN_RESERVED_FDS`).
pub const RESERVED: u64 = 32;

/// What became of the wish for so many clients.
#[derive(Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// How many clients can be promised; 0 when there is no room for any.
    pub maxclients: u64,
    /// What the log should say about it, the grave ones marked.
    pub lines: Vec<(bool, String)>,
}

/// Raises the limit as far as `maxclients` needs it and the system allows it.
#[must_use]
pub fn make_room_for(maxclients: u64) -> Adjusted {
    let nofile = rlimit::Resource::NOFILE;
    adjust(maxclients, nofile.get(), |soft, hard| nofile.set(soft, hard))
}

fn adjust(
    maxclients: u64,
    limits: io::Result<(u64, u64)>,
    mut set: impl FnMut(u64, u64) -> io::Result<()>,
) -> Adjusted {
    let wanted = maxclients.saturating_add(RESERVED);
    let (soft, hard) = match limits {
        Ok(limits) => limits,
        Err(error) => {
            let text = format!(
                "Unable to obtain the current NOFILE limit ({}), assuming 1024 and setting the \
                 max clients configuration accordingly.",
                system_words(&error)
            );
            let maxclients = maxclients.min(1024 - RESERVED);
            return Adjusted { maxclients, lines: vec![(true, text)] };
        }
    };
    if soft >= wanted {
        return Adjusted { maxclients, lines: Vec::new() };
    }
    // Root may raise the hard limit too; others get as far as it stands.
    let refused = set(wanted, hard.max(wanted)).err();
    if refused.is_none() {
        let text = format!(
            "Increased maximum number of open files to {wanted} (it was originally set to {soft})."
        );
        return Adjusted { maxclients, lines: vec![(false, text)] };
    }
    let reached = if set(hard, hard).is_ok() { hard } else { soft };
    let mut lines = vec![(
        true,
        format!(
            "You requested maxclients of {maxclients} requiring at least {wanted} max file descriptors."
        ),
    )];
    if let Some(error) = refused {
        lines.push((
            true,
            format!(
                "Server can't set maximum open files to {wanted} because of OS error: {}.",
                system_words(&error)
            ),
        ));
    }
    let maxclients = reached.saturating_sub(RESERVED);
    lines.push((
        true,
        format!(
            "Current maximum open files is {reached}. maxclients has been reduced to {maxclients} \
             to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
        ),
    ));
    Adjusted { maxclients, lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_needs_no_word_and_a_raised_limit_is_told() {
        let enough = adjust(100, Ok((132, 132)), |_, _| panic!("nothing to set"));
        assert_eq!(enough, Adjusted { maxclients: 100, lines: Vec::new() });
        let raised = adjust(100, Ok((64, 4096)), |soft, hard| {
            assert_eq!((soft, hard), (132, 4096));
            Ok(())
        });
        assert_eq!(raised.maxclients, 100);
        assert!(raised.lines[0].1.starts_with("Increased maximum number of open files to 132"));
    }

    #[test]
    fn what_cannot_be_raised_lowers_the_number_of_clients() {
        let lowered = adjust(10_000, Ok((64, 1024)), |soft, _| match soft {
            1024 => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        });
        assert_eq!(lowered.maxclients, 992);
        assert!(lowered.lines.iter().all(|(grave, _)| *grave));
        let last = &lowered.lines.last().expect("lines").1;
        assert!(last.contains("maxclients has been reduced to 992"), "{last}");
        let none = adjust(10_000, Ok((16, 16)), |_, _| Err(io::Error::other("no")));
        assert_eq!(none.maxclients, 0);
    }
}
