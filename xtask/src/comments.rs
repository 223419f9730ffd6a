//! Takes comments and indentation out of scripts and style sheets before they are published.
//!
//! Goes by lines, not by the grammar: a comment is left out when it has its lines for itself, and
//! the order of everything else stays, line by line, so that no code can change its meaning.
//! Absent on purpose: minifying; names and spaces within lines compress well as they are.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Rewrites every script and style sheet in `folder` and in the folders below.
pub fn strip(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context("cannot read the site")? {
        let path = entry?.path();
        let kind = path.extension().and_then(OsStr::to_str);
        if path.is_dir() {
            strip(&path)?;
        } else if matches!(kind, Some("js" | "css")) {
            let text = fs::read_to_string(&path)?;
            fs::write(&path, stripped(&text))
                .with_context(|| format!("cannot rewrite {}", path.display()))?;
        }
    }
    Ok(())
}

/// `text` without comments, indentation and empty lines; unchanged where a text spans lines.
fn stripped(text: &str) -> String {
    if text.lines().any(is_open) {
        return text.to_string();
    }
    let mut kept = String::with_capacity(text.len());
    let mut within = false;
    for line in text.lines().map(str::trim) {
        let opens = !within && line.starts_with("/*");
        let comment = within || opens;
        // What follows a comment in its line is code.
        let code = match line.split_once("*/") {
            Some((_, rest)) if comment => rest.trim_start(),
            _ if comment => "",
            _ => line,
        };
        within = comment && !line.contains("*/");
        if !code.is_empty() && !code.starts_with("//") {
            kept.push_str(code);
            kept.push('\n');
        }
    }
    kept
}

/// Whether a template begins or ends in this line, whose spaces would count.
fn is_open(line: &str) -> bool {
    let code = line.trim_start();
    let comment = ["//", "/*", "*"].iter().any(|start| code.starts_with(start));
    !comment && line.matches('`').count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_code_stays_in_its_lines() {
        let script =
            "/**\n * Says.\n */\nexport class A {\n  // why\n  a = \"http://b/*\"; // c\n\n}\n";
        assert_eq!(stripped(script), "export class A {\na = \"http://b/*\"; // c\n}\n");
        let sheet = "/* The\n   ring. */\n.a { b: c; } /* d */\n/* e */ .f { g: h; }\n";
        assert_eq!(stripped(sheet), ".a { b: c; } /* d */\n.f { g: h; }\n");
    }

    #[test]
    fn a_text_of_several_lines_keeps_its_spaces() {
        let script = "const a = `b\n  c`;\n";
        assert_eq!(stripped(script), script);
    }
}
