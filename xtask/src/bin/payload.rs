//! Measures a site as browsers download it: raw and compressed bytes of each file.
//!
//! A program of its own, because its compressor takes longer to compile than all of
//! `xtask` and is needed only for release builds.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the whole site may weigh, compressed: the page, what it loads, and the table of conformance.
const LIMIT_BYTES: u64 = 350_000;

/// The strongest setting, with which static hosts compress once and serve for ever.
const QUALITY: u32 = 11;
const WINDOW_LOG2: u32 = 22;

struct Weight {
    path: PathBuf,
    raw_bytes: u64,
    compressed_bytes: u64,
}

fn main() -> ExitCode {
    let Some(site) = std::env::args_os().nth(1) else {
        eprintln!("usage: payload FOLDER");
        return ExitCode::FAILURE;
    };
    match weigh(Path::new(&site)) {
        Ok(weights) => verdict(&weights),
        Err(error) => {
            eprintln!("error: cannot measure {}: {error}", site.display());
            ExitCode::FAILURE
        }
    }
}

fn weigh(site: &Path) -> io::Result<Vec<Weight>> {
    let mut weights = Vec::new();
    for path in files(site)? {
        let raw = fs::read(&path)?;
        let mut compressed = Vec::new();
        brotli::CompressorReader::new(&*raw, 4096, QUALITY, WINDOW_LOG2)
            .read_to_end(&mut compressed)?;
        weights.push(Weight {
            path: path.strip_prefix(site).unwrap_or(&path).to_path_buf(),
            raw_bytes: raw.len() as u64,
            compressed_bytes: compressed.len() as u64,
        });
    }
    weights.sort_by_key(|weight| std::cmp::Reverse(weight.compressed_bytes));
    Ok(weights)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

fn verdict(weights: &[Weight]) -> ExitCode {
    println!("\n{:>10} {:>10}  file", "raw", "brotli");
    for weight in weights {
        let Weight { path, raw_bytes, compressed_bytes } = weight;
        println!("{raw_bytes:>10} {compressed_bytes:>10}  {}", path.display());
    }
    let raw: u64 = weights.iter().map(|weight| weight.raw_bytes).sum();
    let total: u64 = weights.iter().map(|weight| weight.compressed_bytes).sum();
    println!("{raw:>10} {total:>10}  in all, of {LIMIT_BYTES} allowed\n");
    // An empty folder weighs nothing and would pass.
    if weights.is_empty() || total > LIMIT_BYTES {
        eprintln!(
            "error: the site weighs {total} bytes compressed; at most {LIMIT_BYTES} are allowed"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
