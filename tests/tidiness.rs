//! The rules of the house that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the core, in the order in which data flows; a room uses only those before it.
const ROOMS: [&str; 5] = ["stream", "wire", "server", "cluster", "lesson"];
/// Lines of code in one file, without comments, blank lines and tests.
const LONGEST_FILE: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of the project.
fn rust_files() -> Vec<PathBuf> {
    fn visit(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("a folder of the project").flatten() {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for dir in ["src", "web", "markup", "tcp", "xtask", "tests", "benches"] {
        visit(&root().join(dir), &mut found);
    }
    assert!(found.len() > 40, "the project was not found");
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("a readable file")
}

#[test]
fn each_room_of_the_core_uses_only_rooms_before_it() {
    let mut wrong = Vec::new();
    for (place, room) in ROOMS.iter().enumerate() {
        let of_room = |path: &Path| shown(path).starts_with(&format!("src/{room}/"));
        for path in rust_files().iter().filter(|path| of_room(path)) {
            for later in &ROOMS[place + 1..] {
                if read(path).contains(&format!("crate::{later}")) {
                    wrong.push(format!("{} uses {later}", shown(path)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_core_reads_no_clock_and_opens_no_socket_or_file() {
    let mut wrong = Vec::new();
    for path in rust_files().iter().filter(|path| shown(path).starts_with("src/")) {
        for forbidden in ["std::time", "std::net", "std::fs", "std::thread", "std::env"] {
            if read(path).contains(forbidden) {
                wrong.push(format!("{} uses {forbidden}", shown(path)));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_opens_with_what_it_is_and_is_short_enough_to_read() {
    let mut wrong = Vec::new();
    for path in rust_files() {
        let text = read(&path);
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not say what it is", shown(&path)));
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code = code.lines().map(str::trim);
        let code = code.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if code > LONGEST_FILE {
            wrong.push(format!("{} has {code} lines of code", shown(&path)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let empty = ["utils", "util", "helpers", "helper", "common", "types", "misc"];
    let vague = |path: &PathBuf| {
        path.file_stem().is_some_and(|stem| empty.iter().any(|name| stem == *name))
    };
    let wrong: Vec<String> = rust_files().iter().filter(|p| vague(p)).map(|p| shown(p)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_dependency_has_its_sentence_of_reason() {
    let mut wrong = Vec::new();
    for manifest in ["Cargo.toml", "web/Cargo.toml", "tcp/Cargo.toml", "xtask/Cargo.toml"] {
        let mut in_dependencies = false;
        let mut reasoned = false;
        for line in read(&root().join(manifest)).lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies");
                reasoned = false;
            } else if line.starts_with('#') {
                reasoned = true;
            } else if line.trim().is_empty() {
                reasoned = false;
            } else if in_dependencies && line.contains('=') && !line.contains("path = ") {
                // Lines of one family may share the sentence above the first of them.
                if !reasoned && !line.starts_with([' ', ']', '}']) {
                    wrong.push(format!("{manifest}: {line}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
