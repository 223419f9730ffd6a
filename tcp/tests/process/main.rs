//! The program `psync-server` from outside: its command line, its log, `redis-cli`, hostile peers.

mod child;
mod command_line;
mod hostile;
mod replica;
mod snapshot;
mod with_redis_cli;
