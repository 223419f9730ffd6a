//! What the chart draws, as numbers: scales, lines, labels. No canvas.

use crate::world::{ReplicaSample, Sample};

/// More replicas than this are three numbers and the one chosen: their lines would be one blot.
pub const MOST_LINES: usize = 24;
/// The most labels at the end of lines.
const MOST_LABELS: usize = 3;

/// The panels, from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Bytes behind, replica by replica.
    Behind,
    /// What the master keeps, back from its newest byte, and what the absent need of it.
    Window,
    /// What replicas make their master hold.
    Output,
    /// What three ways of keeping take.
    Memory,
}

impl Panel {
    /// From above.
    pub const ALL: [Panel; 4] = [Panel::Behind, Panel::Window, Panel::Output, Panel::Memory];

    /// Left of it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Panel::Behind => "behind",
            Panel::Window => "window",
            Panel::Output => "output",
            Panel::Memory => "memory",
        }
    }

    /// The number at the upper edge.
    #[must_use]
    pub fn top(self, samples: &[&Sample]) -> u64 {
        let most = |of: fn(&Sample) -> u64| samples.iter().map(|s| of(s)).max().unwrap_or(0);
        let largest = match self {
            Panel::Behind => most(|sample| sample.behind.most),
            Panel::Memory => most(|sample| sample.memory_bytes.into_iter().max().unwrap_or(0)),
            // One that is far too late leaves the drawing, or the window would be a hair.
            Panel::Window => {
                let size = most(|sample| sample.size);
                return size + size / 2;
            }
            Panel::Output => {
                let held = most(|sample| sample.output.most);
                let limit = limit(samples);
                // A limit far above would press everything to the ground.
                if limit / 4 <= held { held.max(limit) } else { held }
            }
        };
        nice(largest.max(1000))
    }
}

/// The hard limit on output; zero is none.
#[must_use]
pub fn limit(samples: &[&Sample]) -> u64 {
    let limits = samples.iter().flat_map(|sample| sample.replicas.iter().flatten());
    limits.filter_map(|replica| replica.output_limit_bytes).max().unwrap_or(0)
}

/// The next of 1, 2, 5, 10, 20… with some air above it.
fn nice(most: u64) -> u64 {
    let wanted = most.saturating_add(most / 8);
    let mut step: u64 = 1;
    while step < wanted / 10 {
        step = step.saturating_mul(10);
    }
    [1, 2, 5]
        .map(|n| step.saturating_mul(n))
        .into_iter()
        .find(|n| *n >= wanted)
        .unwrap_or(step.saturating_mul(10))
}

/// A replica's number in a panel.
#[must_use]
pub fn value(panel: Panel, replica: &ReplicaSample) -> Option<u64> {
    match panel {
        Panel::Behind => Some(replica.behind_bytes),
        Panel::Window => replica.needs.then_some(replica.behind_bytes),
        Panel::Output => replica.output_bytes,
        Panel::Memory => None,
    }
}

/// A value at the end of a line, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The value.
    pub value: u64,
    /// Whose it is.
    pub of: String,
}

/// The labels at the ends of a panel's lines, the largest value first. Replicas with the same
/// value share one; `chosen` is always among them.
#[must_use]
pub fn labels(panel: Panel, sample: &Sample, chosen: Option<usize>) -> Vec<Label> {
    if panel == Panel::Memory {
        let all = sample.memory_bytes.into_iter().zip(["ring", "blocks", "lists"]);
        return all.map(|(value, of)| Label { value, of: of.to_owned() }).collect();
    }
    let values = values(panel, sample);
    let crowd = values.len() > MOST_LINES;
    let mut labels: Vec<Label> = Vec::new();
    if panel == Panel::Window {
        labels.push(Label { value: sample.histlen, of: "kept".to_owned() });
    }
    for (index, (value, n)) in values.iter().enumerate() {
        let known = index > 0 && values[index - 1].0 == *value;
        let few = labels.len() < MOST_LABELS && (!crowd || index == 0);
        if known || !(few || chosen == Some(*n) || (!crowd && index + 1 == values.len())) {
            continue;
        }
        let same: Vec<usize> =
            values.iter().filter(|(other, _)| other == value).map(|(_, n)| *n).collect();
        let late = panel == Panel::Window && *value > sample.histlen;
        let mut of = if late { "\u{d7}".to_owned() } else { String::new() };
        of += &numbers(&same);
        if panel == Panel::Window {
            of += " needs";
        }
        labels.push(Label { value: *value, of });
    }
    if crowd {
        let spread = if panel == Panel::Output { sample.output } else { sample.behind };
        labels.push(Label { value: spread.median, of: "median".to_owned() });
    }
    labels
}

/// The replicas that have a value, with it: the largest first, and then by their numbers.
fn values(panel: Panel, sample: &Sample) -> Vec<(u64, usize)> {
    let mut values: Vec<(u64, usize)> = Vec::new();
    for (n, replica) in sample.replicas.iter().enumerate() {
        let Some(value) = replica.as_ref().and_then(|replica| value(panel, replica)) else {
            continue;
        };
        let place = values.partition_point(|(known, _)| *known >= value);
        values.insert(place, (value, n));
    }
    values
}

