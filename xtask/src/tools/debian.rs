//! Packages of the system: installed by root on Debian, named to everybody else.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::SystemTool;
use crate::command;
use crate::project::Project;

const INSTALLING: Duration = Duration::from_secs(20 * 60);
const STOPPING: Duration = Duration::from_secs(60);

/// Makes sure of `tools`, or fails with the command that would install them.
pub(super) fn ensure<'a>(
    project: &Project,
    tools: impl Iterator<Item = &'a SystemTool>,
) -> Result<()> {
    let missing: Vec<&SystemTool> =
        tools.filter(|tool| project.find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("To be installed from the system's packages:");
    for tool in &missing {
        println!("  {}: {}", tool.package, tool.reason);
    }
    let packages: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    if project.find("apt-get").is_none() {
        let programs: Vec<&str> = missing.iter().map(|tool| tool.program).collect();
        bail!("this is not Debian: please install {} by your own means", programs.join(", "));
    }
    if !is_root(project) {
        bail!(
            "only root can install them; please type:\n\n  sudo apt-get update && \
             sudo apt-get install --yes --no-install-recommends {}\n",
            packages.join(" ")
        );
    }
    apt_get(project, &["update"])?;
    apt_get(project, &[&["install", "--yes", "--no-install-recommends"], &*packages].concat())?;
    if packages.contains(&"redis-server") {
        stop_service(project)?;
    }
    Ok(())
}

fn is_root(project: &Project) -> bool {
    let mut question = project.command("id");
    question.arg("-u");
    command::answer(question).as_deref() == Some("0")
}

fn apt_get(project: &Project, arguments: &[&str]) -> Result<()> {
    let mut apt_get = project.command("apt-get");
    // A package that asks questions would wait for ever.
    apt_get.args(["--quiet"]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command::run(apt_get, INSTALLING)
}

/// Debian starts a service with the package. It was not there before, so it is
/// ours to stop; the tests start servers of their own, on ports of their own.
fn stop_service(project: &Project) -> Result<()> {
    if !Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    let mut systemctl = project.command("systemctl");
    systemctl.args(["disable", "--now", "redis-server"]);
    command::run(systemctl, STOPPING)
}
