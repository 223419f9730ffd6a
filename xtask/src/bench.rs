//! `cargo xtask bench`: the benchmarks of all packages.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::project::Project;
use crate::{build, command, tools};

const BENCHES: [&str; 3] = ["core", "tcp", "page"];

const MEASURING: Duration = Duration::from_secs(60 * 60);

/// Runs the benchmarks whose names contain one of `filters`, or all: natively, then the
/// release site in a browser.
pub fn run(project: &Project, filters: &[String]) -> Result<()> {
    tools::for_tests(project)?;
    build::site(project)?;
    // `--benches` would also run every library's tests as benchmarks, so only the
    // declared ones, which have `harness = false`.
    let features = ["--features", "psync/browser-tests"];
    let names = chosen(filters)?;
    let mut cargo = project.cargo(&["bench", "--workspace"]);
    cargo.args(features);
    for name in names {
        cargo.args(["--bench", name]);
    }
    command::run(cargo, MEASURING)
}

/// What there is to run, by the names in Cargo.toml.
fn chosen(filters: &[String]) -> Result<Vec<&'static str>> {
    let chosen: Vec<&str> = BENCHES
        .into_iter()
        .filter(|name| filters.is_empty() || filters.iter().any(|part| name.contains(&**part)))
        .collect();
    ensure!(!chosen.is_empty(), "no benchmark has such a name; there are {}", BENCHES.join(", "));
    Ok(chosen)
}
