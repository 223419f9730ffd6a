//! The project's commands: `cargo xtask serve`, `test`, `build`, `shots`, `bench`.
//!
//! Each command first makes sure that what it needs is installed (`tools`), then
//! calls ordinary programs (`command`): cargo, trunk, a browser. What these do is
//! configured where they look for it (Cargo.toml, Trunk.toml, web/webdriver.json),
//! so that they also work when called by hand.
//!
//! Absent on purpose: support for systems without a Unix shell.

mod arguments;
mod bench;
mod build;
mod command;
mod comments;
mod names;
mod project;
mod serve;
mod sheets;
mod tally;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

use arguments::Task;
use project::Project;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let task = arguments::parse(lexopt::Parser::from_env())?;
    let project = Project::here();
    match task {
        Task::Help => {
            print!("{}", arguments::HELP);
            Ok(ExitCode::SUCCESS)
        }
        Task::Serve(options) => serve::run(&project, &options).map(|()| ExitCode::SUCCESS),
        Task::Announce { port, open } => {
            serve::announce(port, open);
            Ok(ExitCode::SUCCESS)
        }
        Task::Build => build::run(&project).map(|()| ExitCode::SUCCESS),
        Task::Test(options) => test::run(&project, &options),
        Task::Shots => test::screenshots(&project).map(|()| ExitCode::SUCCESS),
        Task::Bench { filters } => bench::run(&project, &filters).map(|()| ExitCode::SUCCESS),
    }
}
