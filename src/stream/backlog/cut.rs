//! In which pieces a command is fed.
//!
//! It matters where blocks are shared (7.0+): a new block is asked for with the size of the piece
//! that did not fit. A master feeds `*N\r\n`, then for each argument `$len\r\n`, the bytes, `\r\n`
//! (`replicationFeedSlaves`); a replica passes on each applied command as one piece
//! (`replicationFeedStreamFromMasterStream`).

/// How a command is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// One piece.
    Whole,
    /// Header, and three pieces for each argument.
    Arguments,
}

impl Cut {
    /// The pieces of a command, in order; together they are all of it.
    pub fn pieces(self, command: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = command;
        let mut next = if self == Cut::Whole { Part::Rest } else { Part::Line };
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let len = match next {
                Part::Rest => rest.len(),
                Part::Line => line(rest),
                Part::Argument(len) => len,
                Part::End => 2,
            };
            let (piece, after) = rest.split_at(len.min(rest.len()));
            next = match next {
                Part::Line if piece.first() == Some(&b'$') => match argument(piece) {
                    // An empty argument is a piece of nothing, which is no piece.
                    0 => Part::End,
                    len => Part::Argument(len),
                },
                Part::Argument(_) => Part::End,
                Part::Line | Part::End => Part::Line,
                Part::Rest => Part::Rest,
            };
            rest = after;
            Some(piece)
        })
    }
}

enum Part {
    Rest,
    /// `*3\r\n` or `$5\r\n`.
    Line,
    Argument(usize),
    /// `\r\n`.
    End,
}

fn line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
}

/// The number in `$5\r\n`.
fn argument(line: &[u8]) -> usize {
    let digits = line.iter().filter(|byte| byte.is_ascii_digit());
    digits.fold(0_usize, |n, digit| n.saturating_mul(10).saturating_add(usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(cut: Cut, command: &str) -> Vec<String> {
        let pieces = cut.pieces(command.as_bytes());
        pieces.map(|piece| piece.escape_ascii().to_string()).collect()
    }

    #[test]
    fn a_master_feeds_header_length_argument_and_end_apart() {
        let command = "*2\r\n$3\r\nSET\r\n$2\r\n\n$\r\n";
        let want = ["*2\\r\\n", "$3\\r\\n", "SET", "\\r\\n", "$2\\r\\n", "\\n$", "\\r\\n"];
        assert_eq!(pieces(Cut::Arguments, command), want);
        assert_eq!(pieces(Cut::Arguments, "*1\r\n$0\r\n\r\n"), ["*1\\r\\n", "$0\\r\\n", "\\r\\n"]);
        assert_eq!(pieces(Cut::Whole, "*1\r\n$0\r\n\r\n"), ["*1\\r\\n$0\\r\\n\\r\\n"]);
    }

    #[test]
    fn whatever_is_fed_the_pieces_are_all_of_it() {
        for text in ["", "x", "$9\r\nab", "*1\r\n$", "$99999999999999999999\r\nab\r\n"] {
            for cut in [Cut::Whole, Cut::Arguments] {
                assert_eq!(
                    cut.pieces(text.as_bytes()).collect::<Vec<_>>().concat(),
                    text.as_bytes()
                );
            }
        }
    }
}
