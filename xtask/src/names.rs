//! Gives the glue of a module the names that `wasm-opt --minify-imports-and-exports-and-modules` gave
//! the module.

use anyhow::{Context as _, Result, ensure};

/// Rewrites `glue`, which wasm-bindgen wrote, by the list that wasm-opt printed.
///
/// In the list every line between brackets holds quoted words: the module, the old and the new name
/// of an import; the old and the new name of an export.
///
/// # Errors
///
/// When a name is not where wasm-bindgen puts it: the glue would not fit its module any more.
pub fn rename(glue: &str, list: &str) -> Result<String> {
    let mut glue = glue.to_owned();
    for line in list.lines() {
        let words: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        match (line.trim_start().starts_with('['), &*words) {
            (true, [_, old, new]) => {
                replace(
                    &mut glue,
                    &format!("\n        {old}: function("),
                    &format!("\n{new}: function("),
                )?;
            }
            (true, [old, new]) => export(&mut glue, old, new),
            _ => {}
        }
    }
    // wasm-opt calls the only module "a".
    replace(&mut glue, "\"./psync-lab_bg.js\": import0", "a: import0")?;
    Ok(glue)
}

fn replace(glue: &mut String, old: &str, new: &str) -> Result<()> {
    let found = glue.matches(old).count();
    ensure!(found == 1, "the glue has {found} times {:?}, not once", old.trim());
    let place = glue.find(old).context("it was there")?;
    glue.replace_range(place..place + old.len(), new);
    Ok(())
}

/// Exports are called from many places, or from none.
fn export(glue: &mut String, old: &str, new: &str) {
    let call = format!("wasm.{old}");
    let mut renamed = String::with_capacity(glue.len());
    let mut rest = glue.as_str();
    while let Some(place) = rest.find(&call) {
        let (before, after) = rest.split_at(place);
        let after = &after[call.len()..];
        let ends = !after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
        renamed.push_str(before);
        renamed.push_str(if ends { "wasm." } else { &call });
        if ends {
            renamed.push_str(new);
        }
        rest = after;
    }
    renamed.push_str(rest);
    *glue = renamed;
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = r#"
function get_imports() {
    const import0 = {
        __wbg_log_0123456789abcdef: function(a) { wasm.lab_act(a); wasm.lab_act2(a); },
    };
    return { "./psync-lab_bg.js": import0 };
}"#;

    #[test]
    fn imports_and_exports_get_their_new_names() -> Result<()> {
        let list = r#"{
 "imports": [
  ["./psync-lab_bg.js", "__wbg_log_0123456789abcdef", "$"]
 ],
 "exports": [
  ["lab_act", "b"],
  ["memory", "c"]
 ]
}"#;
        let renamed = rename(GLUE, list)?;
        assert!(renamed.contains("\n$: function(a) { wasm.b(a); wasm.lab_act2(a); }"), "{renamed}");
        assert!(renamed.contains("{ a: import0 }"));
        Ok(())
    }

    #[test]
    fn a_glue_that_does_not_fit_is_an_error() {
        let list = "  [\"./psync-lab_bg.js\", \"__wbg_other\", \"$\"]";
        let error = rename(GLUE, list).map(drop).map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("0 times \"__wbg_other: function(\"")));
    }
}
