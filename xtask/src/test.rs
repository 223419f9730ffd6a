//! `cargo xtask test`: everything that must hold, step by step, and one line at the end.
//!
//! A step that fails does not stop the next ones. Each step is bounded in time, and a
//! step of tests in which no test ran has failed: silence proves nothing.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::TestOptions;
use crate::project::Project;
use crate::tally::Tally;
use crate::{build, command, tools};

const SHORT: Duration = Duration::from_secs(2 * 60);
/// Compiling everything is part of the first step that needs it.
const LONG: Duration = Duration::from_secs(15 * 60);

struct Step {
    name: &'static str,
    limit: Duration,
    work: Work,
}

enum Work {
    /// A command that holds or does not.
    Check(Command),
    /// Commands that run tests and count them.
    Tests(Vec<Command>),
    /// The release site, which the browser tests look at.
    Site,
}

/// Runs the steps; the exit code is a success only if nothing failed.
pub fn run(project: &Project, options: &TestOptions) -> Result<ExitCode> {
    let steps = steps(project, options)?;
    let mut tally = Tally::default();
    let mut report = Vec::new();
    let mut any_test_ran = options.filters.is_empty();
    if let Err(error) = tools::for_tests(project) {
        println!("error: {error:#}");
        tally.add(Tally::one(false));
        report.push("tools: not all are there".to_owned());
    } else {
        for step in steps {
            println!("\n=== {} ===", step.name);
            let (name, started) = (step.name, Instant::now());
            let has_tests = matches!(step.work, Work::Tests(_));
            let result = step.run(project, !options.filters.is_empty());
            report.push(format!("{name:<12} {result}, {} s", started.elapsed().as_secs()));
            tally.add(result);
            any_test_ran |= has_tests && result != Tally::default();
        }
    }
    if !any_test_ran {
        report.push("no test ran that has one of these names".to_owned());
        tally.add(Tally::one(false));
    }
    println!("\n{}\n\n{tally}", report.join("\n"));
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The pictures that the README shows.
const README: [(&str, &str); 2] = [
    ("decision-1280x800-light.png", "docs/decision.png"),
    ("pinned-memory-1280x800-dark.png", "docs/blocks.png"),
];

/// `cargo xtask shots`: the one browser test that takes pictures of the page.
pub fn screenshots(project: &Project) -> Result<()> {
    tools::for_tests(project)?;
    build::site(project)?;
    let mut cargo = browser_tests(project);
    cargo.args(["--", "shots::"]);
    let mut tally = Tally::default();
    command::follow(cargo, LONG, |line| tally.add(Tally::of_line(line)))?;
    ensure!(tally == Tally::one(true), "no pictures were taken");
    let folder = project.path("target/screenshots");
    for (picture, of_readme) in README {
        std::fs::copy(folder.join(picture), project.path(of_readme))?;
    }
    println!("The pictures are in {}; the README's are renewed", folder.display());
    Ok(())
}

/// The chosen steps, in order.
fn steps(project: &Project, options: &TestOptions) -> Result<Vec<Step>> {
    let mut steps = all_steps(project, options);
    if let Some(name) = options.only.iter().find(|name| !steps.iter().any(|s| s.name == **name)) {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        anyhow::bail!("there is no step '{name}'; there are {}", names.join(", "));
    }
    if !options.only.is_empty() {
        steps.retain(|step| options.only.iter().any(|name| name == step.name));
    } else if !options.filters.is_empty() {
        // Who asks for some tests by name does not want to wait for the linters.
        steps.retain(|step| !matches!(step.work, Work::Check(_)));
    }
    Ok(steps)
}

fn all_steps(project: &Project, options: &TestOptions) -> Vec<Step> {
    let check = |name, limit, arguments: &[&str]| Step {
        name,
        limit,
        work: Work::Check(project.cargo(arguments)),
    };
    let lint_all = ["clippy", "--workspace", "--all-targets", "--all-features"];
    // The core is linted on the way: it is a member that the page depends on.
    let lint_page = ["clippy", "--package", "psync-lab", "--all-targets", "--target", WASM];
    let deny = ["--", "-D", "warnings"];

    let mut native = project.cargo(&["test", "--workspace", "--no-fail-fast", "--"]);
    native.args(&options.filters);
    let mut browser = browser_tests(project);
    browser.arg("--").args(&options.filters);
    let mut tests = [
        ("native", vec![native]),
        ("wasm", wasm_tests(project, &options.filters)),
        ("browser", vec![browser]),
    ];
    for command in tests.iter_mut().flat_map(|(_, commands)| commands) {
        repeat_with(command, options);
    }
    let [native, wasm, browser] =
        tests.map(|(name, commands)| Step { name, limit: LONG, work: Work::Tests(commands) });
    vec![
        check("fmt", SHORT, &["fmt", "--all", "--check"]),
        check("clippy", LONG, &[&lint_all[..], &deny].concat()),
        check("clippy-wasm", LONG, &[&lint_page[..], &deny].concat()),
        native,
        wasm,
        Step { name: "build", limit: LONG, work: Work::Site },
        browser,
    ]
}

const WASM: &str = "wasm32-unknown-unknown";

/// The tests that run as WebAssembly in a browser. Their runner takes one name only.
fn wasm_tests(project: &Project, filters: &[String]) -> Vec<Command> {
    let arguments = ["test", "--package", "psync-lab", "--target", WASM, "--no-fail-fast", "--"];
    let test = || {
        let mut cargo = project.cargo(&arguments);
        // Without it the runner falls back to Node where it finds no configured test.
        cargo.env("WASM_BINDGEN_TEST_ONLY_WEB", "1");
        cargo.env("WASM_BINDGEN_TEST_TIMEOUT", "300");
        cargo
    };
    if filters.is_empty() {
        return vec![test()];
    }
    let of_filter = |filter| {
        let mut cargo = test();
        cargo.arg(filter);
        cargo
    };
    filters.iter().map(of_filter).collect()
}

/// The tests that drive a browser; a feature keeps them out of a plain `cargo test`,
/// because they need the release site.
fn browser_tests(project: &Project) -> Command {
    // For the workspace as in the native step: with other packages, cargo chooses other
    // features for the dependencies and compiles them once more.
    let arguments = ["test", "--workspace", "--features", "psync/browser-tests"];
    project.cargo(&[&arguments[..], &["--test", "browser", "--no-fail-fast"]].concat())
}

/// Tells the random tests how much to run, through the variables that they read.
fn repeat_with(command: &mut Command, options: &TestOptions) {
    if let Some(runs) = options.runs {
        command.env("PSYNC_RUNS", runs.to_string());
    }
    if let Some(requests) = options.requests {
        command.env("PSYNC_REQUESTS", requests.to_string());
    }
    if let Some(seed) = options.seed {
        command.env("PSYNC_SEED", seed.to_string());
    }
}

impl Step {
    fn run(self, project: &Project, filtered: bool) -> Tally {
        let (name, limit) = (self.name, self.limit);
        let done = match self.work {
            Work::Check(check) => command::run(check, limit).map(|()| Tally::one(true)),
            Work::Site => build::site(project).map(|()| Tally::one(true)),
            Work::Tests(commands) => run_tests(commands, limit, filtered),
        };
        done.unwrap_or_else(|error| {
            println!("error: {name}: {error:#}");
            Tally::one(false)
        })
    }
}

/// Runs test programs and counts their tests.
fn run_tests(commands: Vec<Command>, limit: Duration, filtered: bool) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut succeeded = true;
    for command in commands {
        let status = command::follow(command, limit, |line| tally.add(Tally::of_line(line)));
        match status {
            Ok(status) => succeeded &= status.success(),
            Err(error) => {
                println!("error: {error:#}");
                succeeded = false;
            }
        }
    }
    // What did not compile, crashed or took too long left no line to count.
    if !succeeded && tally.failed == 0 {
        tally.failed = 1;
    }
    ensure!(filtered || tally != Tally::default(), "no test ran");
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &TestOptions) -> Result<Vec<&'static str>> {
        let steps = steps(&Project::here(), options)?;
        Ok(steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn the_chosen_steps() -> Result<()> {
        let all = ["fmt", "clippy", "clippy-wasm", "native", "wasm", "build", "browser"];
        assert_eq!(names(&TestOptions::default())?, all);
        let filters = vec!["ring".to_owned()];
        assert_eq!(names(&TestOptions { filters, ..Default::default() })?, all[3..]);
        let only = vec!["browser".to_owned(), "fmt".to_owned()];
        assert_eq!(names(&TestOptions { only, ..Default::default() })?, ["fmt", "browser"]);
        let only = vec!["lunch".to_owned()];
        let error = names(&TestOptions { only, ..Default::default() }).expect_err("no such step");
        assert!(error.to_string().contains("'lunch'"), "{error}");
        Ok(())
    }

    #[test]
    fn a_test_program_that_crashes_or_stays_silent_has_failed() -> Result<()> {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            vec![command]
        };
        let counted = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'";
        let run = |script: &str| run_tests(shell(script), SHORT, false);
        assert_eq!(run(counted)?, Tally { passed: 2, failed: 0 });
        assert_eq!(run(&format!("{counted}; exit 101"))?, Tally { passed: 2, failed: 1 });
        assert!(run("true").is_err());
        Ok(())
    }
}
