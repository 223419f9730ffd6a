//! Runs a program to its end: shown, bounded in time, its failure an error.
//!
//! A program that takes longer than it may is ended together with everything that
//! it started, because a test runner leaves drivers and browsers behind otherwise.
//! Programs stay in the terminal's process group, so Ctrl-C reaches all of them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

const POLL: Duration = Duration::from_millis(20);

/// How long to wait for the rest of the output after a program has ended: what it
/// started and left running may hold the pipe open for ever.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    command.get_args().fold(name, |line, argument| {
        let argument = argument.to_string_lossy();
        if argument.contains(char::is_whitespace) {
            format!("{line} '{argument}'")
        } else {
            format!("{line} {argument}")
        }
    })
}

/// Runs a program whose output goes to the terminal; fails when it fails.
pub fn run(mut command: Command, limit: Duration) -> Result<()> {
    let line = shown(&command);
    println!("$ {line}");
    command.stdin(Stdio::null());
    let mut child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let status = wait(&mut child, Instant::now() + limit)
        .with_context(|| format!("`{line}` was ended after {} s", limit.as_secs()))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

/// Runs a program, passes its output on and hands each line to `on_line`.
///
/// Only a program that cannot be started or is too slow is an error; how it ended is the answer.
pub fn follow(
    mut command: Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> Result<ExitStatus> {
    let line = shown(&command);
    println!("$ {line}");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
    let output = child.stdout.take().context("the program's output was piped")?;
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        // Bytes, not text: a test may print what is not UTF-8.
        for bytes in BufReader::new(output).split(b'\n').map_while(|line| line.ok()) {
            if sender.send(bytes).is_err() {
                break;
            }
        }
    });

    let mut deadline = Instant::now() + limit;
    let mut ended = None;
    loop {
        match lines.recv_timeout(POLL) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                println!("{text}");
                on_line(&text);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() {
            ended = child.try_wait()?;
            if ended.is_some() {
                deadline = Instant::now() + LAST_LINES;
            }
        }
        if Instant::now() >= deadline {
            break;
        }
    }
    std::io::stdout().flush()?;
    match ended {
        Some(status) => Ok(status),
        None => wait(&mut child, deadline)
            .with_context(|| format!("`{line}` was ended after {} s", limit.as_secs())),
    }
}

/// What a program prints, or nothing if it is missing or fails.
pub fn answer(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn wait(child: &mut Child, deadline: Instant) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            end(child);
            bail!("too slow");
        }
        thread::sleep(POLL);
    }
}

/// Ends a program and what it started.
fn end(child: &mut Child) {
    // The descendants are listed before their parent dies: orphans forget whose they were.
    let pids: Vec<String> = descendants(child.id()).iter().map(u32::to_string).collect();
    let _ = child.kill();
    let _ = child.wait();
    if !pids.is_empty() {
        // The shell's own `kill`; the program of that name is not on every machine.
        let _ = Command::new("sh").args(["-c", "kill -KILL \"$@\"", "kill"]).args(pids).status();
    }
}

/// All processes below `ancestor`, where the system has a /proc to ask.
fn descendants(ancestor: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found.split_off(1)
}

/// The parent in a line of /proc/PID/stat: `pid (name) state parent ...`, where
/// the name may itself contain blanks and parentheses.
fn parent_in(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn lines_are_handed_on_and_the_status_is_the_answer() -> Result<()> {
        let mut lines = Vec::new();
        let limit = Duration::from_secs(60);
        let status =
            follow(shell("echo one; printf two; exit 3"), limit, |line| lines.push(line.into()))?;
        assert_eq!((status.code(), lines), (Some(3), vec!["one".to_owned(), "two".to_owned()]));
        Ok(())
    }

    #[test]
    fn a_slow_program_is_ended_with_what_it_started() {
        let started = Instant::now();
        let slow = shell("sleep 600 & sleep 600");
        let error = follow(slow, Duration::from_millis(200), |_| {}).expect_err("too slow");
        assert!(error.to_string().contains("was ended after"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = run(shell("exit 1"), Duration::from_secs(60)).expect_err("fails");
        assert!(error.to_string().contains("sh -c 'exit 1'"), "{error}");
    }

    #[test]
    fn the_parent_is_read_past_any_name() {
        assert_eq!(parent_in("12 (a) b) c) S 34 12 12 0"), Some(34));
        assert_eq!(parent_in("nonsense"), None);
    }
}
