//! The chart on its canvas: four panels on the clock of the lanes.
//!
//! A replica's line is told by its number at the line's end; its colour says how it stands: in
//! sync, away (dashed), too late. Absent on purpose: the numbers themselves, which are
//! [`panels`](super::panels)' business, and the titles, which are HTML.

use super::painting::Kept;
use super::panels::{self, MOST_LINES, Panel, apart, limit, value};
use super::stretch::NAMES;
use crate::format::{bytes, conf_size};
use crate::session::Session;
use crate::stage::painting::pen::{Align, Dash, Pen};
use crate::world::{Keeping, ReplicaSample, Sample, Snapshot};

/// How high a label is.
const LABEL: f64 = 11.0;
/// How wide one of its digits is.
const DIGIT: f64 = 6.7;

/// What a panel is drawn with.
struct Drawing<'a> {
    pen: &'a Pen,
    kept: &'a Kept,
    samples: Vec<&'a Sample>,
    chosen: Option<usize>,
    /// The way in which this engine keeps, among the three.
    keeping: usize,
    panel: Panel,
    /// The number at the upper edge.
    most: u64,
    top: f64,
    bottom: f64,
}

/// How a replica stands, as its line shows it.
#[derive(Clone, Copy, PartialEq)]
enum Stands {
    Attached,
    Away,
    TooLate,
}

/// Everything but the labels; the numbers at the upper edges of the panels.
pub(super) fn paint(pen: &Pen, kept: &Kept, session: &Session, snapshot: &Snapshot) -> [u64; 4] {
    let here = Sample::of(snapshot);
    let all = session.run().samples(kept.view.from_us, kept.view.to_us());
    let after = all.partition_point(|sample| sample.at_us < here.at_us);
    let mut samples: Vec<&Sample> = all.iter().collect();
    samples.insert(after, &here);
    samples.dedup_by_key(|sample| sample.at_us);
    let keeping = match session.setup().engine().keeping {
        Keeping::Ring => 0,
        Keeping::Blocks(_) => 1,
        Keeping::Retained => 2,
    };
    let mut tops = [0; 4];
    pen.ctx.save();
    pen.ctx.begin_path();
    pen.ctx.rect(NAMES, 0.0, kept.lanes.width - NAMES, kept.lanes.height);
    pen.ctx.clip();
    for (index, panel) in Panel::ALL.into_iter().enumerate() {
        let (top, bottom) = kept.lanes.panel(index);
        let most = panel.top(&samples);
        tops[index] = most;
        let (samples, chosen) = (samples.clone(), session.state().selection);
        Drawing { pen, kept, samples, chosen, keeping, panel, most, top, bottom }.paint();
    }
    pen.ctx.restore();
    pen.dash(Dash::None);
    tops
}

/// The values at the playhead, at the ends of the lines there.
pub(super) fn labels(pen: &Pen, kept: &Kept, chosen: Option<usize>, snapshot: &Snapshot) {
    let here = Sample::of(snapshot);
    let p = &kept.palette;
    let x = kept.x(here.at_us);
    if x < NAMES || x > kept.lanes.width {
        return;
    }
    for (index, panel) in Panel::ALL.into_iter().enumerate() {
        let (top, bottom) = kept.lanes.panel(index);
        let most = kept.tops[index].max(1);
        let labels = panels::labels(panel, &here, chosen);
        let wanted: Vec<f64> = labels.iter().map(|l| y(l.value, most, top, bottom)).collect();
        let places = apart(&wanted, top + 2.0, bottom - 4.0, LABEL);
        let widest = labels.iter().map(|label| label.of.chars().count()).max().unwrap_or(0);
        // The values stand under each other: nine places, right-aligned.
        let width = (widest + 10) as f64 * DIGIT + 8.0;
        let fits = x + 8.0 + width < kept.lanes.width;
        let left = if fits { x + 6.0 } else { x - 6.0 - width };
        for (label, y) in labels.iter().zip(places) {
            pen.alpha(0.85);
            pen.ctx.set_fill_style_str(&p.panel);
            pen.ctx.fill_rect(left, y - LABEL / 2.0, width, LABEL);
            pen.alpha(1.0);
            pen.type_with(&p.small, &p.ink, Align::Start);
            pen.text(&label.of, left + 4.0, y + 0.5);
            pen.type_with(&p.small, &p.ink, Align::End);
            pen.text(&bytes(label.value), left + width - 4.0, y + 0.5);
        }
    }
}

fn y(value: u64, most: u64, top: f64, bottom: f64) -> f64 {
    bottom - value as f64 / most.max(1) as f64 * (bottom - top)
}

