//! The wasm target of the compiler, the source of its standard library, and programs compiled from
//! published crates.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::CargoTool;
use crate::command;
use crate::project::Project;

const TARGET: &str = "wasm32-unknown-unknown";

/// Compiling trunk takes 2.5 minutes on 2 cores; slower machines get their time.
const COMPILING: Duration = Duration::from_secs(45 * 60);
const DOWNLOADING: Duration = Duration::from_secs(10 * 60);

/// Makes sure of the wasm target and of `tools`.
pub(super) fn ensure(project: &Project, tools: &[CargoTool]) -> Result<()> {
    ensure_target(project)?;
    let missing: Vec<&CargoTool> = tools.iter().filter(|tool| !is_there(project, tool)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("To be compiled into .tools/ (once, about 4 minutes on 2 cores):");
    for tool in &missing {
        println!("  {} {}: {}", tool.package, tool.version, tool.reason);
    }
    for (index, tool) in missing.iter().enumerate() {
        println!("[{}/{}] {}", index + 1, missing.len(), tool.package);
        let started = Instant::now();
        install(project, tool)?;
        println!("{} is installed, {} s", tool.package, started.elapsed().as_secs());
    }
    // A gigabyte that nobody needs again.
    let _ = fs::remove_dir_all(project.path(BUILD_FOLDER));
    Ok(())
}

fn ensure_target(project: &Project) -> Result<()> {
    let mut question = project.command("rustc");
    question.args(["--print", "target-libdir", "--target", TARGET]);
    if command::answer(question).is_some_and(|folder| fs::exists(folder).unwrap_or(false)) {
        return Ok(());
    }
    println!("To be installed with rustup: {TARGET}, the compiler's target for browsers");
    if project.find("rustup").is_none() {
        bail!(
            "rustup is missing: install it from https://rustup.rs, or install the target {TARGET}"
        );
    }
    let mut rustup = project.command("rustup");
    rustup.args(["target", "add", TARGET]);
    command::run(rustup, DOWNLOADING)
}

/// Makes sure of the source of the standard library, which the release site is compiled with.
pub(super) fn ensure_source(project: &Project) -> Result<()> {
    let mut question = project.command("rustc");
    question.args(["--print", "sysroot"]);
    let library = command::answer(question)
        .map(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock"));
    if library.is_some_and(|library| library.is_file()) {
        return Ok(());
    }
    println!("To be installed with rustup: rust-src, the source of the standard library");
    if project.find("rustup").is_none() {
        bail!("rustup is missing: install it from https://rustup.rs, or the component rust-src");
    }
    let mut rustup = project.command("rustup");
    rustup.args(["component", "add", "rust-src"]);
    command::run(rustup, DOWNLOADING)
}

fn is_there(project: &Project, tool: &CargoTool) -> bool {
    tool.programs.iter().all(|program| {
        let mut question = project.command(program);
        question.arg("--version");
        // "trunk 0.21.14": the version is the last word.
        command::answer(question)
            .is_some_and(|answer| answer.split_whitespace().last() == Some(tool.version))
    })
}

/// Both tools are compiled in one folder: they share many dependencies.
const BUILD_FOLDER: &str = ".tools/build";

fn install(project: &Project, tool: &CargoTool) -> Result<()> {
    // Unoptimized: it compiles in a third of the time, and the tools are fast enough.
    let mut cargo = project.cargo(&["install", "--locked", "--debug", "--force"]);
    cargo.args(tool.options);
    cargo.arg("--root").arg(project.path(".tools"));
    cargo.arg(format!("{}@{}", tool.package, tool.version));
    cargo.env("CARGO_TARGET_DIR", project.path(BUILD_FOLDER));
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    cargo.env("CARGO_INCREMENTAL", "0");
    command::run(cargo, COMPILING)
}
