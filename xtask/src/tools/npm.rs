//! Packages from npm, kept in `.tools/npm`; none of their scripts is run.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use super::NpmTool;
use crate::command;
use crate::project::Project;

const FOLDER: &str = ".tools/npm";
const DOWNLOADING: Duration = Duration::from_secs(5 * 60);

/// Makes sure of `tools`; npm itself has to be there.
pub(super) fn ensure(project: &Project, tools: &[NpmTool]) -> Result<()> {
    for tool in tools.iter().filter(|tool| is_missing(project, tool)) {
        println!(
            "To be fetched with npm into .tools/: {} {}: {}",
            tool.package, tool.version, tool.reason
        );
        let mut npm = project.command("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        npm.arg(project.path(FOLDER));
        npm.arg(format!("{}@{}", tool.package, tool.version));
        command::run(npm, DOWNLOADING)?;
    }
    Ok(())
}

/// Whether this version of the package has yet to be fetched.
pub(super) fn is_missing(project: &Project, tool: &NpmTool) -> bool {
    let manifest = format!("{FOLDER}/node_modules/{}/package.json", tool.package);
    let version = format!("\"version\": \"{}\"", tool.version);
    !fs::read_to_string(project.path(&manifest)).is_ok_and(|text| text.contains(&version))
}
