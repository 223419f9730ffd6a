//! `cargo xtask build`: the release site in `dist/`, and what a browser downloads for it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::command;
use crate::comments;
use crate::names;
use crate::project::Project;
use crate::sheets;
use crate::tools;

const BUILDING: Duration = Duration::from_secs(20 * 60);
const OPTIMIZING: Duration = Duration::from_secs(5 * 60);

const MODULE: &str = "dist/wasm/psync-lab_bg.wasm";
const GLUE: &str = "dist/wasm/psync-lab.js";

/// Builds the site; fails also when the site is larger than promised.
pub fn run(project: &Project) -> Result<()> {
    tools::for_site(project)?;
    site(project)
}

/// The same, when the tools are known to be there.
pub fn site(project: &Project) -> Result<()> {
    // Trunk leaves files of an earlier build, and they would be measured and published.
    let dist = project.path("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).context("cannot empty dist/")?;
    }
    command::run(with_small_std(project.trunk(&["build", "--release"])), BUILDING)?;
    // The module carries them; nothing asks for the files.
    let _ = fs::remove_dir_all(project.path("dist/lessons"));
    optimize(project)?;
    publish_conformance(project)?;
    sheets::join(&dist)?;
    comments::strip(&dist)?;

    let payload = ["--features", "payload", "--bin", "payload", "--", "dist"];
    let arguments = [&["run", "--quiet", "--package", "xtask"], &payload[..]].concat();
    command::run(project.cargo(&arguments), BUILDING)
}

/// Compiles the standard library with the module, for size, and a panic as nothing but the end.
///
/// As it is delivered it is compiled for speed and carries the words of every panic, and everything
/// the code to print itself with `{:?}`: 32 kB of the 350 that the page may have. These are options of
/// the compiler that are not stable yet; the toolchain is pinned, so they mean the same everywhere.
/// Nothing that a user can send panics, nothing that a user reads is printed with `{:?}`, and builds
/// other than this one keep both.
fn with_small_std(mut build: Command) -> Command {
    build.env("RUSTC_BOOTSTRAP", "1");
    build.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
    build.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
    let silent =
        "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none";
    build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", silent);
    build
}

/// The site shows what the last test run on this machine proved; without one, the table that was
/// committed.
fn publish_conformance(project: &Project) -> Result<()> {
    let written = project.path("target/conformance/conformance.json");
    if written.exists() {
        fs::copy(&written, project.path("dist/conformance.json"))
            .context("cannot put the conformance table into dist/")?;
    }
    Ok(())
}

/// Makes the module and its glue smaller, where wasm-opt is installed.
///
/// What counts is what is left after compression. Locals for common subexpressions and functions put
/// into their only caller make the code shorter and less alike, so it compresses worse: 5 kB. The names
/// of imports carry 16 digits of a checksum each, which do not compress at all: 5 kB with those of the
/// glue.
fn optimize(project: &Project) -> Result<()> {
    if project.find("wasm-opt").is_none() {
        return Ok(());
    }
    // Beside the module, because `target` may be somewhere else altogether.
    let smaller = project.path("dist/optimized.wasm");
    let names = project.path("dist/names.json");
    let mut wasm_opt = project.command("wasm-opt");
    // The features that Rust 1.95 uses for wasm32-unknown-unknown.
    wasm_opt.args(["--enable-bulk-memory", "--enable-mutable-globals"]);
    wasm_opt.args(["--enable-nontrapping-float-to-int", "--enable-sign-ext"]);
    wasm_opt.args(["--enable-multivalue", "--enable-reference-types"]);
    wasm_opt.args(["--flatten", "--rereloop", "-Os", "-Os", "--skip-pass=local-cse"]);
    wasm_opt.arg("--one-caller-inline-max-function-size=0");
    // The stack comes first in memory, and it grows downwards: nothing has an address below 1,024
    // until the last kilobyte of it is in use.
    wasm_opt.arg("--low-memory-unused");
    wasm_opt.arg("--minify-imports-and-exports-and-modules");
    wasm_opt.arg(project.path(MODULE)).arg("-o").arg(&smaller);
    wasm_opt.stdout(fs::File::create(&names)?);
    command::run(wasm_opt, OPTIMIZING)?;
    fs::rename(&smaller, project.path(MODULE)).context("cannot replace the module in dist/")?;
    let glue = project.path(GLUE);
    let renamed = names::rename(&fs::read_to_string(&glue)?, &fs::read_to_string(&names)?)?;
    fs::write(glue, renamed).context("cannot rewrite the module's glue")?;
    fs::remove_file(names).context("cannot remove the list of names")
}
