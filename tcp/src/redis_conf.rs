//! The text of a configuration, cut into directives.
//!
//! A line is blank, a comment (only at its start), or a name and its words. `include` is carried
//! out where it stands, so that later lines win over it.
//!
//! Absent on purpose: what directives mean.

use std::fmt;
use std::path::Path;

use crate::words;

/// One line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in its own file, from 1.
    pub number: usize,
    /// As it was written.
    pub text: String,
    /// The directive's name, in lower case.
    pub name: String,
    /// What follows it.
    pub values: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfError {
    /// A line is wrong.
    Line {
        /// Its number.
        number: usize,
        /// As it was written.
        text: String,
        /// What is wrong with it, in a real server's words.
        why: String,
    },
    /// A file cannot be read.
    File {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

impl fmt::Display for ConfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfError::Line { number, text, why } => {
                write!(f, "Reading the configuration file, at line {number}\n>>> '{text}'\n{why}")
            }
            ConfError::File { name, why } => write!(f, "can't open config file '{name}': {why}"),
        }
    }
}

impl std::error::Error for ConfError {}

impl Line {
    /// Says that this line is wrong.
    pub fn error(&self, why: impl Into<String>) -> ConfError {
        ConfError::Line { number: self.number, text: self.text.clone(), why: why.into() }
    }
}

/// How deep files may include each other; a file that includes itself has no end.
const DEEPEST: usize = 16;

/// Cuts a text into its lines that say something, included files in place.
///
/// # Errors
/// When quotes are not balanced, or an included file cannot be read.
pub fn parse(text: &str) -> Result<Vec<Line>, ConfError> {
    let mut lines = Vec::new();
    append(text, 0, &mut lines)?;
    Ok(lines)
}

/// Reads a configuration file.
///
/// # Errors
/// When it cannot be read.
pub fn read(name: &str) -> Result<String, ConfError> {
    let bytes = std::fs::read(name).map_err(|error| ConfError::File {
        name: std::path::absolute(Path::new(name))
            .map_or_else(|_| name.to_owned(), |path| path.display().to_string()),
        why: system_words(&error),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the system says about an error, without Rust's number behind it.
#[must_use]
pub fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn append(text: &str, depth: usize, lines: &mut Vec<Line>) -> Result<(), ConfError> {
    for (index, raw) in text.split('\n').enumerate() {
        let trimmed = raw.trim_matches([' ', '\t', '\r', '\n']);
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let mut line = Line {
            number: index + 1,
            text: trimmed.to_owned(),
            name: String::new(),
            values: Vec::new(),
        };
        let Some(words) = words::split(trimmed) else {
            return Err(line.error("Unbalanced quotes in configuration line"));
        };
        let mut words = words.into_iter();
        // A line of nothing but an empty word says nothing, but is not blank either.
        line.name = words.next().unwrap_or_default().to_ascii_lowercase();
        line.values = words.collect();
        match line.values.as_slice() {
            [name] if line.name == "include" => {
                if depth == DEEPEST {
                    return Err(line.error("files include each other without end"));
                }
                append(&read(name)?, depth + 1, lines)?;
            }
            _ => lines.push(line),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(usize, String)> {
        parse(text).unwrap().into_iter().map(|line| (line.number, line.name)).collect()
    }

    #[test]
    fn blank_lines_and_comments_say_nothing_and_still_count() {
        let text = "# c\n\n  # c\nPort 1\r\n\tsave \"\"\n";
        assert_eq!(names(text), [(4, "port".to_owned()), (5, "save".to_owned())]);
        let line = parse("dir a # b").unwrap().remove(0);
        assert_eq!(line.values, ["a", "#", "b"], "a comment begins only at a line's start");
    }

    #[test]
    fn a_wrong_line_is_named_with_its_number() {
        let error = parse("port 1\n  dir \"x\nport 2").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Reading the configuration file, at line 2\n>>> 'dir \"x'\n\
             Unbalanced quotes in configuration line"
        );
    }

    #[test]
    fn an_included_file_stands_where_it_is_named() {
        let dir = std::env::temp_dir().join(format!("psync-include-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let inner = dir.join("inner.conf");
        std::fs::write(&inner, "\nport 2\n").unwrap();
        let text = format!("port 1\ninclude {}\nport 3", inner.display());
        let port = || "port".to_owned();
        assert_eq!(names(&text), [(1, port()), (2, port()), (3, port())]);
        std::fs::write(&inner, format!("include {}", inner.display())).unwrap();
        assert!(parse(&text).unwrap_err().to_string().contains("without end"));
        std::fs::remove_dir_all(&dir).unwrap();
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.ends_with("No such file or directory"), "{error}");
    }
}
