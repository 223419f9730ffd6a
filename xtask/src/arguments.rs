//! The command line, turned into a `Task`. Everything wrong with it is said here.

use std::ffi::OsString;

use anyhow::{Result, bail};
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

/// What `--help` prints.
pub const HELP: &str = "\
Usage: cargo xtask <command>

  serve [--port N] [--release] [--no-open]
        builds the page and serves it at http://127.0.0.1:8080; rebuilds on changes
  test [--runs N] [--requests N] [--seed N] [--only STEP]... [FILTER...]
        runs everything that must hold; the last line is `N passed, N failed`
        --runs    whole-system runs of the simulation (default: what the tests say)
        --requests
                  synchronization requests put to us and to each real server (default: 300)
        --seed    the first of their seeds, printed by a run that failed
        --only    just these steps: fmt, clippy, clippy-wasm, native, wasm, build, browser
        FILTER    just the tests whose names contain one of these
  build
        leaves the release site in dist/ and prints what a browser downloads
  shots
        pictures of the release site at three sizes, light and dark, in target/screenshots/
  bench [FILTER...]
        runs the benchmarks: core (natively), page (the release site in Chromium)

What has to be installed is said before it is installed.
";

/// One invocation of `cargo xtask`.
#[derive(Debug, PartialEq, Eq)]
pub enum Task {
    /// Print the usage.
    Help,
    /// Serve the page for development.
    Serve(ServeOptions),
    /// Internal: say when the page can be opened; `serve` starts this beside trunk.
    Announce { port: u16, open: bool },
    /// Build the release site.
    Build,
    /// Run all tests.
    Test(TestOptions),
    /// Take pictures of the release site.
    Shots,
    /// Run the benchmarks.
    Bench { filters: Vec<String> },
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub struct ServeOptions {
    pub port: u16,
    pub release: bool,
    pub open: bool,
}

/// Which tests to run, and how.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    pub runs: Option<u64>,
    pub requests: Option<u64>,
    pub seed: Option<u64>,
    pub only: Vec<String>,
    pub filters: Vec<String>,
}

/// Reads a command line, without the program's own name.
pub fn parse(mut parser: lexopt::Parser) -> Result<Task> {
    let command = match parser.next()? {
        None | Some(Long("help") | Short('h')) => return Ok(Task::Help),
        Some(Value(command)) => command.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "help" => Ok(Task::Help),
        "serve" => parse_serve(&mut parser),
        "announce" => parse_announce(&mut parser),
        "test" => parse_test(&mut parser),
        "build" => parse_bare(&mut parser, Task::Build),
        "shots" => parse_bare(&mut parser, Task::Shots),
        "bench" => {
            let mut filters = Vec::new();
            while let Some(argument) = parser.next()? {
                match argument {
                    Long("help") | Short('h') => return Ok(Task::Help),
                    Value(filter) => filters.push(filter.string()?),
                    other => return Err(other.unexpected().into()),
                }
            }
            Ok(Task::Bench { filters })
        }
        other => bail!("there is no command '{other}'\n\n{HELP}"),
    }
}

fn parse_serve(parser: &mut lexopt::Parser) -> Result<Task> {
    let mut options = ServeOptions { port: 8080, release: false, open: true };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Task::Help),
            Long("port") => options.port = parser.value()?.parse()?,
            Long("release") => options.release = true,
            Long("no-open") => options.open = false,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Task::Serve(options))
}

fn parse_announce(parser: &mut lexopt::Parser) -> Result<Task> {
    let (mut port, mut open) = (8080, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => port = parser.value()?.parse()?,
            Long("open") => open = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Task::Announce { port, open })
}

fn parse_test(parser: &mut lexopt::Parser) -> Result<Task> {
    let mut options = TestOptions::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Task::Help),
            Long("runs") => options.runs = Some(parser.value()?.parse()?),
            Long("requests") => options.requests = Some(parser.value()?.parse()?),
            Long("seed") => options.seed = Some(parser.value()?.parse()?),
            Long("only") => options.only.push(parser.value()?.string()?),
            Value(filter) => options.filters.push(filter.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Task::Test(options))
}

fn parse_bare(parser: &mut lexopt::Parser, task: Task) -> Result<Task> {
    match parser.next()? {
        None => Ok(task),
        Some(Long("help") | Short('h')) => Ok(Task::Help),
        Some(other) => Err(other.unexpected().into()),
    }
}

/// The options that `serve` gives to the program that announces the page.
pub fn announce(port: u16, open: bool) -> Vec<OsString> {
    let mut arguments = vec!["announce".into(), "--port".into(), port.to_string().into()];
    if open {
        arguments.push("--open".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(line: &str) -> Result<Task> {
        parse(lexopt::Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn commands_and_their_options() -> Result<()> {
        let serve = |port, release, open| Task::Serve(ServeOptions { port, release, open });
        assert_eq!(task("")?, Task::Help);
        assert_eq!(task("test --help")?, Task::Help);
        assert_eq!(task("build")?, Task::Build);
        assert_eq!(task("serve")?, serve(8080, false, true));
        assert_eq!(task("serve --port 9000 --release --no-open")?, serve(9000, true, false));
        assert_eq!(
            task("test --runs 5 ring --requests 900 --seed=7 --only native fuse")?,
            Task::Test(TestOptions {
                runs: Some(5),
                requests: Some(900),
                seed: Some(7),
                only: vec!["native".into()],
                filters: vec!["ring".into(), "fuse".into()],
            })
        );
        assert_eq!(
            parse(lexopt::Parser::from_args(announce(9000, true)))?,
            Task::Announce { port: 9000, open: true }
        );
        Ok(())
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        for (line, said) in [
            ("fly", "no command 'fly'"),
            ("serve --fast", "'--fast'"),
            ("serve --port high", "\"high\""),
            ("test --runs", "'--runs'"),
            ("build all", "\"all\""),
        ] {
            let error = task(line).expect_err(line).to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