impl Drawing<'_> {
    fn paint(&self) {
        let p = &self.kept.palette;
        self.pen.dash(Dash::None);
        self.pen.line((NAMES, self.bottom + 0.5), (self.kept.lanes.width, self.bottom + 0.5));
        self.pen.stroke(&p.line_strong, 1.0);
        match self.panel {
            Panel::Window => self.window(),
            Panel::Memory => self.memory(),
            Panel::Output => self.limit(),
            Panel::Behind => {}
        }
        if self.panel != Panel::Memory {
            self.replicas();
        }
        let most = match self.panel {
            Panel::Window => return,
            Panel::Output if limit(&self.samples) > self.most => {
                format!("{}, limit {}", bytes(self.most), conf_size(limit(&self.samples)))
            }
            _ => bytes(self.most),
        };
        self.note(&most, self.top);
    }

    /// A number at the left, above a line that is not drawn: the scale.
    fn note(&self, text: &str, y: f64) {
        let p = &self.kept.palette;
        self.pen.type_with(&p.small, &p.ink2, Align::Start);
        self.pen.text(text, NAMES + 4.0, y + 3.0);
    }

    fn x(&self, sample: &Sample) -> f64 {
        self.kept.x(sample.at_us)
    }

    fn y(&self, value: u64) -> f64 {
        y(value, self.most, self.top, self.bottom)
    }

    /// A line through one number of every sample.
    fn through(&self, of: impl Fn(&Sample) -> u64) {
        self.pen.ctx.begin_path();
        for sample in &self.samples {
            self.pen.ctx.line_to(self.x(sample), self.y(of(sample)));
        }
    }

    /// The area between two numbers of every sample.
    fn between(&self, low: impl Fn(&Sample) -> u64, high: impl Fn(&Sample) -> u64) {
        self.through(high);
        for sample in self.samples.iter().rev() {
            self.pen.ctx.line_to(self.x(sample), self.y(low(sample)));
        }
        self.pen.ctx.close_path();
    }

    fn window(&self) {
        let p = &self.kept.palette;
        self.between(|_| 0, |sample| sample.histlen);
        self.pen.fill(&p.held_old);
        self.through(|sample| sample.histlen);
        self.pen.stroke(&p.held_new, 1.5);
        self.pen.dash(Dash::Lost);
        self.through(|sample| sample.size);
        self.pen.stroke(&p.ink2, 1.0);
        self.pen.dash(Dash::None);
        if let Some(size) = self.samples.last().map(|sample| sample.size).filter(|size| *size > 0) {
            self.note(&conf_size(size), self.y(size) - 9.0);
        }
    }

    fn limit(&self) {
        let limit = limit(&self.samples);
        if limit == 0 || limit > self.most {
            return;
        }
        self.pen.dash(Dash::Lost);
        self.through(|_| limit);
        self.pen.stroke(&self.kept.palette.lost, 1.0);
        self.pen.dash(Dash::None);
        self.note(&format!("limit {}", conf_size(limit)), self.y(limit) + 8.0);
    }

    /// Three lines, told apart by dashes and by their names; the one of this engine is strong.
    fn memory(&self) {
        let p = &self.kept.palette;
        for (index, dash) in [Dash::None, Dash::Fuse, Dash::Lost].into_iter().enumerate() {
            self.pen.dash(dash);
            self.through(|sample| sample.memory_bytes[index]);
            let (colour, width) =
                if index == self.keeping { (&p.held_new, 2.5) } else { (&p.ink2, 1.25) };
            self.pen.stroke(colour, width);
        }
        self.pen.dash(Dash::None);
    }

    fn replicas(&self) {
        let p = &self.kept.palette;
        let count = self.samples.last().map_or(0, |sample| sample.replicas.len());
        if count > MOST_LINES + 1 && self.panel != Panel::Window {
            let spread = match self.panel {
                Panel::Output => |sample: &Sample| sample.output,
                _ => |sample: &Sample| sample.behind,
            };
            self.between(|sample| spread(sample).least, |sample| spread(sample).most);
            self.pen.alpha(0.25);
            self.pen.fill(&p.sync);
            self.pen.alpha(1.0);
            self.through(|sample| spread(sample).most);
            self.pen.stroke(&p.sync, 1.0);
            self.through(|sample| spread(sample).median);
            self.pen.stroke(&p.ink2, 1.5);
        } else {
            (0..count).for_each(|n| self.replica(n, 1.25));
        }
        if let Some(chosen) = self.chosen {
            self.replica(chosen, 3.0);
        }
    }

    fn replica(&self, n: usize, width: f64) {
        let p = &self.kept.palette;
        let looks = [
            (Stands::Attached, &p.sync, Dash::None),
            (Stands::Away, &p.fuse, Dash::Fuse),
            (Stands::TooLate, &p.lost, Dash::Lost),
        ];
        for (stands, colour, dash) in looks {
            self.pen.ctx.begin_path();
            let mut open = false;
            for pair in self.samples.windows(2) {
                let [from, to] = pair else { continue };
                let (a, b) = (self.point(from, n), self.point(to, n));
                let (Some((a, _)), Some((b, now))) = (a, b) else {
                    open = false;
                    continue;
                };
                // One stroke as long as it stands so, or every piece would begin its own dash.
                if now == stands && !open {
                    self.pen.ctx.move_to(self.x(from), self.y(a));
                }
                open = now == stands;
                if open {
                    self.pen.ctx.line_to(self.x(to), self.y(b));
                }
            }
            self.pen.dash(dash);
            self.pen.stroke(colour, width);
        }
    }

    fn point(&self, sample: &Sample, n: usize) -> Option<(u64, Stands)> {
        let replica = sample.replicas.get(n)?.as_ref()?;
        Some((value(self.panel, replica)?, stands(sample, replica)))
    }
}

fn stands(sample: &Sample, replica: &ReplicaSample) -> Stands {
    match replica.needs {
        true if replica.behind_bytes > sample.histlen => Stands::TooLate,
        true => Stands::Away,
        false => Stands::Attached,
    }
}
