//! The palettes by computation: contrast, and colours that stay apart for the colour-blind.
//!
//! Tokens, rules and the names that the canvas reads are parsed out of the code itself. Every pair
//! of a colour and a ground is judged by WCAG's ratio; the state colours are looked at through the
//! three kinds of dichromacy (Machado, Oliveira and Fernandes 2009, severity 1.0). Colour is never
//! the only cue: glyph, dash and word say the same, which is why two of them may come close.

use std::collections::BTreeMap;

const LAB: &str = concat!(
    include_str!("../static/lab.css"),
    include_str!("../static/times.css"),
    include_str!("../static/panels.css"),
    include_str!("../static/lesson.css"),
    include_str!("../static/compare.css"),
    include_str!("../static/fits.css"),
);
const STAGE: &str = include_str!("../static/stage.css");
const PALETTE: &str = include_str!("../web/src/stage/painting/palette.rs");

/// Small text.
const TEXT: f64 = 4.5;
/// Large text, marks and the borders of controls.
const LARGE: f64 = 3.0;

type Colour = [f64; 3];
type Theme = BTreeMap<String, Colour>;

/// Each theme: where it stands, each place that must say the same, and how hard it tries.
const THEMES: [(&str, &[&str], f64); 4] = [
    ("light", &["\n.lab {\n  color-scheme"], TEXT),
    (
        "dark",
        &[
            ".lab[data-theme=\"dark\"] {",
            "(prefers-color-scheme: dark) {\n  .lab[data-theme=\"auto\"] {",
        ],
        TEXT,
    ),
    (
        "contrast",
        &[
            "\n.lab[data-theme=\"contrast\"] {",
            "@media (prefers-contrast: more) {\n  .lab[data-theme=\"auto\"] {",
        ],
        7.0,
    ),
    (
        "contrast, dark",
        &[
            "(prefers-color-scheme: dark) {\n  .lab[data-theme=\"contrast\"] {",
            "(prefers-contrast: more) and (prefers-color-scheme: dark) {\n  .lab[data-theme=\"auto\"] {",
        ],
        7.0,
    ),
];

/// Colours of words on tints, where no rule says both.
const ON_TINTS: [(&str, &str); 8] = [
    ("ink", "partial-tint"),
    ("ink-2", "partial-tint"),
    ("ink", "full-tint"),
    ("ink-2", "full-tint"),
    ("ink", "lost-tint"),
    ("lost", "lost-tint"),
    ("ink-2", "track"),
    ("ink", "track"),
];

/// What is painted as a mark: grounds are those of the drawing.
const MARKS: [&str; 6] = ["sync", "partial", "full", "lost", "fuse", "ink-3"];

/// States that may come close for somebody, and what else tells them apart.
const SECOND_CUES: [(&str, &str, &str); 7] = [
    ("full", "fuse", "a stacked page and a filling pipe; a burning clock and dashes"),
    ("lost", "full", "a cross and a hollow marker; a stacked page and a filling pipe"),
    ("lost", "fuse", "a cross and a hollow marker; a burning clock and dashes"),
    ("sync", "partial", "a disc and flowing dots; a double chevron"),
    ("partial", "lost", "a double chevron; a cross and a hollow marker"),
    ("partial", "full", "a double chevron; a stacked page and a filling pipe"),
    ("partial", "fuse", "a double chevron; a burning clock and dashes"),
];

fn value(text: &str) -> Option<Colour> {
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6)?;
    let part = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    Some([part(0)?, part(2)?, part(4)?].map(|part| f64::from(part) / 255.0))
}

fn declarations(block: &str) -> BTreeMap<&str, &str> {
    block
        .split(';')
        .filter_map(|one| one.split_once(':'))
        .map(|(n, v)| (n.trim(), v.trim()))
        .collect()
}

/// The tokens of the block that begins so.
fn tokens(begins: &str) -> Theme {
    let (_, rest) = LAB.split_once(begins).expect("the block of a theme");
    let block = rest.split('}').next().expect("a block");
    let colour =
        |(name, text): (&str, &str)| Some((name.strip_prefix("--")?.to_owned(), value(text)?));
    let mut theme: Theme = declarations(block).into_iter().filter_map(colour).collect();
    let (_, mix) = STAGE.split_once("--fuse-text: color-mix(in srgb, var(--fuse) ").expect("a mix");
    let share: f64 = mix.split('%').next().expect("a share").parse().expect("a number");
    let (fuse, ink) = (theme["fuse"], theme["ink"]);
    let mixed = [0, 1, 2].map(|n| fuse[n] * share / 100.0 + ink[n] * (1.0 - share / 100.0));
    theme.insert("fuse-text".to_owned(), mixed);
    theme
}

/// sRGB to linear light. Here nothing has to be the same everywhere: thresholds have room.
#[expect(clippy::disallowed_methods, reason = "a judgement, nothing that the core decides by")]
fn linear(colour: Colour) -> Colour {
    colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) })
}

