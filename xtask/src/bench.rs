//! `cargo xtask bench`: the benchmarks of all packages.

use std::time::Duration;

use anyhow::Result;

use crate::command;
use crate::project::Project;

const MEASURING: Duration = Duration::from_secs(60 * 60);

/// Runs the benchmarks whose names contain one of `filters`, or all.
pub fn run(project: &Project, filters: &[String]) -> Result<()> {
    if !project.path("benches").is_dir() {
        println!("There are no benchmarks yet.");
        return Ok(());
    }
    // `--benches` would also run every library's tests as benchmarks, so only the
    // declared ones, which have `harness = false`.
    let mut cargo = project.cargo(&["bench", "--workspace", "--bench", "*"]);
    if !filters.is_empty() {
        cargo.arg("--").args(filters);
    }
    command::run(cargo, MEASURING)
}
