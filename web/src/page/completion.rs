//! What can be typed into the console: the commands with their arguments, as `redis-cli` hints them.
//!
//! Under the line stand the arguments of the command being typed, or the name that the right arrow
//! completes it to. Absent on purpose: checking what is typed. The server does that, in its words.

/// A command and its arguments, in the notation of Redis' documentation.
pub struct Syntax {
    /// As it is typed.
    pub name: &'static str,
    /// What follows it.
    pub arguments: &'static str,
}

const fn syntax(name: &'static str, arguments: &'static str) -> Syntax {
    Syntax { name, arguments }
}

/// In the order in which they are offered: what a visitor wants first.
pub const COMMANDS: &[Syntax] = &[
    syntax("SET", "key value [NX | XX] [EX seconds | PX milliseconds | KEEPTTL]"),
    syntax("GET", "key"),
    syntax("DEL", "key [key ...]"),
    syntax("INCR", "key"),
    syntax("INCRBY", "key increment"),
    syntax("APPEND", "key value"),
    syntax("MSET", "key value [key value ...]"),
    syntax("EXISTS", "key [key ...]"),
    syntax("STRLEN", "key"),
    syntax("EXPIRE", "key seconds"),
    syntax("PEXPIRE", "key milliseconds"),
    syntax("TTL", "key"),
    syntax("DBSIZE", ""),
    syntax("SELECT", "index"),
    syntax("FLUSHDB", ""),
    syntax("FLUSHALL", ""),
    syntax("PUBLISH", "channel message"),
    syntax("MULTI", ""),
    syntax("EXEC", ""),
    syntax("DISCARD", ""),
    syntax("WAIT", "numreplicas timeout"),
    syntax("INFO replication", ""),
    syntax("INFO stats", ""),
    syntax("INFO memory", ""),
    syntax("ROLE", ""),
    syntax("REPLICAOF NO ONE", ""),
    syntax("REPLICAOF", "host port | NO ONE"),
    syntax("FAILOVER", "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]"),
    syntax("CONFIG GET repl-*", ""),
    syntax("CONFIG SET repl-backlog-size", "bytes"),
    syntax("CONFIG SET repl-backlog-ttl", "seconds"),
    syntax("CONFIG SET repl-timeout", "seconds"),
    syntax("CONFIG SET client-output-buffer-limit", "\"replica hard soft seconds\""),
    syntax("CLIENT LIST", "[TYPE normal | master | replica]"),
    syntax("CLIENT KILL TYPE", "normal | master | replica"),
    syntax("DEBUG CHANGE-REPL-ID", ""),
    syntax("PING", "[message]"),
    syntax("ECHO", "message"),
];

/// The arguments of the command that a line begins with; the longest name that fits.
#[must_use]
pub fn hint(line: &str) -> Option<&'static Syntax> {
    let typed = line.trim_start();
    let begins = |syntax: &&Syntax| {
        let head = typed.get(..syntax.name.len());
        let rest = typed.get(syntax.name.len()..).unwrap_or_default();
        head.is_some_and(|head| head.eq_ignore_ascii_case(syntax.name))
            && (rest.is_empty() || rest.starts_with(' '))
    };
    let known = COMMANDS.iter().filter(begins);
    known.max_by_key(|syntax| syntax.name.len()).filter(|syntax| !syntax.arguments.is_empty())
}

/// What a line could become, by the names that begin with it; none when it is a whole name.
#[must_use]
pub fn completion(line: &str) -> Option<&'static str> {
    let longer = |syntax: &&Syntax| syntax.name.len() > line.len();
    let begins = |syntax: &&Syntax| {
        let head = syntax.name.get(..line.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(line))
    };
    let found = COMMANDS.iter().filter(longer).find(begins);
    found.filter(|_| !line.is_empty()).map(|syntax| syntax.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_the_longest_name_that_fits_are_hinted() {
        let hint = |line| hint(line).map(|syntax| syntax.arguments);
        assert_eq!(hint("get "), Some("key"));
        assert_eq!(hint("config set repl-backlog-size 1"), Some("bytes"));
        assert_eq!(hint("getx"), None);
        assert_eq!(hint("dbsize"), None);
        assert_eq!(hint("\u{e4}\u{e4}\u{e4}"), None);
    }

    #[test]
    fn a_beginning_is_completed_whatever_its_case() {
        assert_eq!(completion("inc"), Some("INCR"));
        assert_eq!(completion("INCR"), Some("INCRBY"));
        assert_eq!(completion("replicaof n"), Some("REPLICAOF NO ONE"));
        assert_eq!(completion(""), None);
        assert_eq!(completion("nothing"), None);
    }
}
