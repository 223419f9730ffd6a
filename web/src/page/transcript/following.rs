//! Keeps the row at the cursor in sight, inside its panel: the page itself is never scrolled.
//!
//! While time runs the newest row stays at the lower edge. A reader who scrolls away from it is left
//! alone, and what they read stays listed, until the row at the cursor is in sight again or the
//! cursor is set elsewhere.

use std::cell::{Cell, RefCell};

use web_sys::{DomRect, Element};
use yew::NodeRef;

/// What is known of the list between two drawings.
#[derive(Debug, Default)]
pub struct Following {
    /// The list.
    pub list: NodeRef,
    /// The moment looked at last, and the row at it by its key; none while there was no list.
    known: RefCell<Option<(u64, Option<String>)>>,
    /// How high the panel was.
    height: Cell<f64>,
    held: Cell<Option<u64>>,
}

impl Following {
    /// The first row, by its key, while a reader has scrolled away.
    #[must_use]
    pub fn held(&self) -> Option<u64> {
        self.held.get()
    }

    /// Looks where the row at the cursor is, after the page was drawn.
    pub fn look(&self, now_us: u64, playing: bool) {
        let panel = self.list.cast::<Element>().and_then(|list| list.closest(".panel").ok()?);
        let Some(panel) = panel else {
            self.known.take();
            self.held.set(None);
            return;
        };
        let find = |selector: &str| panel.query_selector(selector).ok().flatten();
        let current = find("[aria-current]");
        let key = current.as_ref().and_then(|row| row.get_attribute("data-seq"));
        let known = self.known.replace(Some((now_us, key.clone())));
        if known.as_ref().is_some_and(|(at, old)| *old == key && (key.is_some() || *at == now_us)) {
            return;
        }
        let view = panel.get_bounding_client_rect();
        let seen = |row: &Element| {
            let row = row.get_bounding_client_rect();
            row.bottom() > view.top() && row.top() < view.bottom() + row.height()
        };
        let old =
            known.and_then(|(_, key)| key).and_then(|key| find(&format!("[data-seq='{key}']")));
        // A panel that became smaller hides rows too.
        let same = self.height.replace(view.height()) == view.height();
        let old = old.filter(|_| same);
        let left = old.map_or(self.held.get().is_some(), |old| !seen(&old));
        if playing && left && !current.as_ref().is_some_and(seen) {
            if self.held.get().is_none() {
                let first = find("[data-seq]").and_then(|row| row.get_attribute("data-seq"));
                self.held.set(first.and_then(|seq| seq.parse().ok()));
            }
            return;
        }
        self.held.set(None);
        if let Some(row) = current {
            reveal(&panel, &view, &row.get_bounding_client_rect(), playing);
        }
    }
}

/// To the lower edge while time runs; otherwise into the middle, unless it is in sight.
fn reveal(panel: &Element, view: &DomRect, row: &DomRect, playing: bool) {
    let below = row.bottom() - view.bottom();
    let by = if playing {
        below
    } else if below > 0.0 || row.top() < view.top() + row.height() {
        below + (view.height() - row.height()) / 2.0
    } else {
        return;
    };
    panel.set_scroll_top(panel.scroll_top() + by.round() as i32);
}
