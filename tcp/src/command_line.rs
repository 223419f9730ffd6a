//! redis-server's own command line.
//!
//! Options are not parsed by themselves: as in the real server they become lines of text behind
//! the configuration file, so that a directive means the same wherever it stands, and an error
//! names its line. `--replicaof 127.0.0.1 6379` becomes `replicaof "127.0.0.1" "6379"`.
//!
//! Absent on purpose: Sentinel, `--test-memory`, `--check-system`.

use crate::words;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Run a server.
    Serve(Sources),
    /// Say which version this is.
    Version,
    /// Say how it is started.
    Help,
}

/// Where the configuration comes from; the later source wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// A redis.conf.
    pub file: Option<String>,
    /// Whether more of it comes from stdin.
    pub stdin: bool,
    /// The options, as lines of redis.conf.
    pub options: String,
}

/// How it is started, for people.
pub const HELP: &str = "\
Usage: psync-server [/path/to/redis.conf] [--DIRECTIVE VALUE [VALUE...]]... [-]
       psync-server - (read config from stdin)
       psync-server -v or --version
       psync-server -h or --help

Takes redis-server's own command line: every directive of redis.conf is an option.
Its own are:
       --engine NAME         whose behaviour to show
       --allow-remote yes    listen on addresses that other machines can reach

Examples:
       psync-server --port 6390
       psync-server --port 6391 --replicaof 127.0.0.1 6390
       psync-server redis.conf --repl-backlog-size 16kb --save \"\"
       echo 'port 6390' | psync-server -
";

/// Reads the arguments behind the program's name.
#[must_use]
pub fn parse(args: &[String]) -> Command {
    match args {
        [only] if only == "-v" || only == "--version" => return Command::Version,
        [only] if only == "-h" || only == "--help" => return Command::Help,
        _ => {}
    }
    let mut sources = Sources::default();
    let mut rest = args;
    if let [first, after @ ..] = args
        && !first.starts_with('-')
    {
        sources.file = Some(first.clone());
        rest = after;
    }
    // An option's first value may begin with dashes itself; what follows it may not.
    let mut wants_value = false;
    for (place, arg) in rest.iter().enumerate() {
        let at_an_end = place + 1 == rest.len() || (place == 0 && sources.file.is_none());
        let next = rest.get(place + 1);
        match arg.strip_prefix("--") {
            _ if arg == "-" && at_an_end => sources.stdin = true,
            Some(option) if !wants_value => {
                begin(&mut sources.options, option);
                let alone = words::split(arg).is_none_or(|words| words.len() == 1);
                let saves_nothing = alone
                    && arg.eq_ignore_ascii_case("--save")
                    && next.is_none_or(|next| next.starts_with("--"));
                if saves_nothing {
                    sources.options.push_str("\"\"");
                }
                wants_value = alone && !saves_nothing;
            }
            _ => {
                sources.options.push_str(&words::quoted(arg));
                sources.options.push(' ');
                wants_value = false;
            }
        }
    }
    Command::Serve(sources)
}

fn begin(options: &mut String, option: &str) {
    if !options.is_empty() {
        options.push('\n');
    }
    options.push_str(option);
    options.push(' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(args: &[&str], file: Option<&str>, stdin: bool, options: &str) {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let expected =
            Sources { file: file.map(str::to_owned), stdin, options: options.to_owned() };
        assert_eq!(parse(&args), Command::Serve(expected), "{args:?}");
    }

    #[test]
    fn options_become_lines_of_redis_conf() {
        check(&[], None, false, "");
        check(&["--port", "1"], None, false, "port \"1\" ");
        check(
            &["a.conf", "--replicaof", "h", "1", "--port", "2"],
            Some("a.conf"),
            false,
            "replicaof \"h\" \"1\" \nport \"2\" ",
        );
        check(&["--replicaof", "h 1"], None, false, "replicaof \"h 1\" ");
        check(&["--port 7000"], None, false, "port 7000 ");
    }

    #[test]
    fn an_empty_save_may_be_given_as_a_word_or_left_out() {
        check(&["--save", "", "--port", "1"], None, false, "save \"\" \nport \"1\" ");
        check(&["--save", "--port", "1"], None, false, "save \"\"\nport \"1\" ");
        check(&["--save"], None, false, "save \"\"");
        check(&["--logfile", "--x", "--port", "1"], None, false, "logfile \"--x\" \nport \"1\" ");
    }

    #[test]
    fn a_dash_at_either_end_reads_stdin() {
        check(&["-"], None, true, "");
        check(&["-", "--port", "1"], None, true, "port \"1\" ");
        check(&["a.conf", "--port", "1", "-"], Some("a.conf"), true, "port \"1\" ");
        check(&["--proc", "-", "b"], None, false, "proc \"-\" \"b\" ");
    }

    #[test]
    fn version_and_help_are_asked_for_alone() {
        for (arg, command) in [
            ("-v", Command::Version),
            ("--version", Command::Version),
            ("-h", Command::Help),
            ("--help", Command::Help),
        ] {
            assert_eq!(parse(&[arg.to_owned()]), command);
        }
    }
}
