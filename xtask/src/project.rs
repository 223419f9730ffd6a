//! Where things are, and how a program is called from here.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checked-out project.
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project this program was built from.
    pub fn here() -> Self {
        // Cargo sets the variable for `cargo run`; the path known at compile time
        // would be wrong after the folder was moved.
        let package = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().map_or_else(|| package.clone(), Path::to_path_buf);
        Self { root }
    }

    /// A path inside the project.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A program that runs in the project's folder and finds the project's own tools first.
    pub fn command(&self, program: &str) -> Command {
        // Looked up here, because `Command` searches the PATH of this process.
        let found = self.find(program).unwrap_or_else(|| PathBuf::from(program));
        let mut command = Command::new(found);
        command.current_dir(&self.root).env("PATH", self.search_path());
        command
    }

    /// Cargo, of the toolchain that this program was called with.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Trunk, which reads Trunk.toml.
    pub fn trunk(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("trunk");
        // A trace of trunk's insides would hide what it says about our code.
        command.args(arguments).env("RUST_BACKTRACE", "0");
        command
    }

    /// Where `program` is, if it is installed.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.search_path())
            .map(|folder| folder.join(program))
            .find(|candidate| candidate.is_file())
    }

    fn search_path(&self) -> OsString {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let folders = [self.path(".tools/bin"), self.path(".tools/npm/node_modules/.bin")]
            .into_iter()
            .chain(env::split_paths(&inherited));
        env::join_paths(folders).unwrap_or(inherited)
    }
}
