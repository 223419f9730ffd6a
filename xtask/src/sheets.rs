//! Puts the style sheets of the published site into one.
//!
//! In the source each concern has a sheet of its own, and `psync-lab.css` imports them. A browser
//! would ask for them one after the other, and together they compress to three quarters.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Replaces each `@import "NAME";` of `folder/psync-lab.css` by that file, which goes.
pub fn join(folder: &Path) -> Result<()> {
    let sheet = folder.join("psync-lab.css");
    let text = fs::read_to_string(&sheet).context("cannot read psync-lab.css")?;
    let mut joined = String::new();
    for line in text.lines() {
        match imported(line) {
            Some(name) => {
                let path = folder.join(name);
                let part = fs::read_to_string(&path)
                    .with_context(|| format!("psync-lab.css imports {name}"))?;
                joined.push_str(&part);
                fs::remove_file(path)?;
            }
            None => joined.push_str(line),
        }
        joined.push('\n');
    }
    fs::write(sheet, joined).context("cannot write psync-lab.css")
}

fn imported(line: &str) -> Option<&str> {
    line.trim().strip_prefix("@import \"")?.strip_suffix("\";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_become_what_they_name_in_their_order() -> Result<()> {
        let folder = std::env::temp_dir().join(format!("psync-sheets-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(
            folder.join("psync-lab.css"),
            "/* all */\n@import \"b.css\";\n@import \"a.css\";\n",
        )?;
        fs::write(folder.join("a.css"), ".a {}\n")?;
        fs::write(folder.join("b.css"), ".b {}\n")?;
        join(&folder)?;
        assert_eq!(
            fs::read_to_string(folder.join("psync-lab.css"))?,
            "/* all */\n.b {}\n\n.a {}\n\n"
        );
        assert!(!folder.join("a.css").exists());
        Ok(fs::remove_dir_all(folder)?)
    }
}
