//! The judgement of axe-core, which `cargo xtask test` fetches into `.tools/npm`.

use std::path::Path;
use std::{fmt, fs};

use serde::Deserialize;

use crate::browser::Outcome;
use crate::page::Page;

/// One rule that a document breaks.
#[derive(Clone, Deserialize)]
pub struct Violation {
    /// The rule, described at <https://dequeuniversity.com/rules/axe/>.
    id: String,
    help: String,
    /// The elements, each with its markup and what is wrong with it.
    elements: Vec<String>,
}

/// As a failed assertion shows it.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, help, elements, .. } = self;
        write!(f, "{id}: {help}: {elements:#?}")
    }
}

impl Page {
    /// Every rule of axe-core that the document breaks as it is now.
    pub async fn violations(&self) -> Outcome<Vec<Violation>> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".tools/npm/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&file).map_err(|error| {
            format!("{}: {error}; `cargo xtask test` fetches it", file.display())
        })?;
        self.run(&format!("if (!window.axe) {{ {axe} }}"), vec![]).await?;
        // Half faded in is not what people read.
        self.wait_until(
            "[...document.querySelectorAll('psync-lab')].every((lab) =>
                (lab.shadowRoot?.getAnimations?.() ?? []).every((a) => a.playState !== 'running'))",
        )
        .await?;
        let script = "const done = arguments[0];
             axe.run(document, { resultTypes: ['violations'] }).then(
                 ({ violations }) => done({ ok: violations.map(({ id, help, nodes }) => ({
                     id, help,
                     elements: nodes.map((n) => `${n.html} ${n.failureSummary}`),
                 })) }),
                 (error) => done({ error: String(error) }));";
        let answer = self.driver().execute_async(script, vec![]).await?;
        match answer.json()["error"].as_str() {
            Some(error) => Err(error.into()),
            None => Ok(serde_json::from_value(answer.json()["ok"].clone())?),
        }
    }
}
