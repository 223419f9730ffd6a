//! A command line as redis-cli reads it, and a reply as redis-cli prints it.

use psync::cluster::printable;
use psync::wire::Value;

/// Commands that change nothing. They are answered by a copy of the world, so that a look at the
/// past does not end the future that is known.
const LOOKING: &[&str] =
    &["CONFIG", "DBSIZE", "ECHO", "EXISTS", "GET", "INFO", "PING", "ROLE", "STRLEN", "TTL"];

/// Whether a command only looks.
#[must_use]
pub fn only_looks(argv: &[String]) -> bool {
    let word = |n: usize| argv.get(n).map(|word| word.to_ascii_uppercase());
    let Some(name) = word(0) else { return true };
    match name.as_str() {
        "CONFIG" => word(1).as_deref() == Some("GET"),
        name => LOOKING.contains(&name),
    }
}

/// Splits a line into arguments: blanks between them, quotes around those with blanks inside.
///
/// # Errors
///
/// In redis-cli's words, when a quote is not closed or something follows it.
pub fn arguments(line: &str) -> Result<Vec<String>, String> {
    let mut argv = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let Some(first) = chars.peek().copied() else { return Ok(argv) };
        let quote = (first == '"' || first == '\'').then_some(first);
        let mut word = String::new();
        match quote {
            None => {
                while let Some(c) = chars.next_if(|c| !c.is_whitespace()) {
                    word.push(c);
                }
            }
            Some(quote) => {
                chars.next();
                loop {
                    match chars.next() {
                        None => return Err("Invalid argument(s)".to_owned()),
                        Some(c) if c == quote => break,
                        Some('\\') => word.push(escaped(quote, chars.next())?),
                        Some(c) => word.push(c),
                    }
                }
                if chars.peek().is_some_and(|c| !c.is_whitespace()) {
                    return Err("Invalid argument(s)".to_owned());
                }
            }
        }
        argv.push(word);
    }
}

fn escaped(quote: char, c: Option<char>) -> Result<char, String> {
    Ok(match (quote, c.ok_or("Invalid argument(s)")?) {
        ('"', 'n') => '\n',
        ('"', 'r') => '\r',
        ('"', 't') => '\t',
        (_, c) => c,
    })
}

/// A reply as redis-cli prints it at a terminal.
#[must_use]
pub fn print(value: &Value) -> String {
    let mut out = String::new();
    print_into(&mut out, value, "");
    out
}

fn print_into(out: &mut String, value: &Value, indent: &str) {
    match value {
        Value::Simple(text) => out.push_str(&String::from_utf8_lossy(text)),
        Value::Error(text) => {
            out.push_str("(error) ");
            out.push_str(&String::from_utf8_lossy(text));
        }
        Value::Integer(n) => out.push_str(&format!("(integer) {n}")),
        Value::Bulk(bytes) => out.push_str(&bulk(bytes)),
        Value::NullBulk | Value::NullArray => out.push_str("(nil)"),
        Value::Array(items) if items.is_empty() => out.push_str("(empty array)"),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push('\n');
                    out.push_str(indent);
                }
                let number = format!("{}) ", n + 1);
                out.push_str(&number);
                let deeper = format!("{indent}{}", " ".repeat(number.len()));
                print_into(out, item, &deeper);
            }
        }
    }
}

/// Texts of several lines (INFO) are printed as they are, others in quotes.
fn bulk(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("\r\n") {
        return text.replace("\r\n", "\n").trim_end().to_owned();
    }
    format!("\"{}\"", printable(bytes).replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_as_in_redis_cli() {
        let table: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("  SET  a   b ", &["SET", "a", "b"]),
            ("SET a \"b c\"", &["SET", "a", "b c"]),
            (r#"SET a "x\"y\n""#, &["SET", "a", "x\"y\n"]),
            ("SET 'a b' ''", &["SET", "a b", ""]),
        ];
        for (line, want) in table {
            assert_eq!(arguments(line).unwrap(), want, "{line}");
        }
        for wrong in ["\"a", "'a", "\"a\"b", "\"a\\"] {
            assert!(arguments(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn replies_print_as_in_redis_cli() {
        let bulk = |text: &str| Value::Bulk(text.to_owned().into());
        let nested = Value::Array(vec![
            bulk("master"),
            Value::Integer(7),
            Value::Array(vec![bulk("a"), bulk("b")]),
        ]);
        let table = [
            (Value::Simple("OK".into()), "OK"),
            (Value::Error("ERR no".into()), "(error) ERR no"),
            (bulk("x\"y"), "\"x\\\"y\""),
            (bulk("\u{e9}\\\n\t\u{7}\u{8}"), r#""\xc3\xa9\\\n\t\a\b""#),
            (bulk("# A\r\nb:1\r\n"), "# A\nb:1"),
            (Value::NullBulk, "(nil)"),
            (Value::Array(vec![]), "(empty array)"),
            (nested, "1) \"master\"\n2) (integer) 7\n3) 1) \"a\"\n   2) \"b\""),
        ];
        for (value, want) in table {
            assert_eq!(print(&value), want);
        }
    }

    #[test]
    fn reading_commands_are_known_from_writing_ones() {
        let looks = |line: &str| only_looks(&arguments(line).unwrap());
        assert!(looks("info replication") && looks("CONFIG get x") && looks("GET a"));
        assert!(!looks("SET a b") && !looks("CONFIG SET a b") && !looks("REPLICAOF NO ONE"));
    }
}
