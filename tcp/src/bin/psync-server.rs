//! `psync-server`: a small server on the core, started with redis-server's own command line.
//!
//! Everything is in [`psync_tcp::service`]; here are only the arguments and the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> =
        std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    psync_tcp::service::main(&args)
}