fn times(matrix: &[[f64; 3]; 3], v: Colour) -> Colour {
    matrix.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

fn contrast(a: Colour, b: Colour) -> f64 {
    let light = |colour| {
        let [r, g, b] = linear(colour);
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (a, b) = (light(a), light(b));
    a.max(b) / a.min(b)
}

const SEEN_BY: [(&str, [[f64; 3]; 3]); 4] = [
    ("most people", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopes",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopes",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopes",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// How far apart two colours look, in Oklab; 0.02 is just noticed.
fn apart(seen: &[[f64; 3]; 3], a: Colour, b: Colour) -> f64 {
    let oklab = |colour| {
        let clipped = times(seen, linear(colour)).map(|c| c.clamp(0.0, 1.0));
        let lms = times(
            &[
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ],
            clipped,
        );
        times(
            &[
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ],
            lms.map(f64::cbrt),
        )
    };
    let (a, b) = (oklab(a), oklab(b));
    (0..3).map(|n| (a[n] - b[n]) * (a[n] - b[n])).sum::<f64>().sqrt()
}

fn token(text: &str) -> Option<&str> {
    let inside = text.trim_end_matches("!important").trim().strip_prefix("var(--")?;
    inside.split([',', ')']).next()
}

/// (rule, colour, grounds) of every rule that says a colour by its token.
fn pairs_of_rules() -> Vec<(String, String, Vec<String>)> {
    let mut pairs = Vec::new();
    for rule in LAB.split('}').chain(STAGE.split('}')) {
        let Some((head, body)) = rule.rsplit_once('{') else { continue };
        let selector = head.rsplit(['{', '\n']).next().unwrap_or_default().trim();
        let said = declarations(body);
        let Some(colour) = said.get("color").and_then(|text| token(text)) else { continue };
        // Custom properties stand for one of the state colours, which are judged as text below.
        if matches!(colour, "state" | "state-text") || selector.contains(":disabled") {
            continue;
        }
        let ground = said.get("background").and_then(|text| token(text));
        let grounds =
            ground.map_or_else(|| vec!["paper".into(), "panel".into()], |one| vec![one.to_owned()]);
        // The inverted buttons have their ground in another rule.
        let grounds =
            if colour == "panel" || colour == "paper" { vec!["ink".into()] } else { grounds };
        pairs.push((selector.to_owned(), colour.to_owned(), grounds));
    }
    pairs
}

#[test]
fn every_text_can_be_read_on_its_ground_in_every_theme() {
    let rules = pairs_of_rules();
    assert!(rules.len() > 60, "the rules were not found");
    let mut wrong = Vec::new();
    for (name, blocks, wanted) in THEMES {
        let theme = tokens(blocks[0]);
        let mut judge = |why: &str, colour: &str, ground: &str, least: f64| {
            let ratio = contrast(theme[colour], theme[ground]);
            if ratio < least {
                wrong.push(format!("{name}: {why}: {colour} on {ground}: {ratio:.2}, not {least}"));
            }
        };
        for (rule, colour, grounds) in &rules {
            for ground in grounds {
                judge(rule, colour, ground, if ground.ends_with("tint") { TEXT } else { wanted });
            }
        }
        for ground in ["paper", "panel"] {
            for colour in ["sync", "partial", "full", "lost", "fuse-text"] {
                judge("a state in words", colour, ground, TEXT);
                // Capsules and flags: the ground's colour on the state's.
                if colour != "fuse-text" {
                    judge("a capsule", ground, colour, TEXT);
                }
            }
            for colour in MARKS {
                judge("a mark", colour, ground, LARGE);
            }
            judge("the focus", "focus", ground, LARGE);
            judge("what a lesson speaks of", "mark", ground, TEXT);
        }
        for (colour, ground) in ON_TINTS {
            judge("on a tint", colour, ground, TEXT);
        }
        if wanted > TEXT {
            judge("a border", "line", "panel", LARGE);
            judge("a border of a control", "line-strong", "panel", wanted);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn states_are_told_apart_by_every_eye_or_by_a_second_cue() {
    let states = ["sync", "partial", "full", "lost", "fuse"];
    let mut wrong = Vec::new();
    for (name, blocks, _) in THEMES {
        let theme = tokens(blocks[0]);
        for (who, seen) in &SEEN_BY {
            for (n, one) in states.iter().enumerate() {
                for other in &states[n + 1..] {
                    let cue = SECOND_CUES
                        .iter()
                        .any(|(a, b, _)| (a, b) == (one, other) || (b, a) == (one, other));
                    let far = apart(seen, theme[*one], theme[*other]);
                    if far < 0.1 && !cue {
                        wrong.push(format!("{name}: {one} and {other} for {who}: {far:.3}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_theme_is_the_same_wherever_it_is_written_and_has_all_that_the_canvas_reads() {
    for (name, blocks, _) in THEMES {
        let theme = tokens(blocks[0]);
        for again in &blocks[1..] {
            assert_eq!(tokens(again), theme, "{name}: {again}");
        }
        for read in PALETTE.split("get(\"--").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(theme.contains_key(read) || ["sans", "mono"].contains(&read), "{name}: {read}");
        }
    }
}
