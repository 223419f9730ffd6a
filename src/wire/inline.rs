//! Inline commands: a line of words as a person types it into a terminal.
//!
//! Quoting is that of Redis' `sdssplitargs` (sds.c, 6.2): `"..."` understands `\n \r \t \b \a \xHH`
//! and takes any other escaped byte as itself, `'...'` only `\'`; a quote may open inside a word, and
//! after the closing one a blank or the end must follow. Absent on purpose: the special meaning of a
//! NUL byte, which ends the line there only because it is C text; here it is a byte like any other.

use bytes::Bytes;

/// The words of a line without its end, or `None` if quotes are unbalanced.
///
/// A word without quotes is a slice of `line`; a quoted one has its own memory.
pub(super) fn split(line: &Bytes) -> Option<Vec<Bytes>> {
    let mut argv = Vec::new();
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|&&b| is_space(b)).count();
        if at == line.len() {
            return Some(argv);
        }
        let (word, next) = word(line, at)?;
        argv.push(word);
        at = next;
    }
}

/// The word that begins at `start`, and the index behind it. It is never empty text without quotes,
/// since `start` stands on a byte that is no blank.
fn word(line: &Bytes, start: usize) -> Option<(Bytes, usize)> {
    let plain = |b: &&u8| !matches!(**b, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'');
    let end = start + line[start..].iter().take_while(plain).count();
    let quote = match line.get(end) {
        Some(b'"') => double_quoted,
        Some(b'\'') => single_quoted,
        _ => return Some((line.slice(start..end), end)),
    };
    let mut word = line[start..end].to_vec();
    let next = quote(line, end + 1, &mut word)?;
    // The closing quote ends the word: `"foo"bar` is an error, not one word.
    line.get(next).is_none_or(|&b| is_space(b)).then(|| (Bytes::from(word), next))
}

/// Reads from behind the opening `"` to behind the closing one.
fn double_quoted(line: &[u8], mut at: usize, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        match *line.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => {
                let (byte, used) = escape(line.get(at + 1..)?)?;
                word.push(byte);
                at += 1 + used;
            }
            byte => {
                word.push(byte);
                at += 1;
            }
        }
    }
}

/// Reads from behind the opening `'` to behind the closing one.
fn single_quoted(line: &[u8], mut at: usize, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        match (*line.get(at)?, line.get(at + 1)) {
            (b'\'', _) => return Some(at + 1),
            (b'\\', Some(b'\'')) => {
                word.push(b'\'');
                at += 2;
            }
            (byte, _) => {
                word.push(byte);
                at += 1;
            }
        }
    }
}

/// What stands behind a backslash: the byte it means, and how many bytes it took.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    if let [b'x', high, low, ..] = *text
        && let (Some(high), Some(low)) = (hex(high), hex(low))
    {
        return Some((high << 4 | low, 3));
    }
    let byte = match *text.first()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    };
    Some((byte, 1))
}

fn hex(digit: u8) -> Option<u8> {
    // A hexadecimal digit is below 16, so the cast keeps it.
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// C's `isspace` in the default locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_that_of_redis() {
        for (line, want) in [
            (r"", Some(vec![])),
            ("  \t ", Some(vec![])),
            (r"PING", Some(vec!["PING"])),
            ("  SET  k\tv ", Some(vec!["SET", "k", "v"])),
            (r#"SET k "a b""#, Some(vec!["SET", "k", "a b"])),
            (r#""" x"#, Some(vec!["", "x"])),
            (r#""\n\r\t\b\a\q\"\\""#, Some(vec!["\n\r\t\x08\x07q\"\\"])),
            (r#""\x41\x4a\xZZ\x4""#, Some(vec!["AJxZZx4"])),
            (r"'a\'b\n'", Some(vec![r"a'b\n"])),
            (r#"ab"cd" e"#, Some(vec!["abcd", "e"])),
            ("a\x0bb \x0bc", Some(vec!["a\x0bb", "c"])),
            ("a\0b", Some(vec!["a\0b"])),
            (r#""foo"bar"#, None),
            (r"'foo'bar", None),
            (r#""foo"#, None),
            (r#""foo\"#, None),
            (r"'foo\'", None),
            (r#"""""#, None),
        ] {
            let got = split(&Bytes::from_static(line.as_bytes()));
            let want = want.map(|words| words.into_iter().map(Bytes::from).collect::<Vec<_>>());
            assert_eq!(got, want, "{line:?}");
        }
    }

    #[test]
    fn a_plain_word_is_a_slice() {
        let line = Bytes::from_static(b"GET key");
        let argv = split(&line).unwrap();
        assert_eq!(argv[1].as_ptr(), line[4..].as_ptr());
    }
}
