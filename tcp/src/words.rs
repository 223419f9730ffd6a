//! How redis.conf and inline commands are cut into words: quotes, escapes, and their opposite.
//!
//! The rules are those of `sdssplitargs`: words stand apart by white space; `"..."` knows `\n`
//! `\r` `\t` `\b` `\a` `\xHH` and takes any other escaped byte as itself; `'...'` knows only `\'`;
//! a closing quote must be followed by white space or the end.
//!
//! Words are bytes turned into text: a byte that is no UTF-8 becomes the replacement character,
//! since no value here may hold one.

/// Cuts a line into words. `None` when a quote is not closed, or closed in the middle of a word.
#[must_use]
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut rest = line.as_bytes();
    let mut words = Vec::new();
    loop {
        let blanks = rest.iter().take_while(|byte| is_space(**byte)).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return Some(words);
        }
        let (word, after) = one(rest)?;
        words.push(String::from_utf8_lossy(&word).into_owned());
        rest = after;
    }
}

/// Writes a word so that [`split`] reads it back (`sdscatrepr`).
#[must_use]
pub fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            control if control.is_ascii_control() => {
                text.push_str(&format!("\\x{:02x}", control as u32));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

/// As C's `isspace`, and the null byte that ends a C string.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b || byte == 0
}

/// The first word, and what follows it.
fn one(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'"' | b'\'' => {
                let inner = if byte == b'"' { double } else { single };
                rest = inner(after, &mut word)?;
                let ends = rest.first().is_none_or(|next| is_space(*next));
                return ends.then_some((word, rest));
            }
            byte if is_space(byte) => return Some((word, rest)),
            byte => word.push(byte),
        }
        rest = after;
    }
    Some((word, rest))
}

/// Reads up to the closing `"`; gives what follows it.
fn double<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        rest = match rest {
            [] => return None,
            [b'"', after @ ..] => return Some(after),
            [b'\\', b'x', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                after
            }
            [b'\\', escaped, after @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

/// Reads up to the closing `'`; gives what follows it.
fn single<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        rest = match rest {
            [] => return None,
            [b'\'', after @ ..] => return Some(after),
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                after
            }
            [byte, after @ ..] => {
                word.push(*byte);
                after
            }
        };
    }
}

/// The value of a digit that was checked to be one.
fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or(0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, words: Option<&[&str]>) {
        let expected = words.map(|words| words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(split(line), expected, "{line:?}");
    }

    #[test]
    fn words_stand_apart_by_white_space_and_quotes_hold_them_together() {
        check("", Some(&[]));
        check("  port\t6379 \r\n", Some(&["port", "6379"]));
        check("save \"\"", Some(&["save", ""]));
        check("a 'b c' \"d e\"", Some(&["a", "b c", "d e"]));
        check("pre\"fix\"", Some(&["prefix"]));
        check("a#b #c", Some(&["a#b", "#c"]));
    }

    #[test]
    fn escapes_are_read_in_double_quotes_and_only_the_quote_itself_in_single_ones() {
        check(r#""\x41\n\"\\\q\xZ1""#, Some(&["A\n\"\\qxZ1"]));
        check(r"'\n\'x'", Some(&["\\n'x"]));
        check(r"plain\n", Some(&["plain\\n"]));
    }

    #[test]
    fn unbalanced_quotes_are_refused() {
        for line in ["\"a", "'a", "\"a\"b", "'a'b", "x \"", "\"a\\", "\"a\\x4"] {
            check(line, None);
        }
    }

    #[test]
    fn a_quoted_word_reads_back_as_itself() {
        for word in ["", "a b", "\"\\\n\r\t\u{7}\u{8}\u{1}", "ü"] {
            assert_eq!(split(&quoted(word)), Some(vec![word.to_owned()]), "{word:?}");
        }
    }
}
