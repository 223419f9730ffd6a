//! The colours and fonts that the canvas paints with, read once from the style sheet.
//!
//! The canvas knows no custom properties, so they are resolved at mount and at each change of the
//! theme, never in a frame. A missing property leaves a usable grey. Absent on purpose: colours
//! written here; the palette is in the style sheet.

use web_sys::{CssStyleDeclaration, Element};

use crate::stage::standing::Standing;

/// Resolved colours, as CSS text.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// Ground.
    pub paper: String,
    /// Cards.
    pub panel: String,
    /// Hair lines and ticks.
    pub line: String,
    /// The bus, pipes.
    pub line_strong: String,
    /// Text and the write head.
    pub ink: String,
    /// Secondary text.
    pub ink2: String,
    /// Decorative text.
    pub ink3: String,
    /// The empty part of the dial.
    pub track: String,
    /// The oldest byte held.
    pub held_old: String,
    /// The newest byte held.
    pub held_new: String,
    /// In sync.
    pub sync: String,
    /// Partial resync.
    pub partial: String,
    /// Full resync.
    pub full: String,
    /// Overtaken.
    pub lost: String,
    /// Cut but covered.
    pub fuse: String,
    /// The same, dark enough for text.
    pub fuse_text: String,
    /// Around what a lesson speaks of.
    pub mark: String,
    /// Small numbers on the canvas.
    pub mono: String,
    /// Numbers at the ends of lines.
    pub small: String,
    /// Small words on the canvas.
    pub sans: String,
    /// Small bold words and replica numbers.
    pub bold: String,
    /// Bold numbers.
    pub mono_bold: String,
    /// The tiniest: words in capsules.
    pub capsule: String,
    /// No tweens, no pulses.
    pub still: bool,
}

impl Palette {
    /// Reads the properties as they apply to `element`.
    #[must_use]
    pub fn read(element: &Element) -> Palette {
        let window = web_sys::window();
        let style = window.as_ref().and_then(|w| w.get_computed_style(element).ok().flatten());
        let media = |query: &str| {
            window.as_ref().and_then(|w| w.match_media(query).ok().flatten()).map(|m| m.matches())
        };
        let get = |name: &str, fallback: &str| property(style.as_ref(), name, fallback);
        let sans = get("--sans", "system-ui, sans-serif");
        let mono = get("--mono", "ui-monospace, monospace");
        Palette {
            paper: get("--paper", "#888"),
            panel: get("--panel", "#888"),
            line: get("--line", "#888"),
            line_strong: get("--line-strong", "#888"),
            ink: get("--ink", "#888"),
            ink2: get("--ink-2", "#888"),
            ink3: get("--ink-3", "#888"),
            track: get("--track", "#888"),
            held_old: get("--held-old", "#888"),
            held_new: get("--held-new", "#888"),
            sync: get("--sync", "#888"),
            partial: get("--partial", "#888"),
            full: get("--full", "#888"),
            lost: get("--lost", "#888"),
            fuse: get("--fuse", "#888"),
            fuse_text: get("--fuse-text", "#888"),
            mark: get("--mark", "#888"),
            mono: format!("12px {mono}"),
            small: format!("11px {mono}"),
            mono_bold: format!("600 12px {mono}"),
            sans: format!("12px {sans}"),
            bold: format!("600 13px {sans}"),
            capsule: format!("700 11px {sans}"),
            still: media("(prefers-reduced-motion: reduce)").unwrap_or(false),
        }
    }

    /// The colour of a standing for text.
    #[must_use]
    pub fn text_of(&self, standing: Standing) -> &str {
        if standing == Standing::Covered { &self.fuse_text } else { self.of(standing) }
    }

    /// The colour of a standing.
    #[must_use]
    pub fn of(&self, standing: Standing) -> &str {
        match standing {
            Standing::InSync | Standing::CatchingUp => &self.sync,
            Standing::Transfer => &self.full,
            Standing::Apart | Standing::Adrift => &self.ink2,
            Standing::Covered => &self.fuse,
            Standing::Overtaken => &self.lost,
        }
    }
}

fn property(style: Option<&CssStyleDeclaration>, name: &str, fallback: &str) -> String {
    let value = style.and_then(|s| s.get_property_value(name).ok()).unwrap_or_default();
    let value = value.trim();
    if value.is_empty() { fallback.to_owned() } else { value.to_owned() }
}