/// `R1,2,3`, or `R1,2\u{2026}20`: a list of any length stays short.
fn numbers(all: &[usize]) -> String {
    let mut text = String::new();
    for (index, n) in all.iter().enumerate() {
        let left_out = all.len() > 4 && index > 1;
        if left_out && index + 1 < all.len() {
            continue;
        }
        text += match (index, left_out) {
            (0, _) => "R",
            (_, false) => ",",
            (_, true) => "\u{2026}",
        };
        text += &n.to_string();
    }
    text
}

/// Moves labels apart that would lie upon each other; `wanted` are their middles, and all stay
/// between `top` and `bottom` as far as there is room. The order of the result is the given one.
#[must_use]
pub fn apart(wanted: &[f64], top: f64, bottom: f64, pitch: f64) -> Vec<f64> {
    let mut order: Vec<usize> = Vec::new();
    for (index, place) in wanted.iter().enumerate() {
        let before = order.partition_point(|other| wanted[*other] <= *place);
        order.insert(before, index);
    }
    let mut places = wanted.to_vec();
    let mut free = top;
    for &index in &order {
        places[index] = places[index].max(free);
        free = places[index] + pitch;
    }
    let mut limit = bottom;
    for &index in order.iter().rev() {
        places[index] = places[index].min(limit);
        limit = places[index] - pitch;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::bytes;
    use crate::world::Spread;

    fn sample(behind: &[u64]) -> Sample {
        let replica = |bytes: &u64| {
            Some(ReplicaSample {
                behind_bytes: *bytes,
                needs: *bytes > 5000,
                output_bytes: Some(bytes / 2),
                output_limit_bytes: Some(64_000),
            })
        };
        let mut sorted = behind.to_vec();
        sorted.sort_unstable();
        let spread = Spread {
            least: sorted[0],
            median: sorted[sorted.len() / 2],
            most: sorted[sorted.len() - 1],
        };
        Sample {
            at_us: 0,
            histlen: 16_384,
            size: 16_384,
            memory_bytes: [16_384, 41_000, 0],
            replicas: std::iter::once(None).chain(behind.iter().map(replica)).collect(),
            behind: spread,
            output: spread,
        }
    }

    fn said(panel: Panel, behind: &[u64], chosen: Option<usize>) -> Vec<String> {
        let labels = labels(panel, &sample(behind), chosen);
        labels.iter().map(|label| format!("{} {}", label.of, bytes(label.value))).collect()
    }

    #[test]
    fn lines_are_named_by_number_and_equal_ones_together() {
        assert_eq!(said(Panel::Behind, &[0, 3316, 0], None), ["R2 3,316 B", "R1,3 0 B"]);
        assert_eq!(said(Panel::Behind, &[0; 20], None), ["R1,2\u{2026}20 0 B"]);
        let six = said(Panel::Behind, &[60, 50, 40, 30, 20, 10], Some(4));
        assert_eq!(six, ["R1 60 B", "R2 50 B", "R3 40 B", "R4 30 B", "R6 10 B"]);
        assert_eq!(
            said(Panel::Memory, &[0], None),
            ["ring 16.4 KB", "blocks 41.0 KB", "lists 0 B"]
        );
    }

    #[test]
    fn of_a_crowd_the_worst_the_median_and_the_chosen_are_named() {
        let mut behind = [0; 100];
        behind[40] = 9000;
        behind[6] = 12;
        let said = said(Panel::Behind, &behind, Some(7));
        assert_eq!(said, ["R41 9,000 B", "R7 12 B", "median 0 B"]);
    }

    #[test]
    fn the_window_says_what_is_kept_and_who_needs_more() {
        let said = said(Panel::Window, &[6000, 20_000, 0], None);
        assert_eq!(said, ["kept 16.4 KB", "\u{d7}R2 needs 20.0 KB", "R1 needs 6,000 B"]);
    }

    #[test]
    fn a_scale_ends_at_a_round_number_and_a_limit_far_above_is_left_out() {
        assert_eq!([1, 4321, 4800, 88_000].map(nice), [1, 5000, 10_000, 100_000]);
        assert_eq!(nice(u64::MAX), u64::MAX);
        assert_eq!(Panel::Output.top(&[&sample(&[40_000])]), 100_000, "the limit is near");
        assert_eq!(Panel::Output.top(&[&sample(&[400])]), 2000, "it is not");
        assert_eq!(Panel::Window.top(&[&sample(&[0])]), 24_576);
    }

    #[test]
    fn labels_are_moved_apart_and_stay_inside() {
        assert_eq!(apart(&[10.0, 11.0, 40.0], 0.0, 50.0, 12.0), [10.0, 22.0, 40.0]);
        assert_eq!(apart(&[50.0, 50.0], 0.0, 50.0, 12.0), [38.0, 50.0]);
        assert_eq!(apart(&[30.0, 5.0], 0.0, 50.0, 12.0), [30.0, 5.0]);
    }
}
