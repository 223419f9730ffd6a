//! The region "Comparison": in what the two runs differ, and what each has cost until now.
//!
//! Less is better in every row but the one of partial resyncs, which are neither.

use yew::{Callback, Html};

use super::header::{choices, engine_menu};
use super::settings::Input;
use crate::difference::Difference;
use crate::format::{bytes, duration, thousands};
use crate::markup::html;
use crate::session::{Otherwise, Session};
use crate::setup::Field;
use crate::state::{Compare, Msg};
use crate::world::{Delta, Engine, Report, Verdict};

/// What the region needs.
#[derive(PartialEq)]
pub struct CompareProps {
    /// The other side's.
    engine: &'static Engine,
    difference: Difference,
    report: Report,
    refusal: Option<String>,
    /// How the other side decided, and whether that is what the card shows.
    otherwise: Option<Otherwise>,
    looks: bool,
    on: Callback<Msg>,
}

impl CompareProps {
    /// Those of a session in which two are compared.
    pub fn of(session: &Session, on: &Callback<Msg>) -> Option<CompareProps> {
        Some(CompareProps {
            engine: session.comparison()?.run().original().engine,
            difference: session.difference()?.clone(),
            report: session.report()?,
            refusal: session.refusal().map(str::to_owned),
            otherwise: session.otherwise(),
            looks: session.looked_at().is_some(),
            on: on.clone(),
        })
    }
}

/// The region "Comparison".
pub fn compare(props: &CompareProps) -> Html {
    let on = &props.on;
    let (hint, class) = match &props.refusal {
        Some(why) => (format!("B did not take that: {why}"), "hint is-refused"),
        None => ("Same seed and actions; what you do is done on both.".to_owned(), "hint"),
    };
    html! {
        <section class="compare" aria-label="Comparison" data-place="comparison">
            <header>
                <h2>{ "Comparison" }</h2>
                { button("Use B", None, Compare::Use, on) }
                { button("\u{2715}", Some("Close the comparison"), Compare::Close, on) }
            </header>
            { menus(props) }
            { table(&props.report) }
            <p class="amounts">{ sentence(&props.report.delta) }</p>
            if let Some(otherwise) = &props.otherwise { { answer(otherwise, props) } }
            <p {class}>{ hint }</p>
        </section>
    }
}

fn button(
    text: &'static str,
    name: Option<&'static str>,
    what: Compare,
    on: &Callback<Msg>,
) -> Html {
    html! {
        <button
            type="button" aria-label={name}
            onclick={on.reform(move |_| Msg::Compare(what.clone()))}
        >
            { text }
        </button>
    }
}

/// What differs: the engine, and one directive with its value.
fn menus(props: &CompareProps) -> Html {
    let on = props.on.reform(|msg| match msg {
        Msg::Change(change) => Msg::Compare(Compare::Change(change)),
        other => other,
    });
    let shown = props.difference.field();
    let chosen = shown.map_or("", |(field, _)| field.label());
    let fields = Field::of(props.engine).into_iter().filter(|field| field.is_directive());
    let fields = fields.map(|field| (field.label(), field.label().to_owned()));
    let options = std::iter::once(("", "settings of A".to_owned())).chain(fields).collect();
    let choose = |name: &str| Msg::Compare(Compare::Choose(Field::named(name)));
    html! {
        <div class="differs">
            { engine_menu("Engine of B", "", props.engine.name, &on) }
            { choices("Setting that differs", "", options, chosen, &props.on, choose) }
            if let Some((field, text)) = shown {
                <Input
                    key={field.id()} {field} id="set-beside" text={text.to_owned()} {on}
                    label="Value of B"
                />
            }
        </div>
    }
}

/// How a row's numbers are printed.
#[derive(Clone, Copy)]
enum Unit {
    Count,
    Bytes,
    Time,
}

impl Unit {
    fn print(self, n: u64) -> String {
        match self {
            Unit::Count => thousands(n),
            Unit::Bytes => bytes(n),
            Unit::Time => duration(n),
        }
    }

    /// With its sign, also where it is none.
    fn print_signed(self, n: i64) -> String {
        let sign = match n {
            0 => "\u{b1}",
            1.. => "+",
            _ => "\u{2212}",
        };
        format!("{sign}{}", self.print(n.unsigned_abs()))
    }
}

fn table(report: &Report) -> Html {
    let Report { left, right, delta } = report;
    let rows = [
        ("Full resyncs", Unit::Count, left.full_resyncs, right.full_resyncs, delta.full_resyncs),
        (PARTIAL, Unit::Count, left.partial_resyncs, right.partial_resyncs, delta.partial_resyncs),
        ("Stream sent", Unit::Bytes, left.stream_bytes, right.stream_bytes, delta.stream_bytes),
        (
            "Snapshots sent",
            Unit::Bytes,
            left.snapshot_bytes,
            right.snapshot_bytes,
            delta.snapshot_bytes,
        ),
        (
            "Longest staleness",
            Unit::Time,
            left.longest_stale_us,
            right.longest_stale_us,
            delta.longest_stale_us,
        ),
        (
            "Most memory",
            Unit::Bytes,
            left.most_memory_bytes,
            right.most_memory_bytes,
            delta.most_memory_bytes,
        ),
    ];
    let titles = ["Until now", "A", "B", "B \u{2212} A"];
    html! {
        <table>
            <thead><tr>{ for titles.map(|title| html! { <th scope="col">{ title }</th> }) }</tr></thead>
            <tbody>
                { for rows.into_iter().map(|(name, unit, a, b, differs)| {
                    let (class, word) = judgement(differs, name != PARTIAL);
                    let cells = [unit.print(a), unit.print(b), unit.print_signed(differs)];
                    html! {
                        <tr {class} data-differs={differs.to_string()}>
                            <th scope="row">{ name }</th>
                            { for cells.into_iter().map(|cell| html! { <td>{ cell }</td> }) }
                            <td class="word">{ word }</td>
                        </tr>
                    }
                }) }
            </tbody>
        </table>
    }
}

/// The one row in which neither less nor more is better.
const PARTIAL: &str = "Partial resyncs";

/// Colour, and the word beside the difference.
fn judgement(differs: i64, judged: bool) -> (&'static str, &'static str) {
    match differs {
        _ if !judged => ("", ""),
        0 => ("", "same"),
        1.. => ("is-worse", "worse"),
        _ => ("is-better", "better"),
    }
}

/// What the differences amount to.
#[must_use]
pub fn sentence(delta: &Delta) -> String {
    let resyncs = match delta.full_resyncs.unsigned_abs() {
        1 => "1 full resync".to_owned(),
        n => format!("{} full resyncs", thousands(n)),
    };
    let amount = |unit: Unit, n: i64| unit.print(n.unsigned_abs());
    let differences = [
        (delta.full_resyncs, resyncs, "fewer", "more"),
        (delta.bytes_moved, amount(Unit::Bytes, delta.bytes_moved), "less to move", "more to move"),
        (
            delta.longest_stale_us,
            amount(Unit::Time, delta.longest_stale_us),
            "less stale",
            "longer stale",
        ),
        (
            delta.most_memory_bytes,
            amount(Unit::Bytes, delta.most_memory_bytes),
            "less memory",
            "more memory",
        ),
    ];
    let listed = |better: bool| {
        let mut said = String::new();
        for (n, amount, less, more) in &differences {
            if *n != 0 && (*n < 0) == better {
                let gap = if said.is_empty() { "" } else { ", " };
                said.push_str(gap);
                said.push_str(amount);
                said.push(' ');
                said.push_str(if better { less } else { more });
            }
        }
        said
    };
    match (listed(true).as_str(), listed(false).as_str()) {
        ("", "") => "Until now both have cost the same.".to_owned(),
        (gains, "") => format!("B: {gains}, at no price."),
        ("", costs) => format!("B: {costs}, for nothing so far."),
        (gains, costs) => format!("B: {gains}, for {costs}."),
    }
}

/// How the other side answered the request on the card.
fn answer(otherwise: &Otherwise, props: &CompareProps) -> Html {
    let looks = props.looks;
    let Otherwise::Decided(decision) = otherwise else {
        return html! {
            <p class="answer">{ "B had nothing to decide: its replica did not ask." }</p>
        };
    };
    let verdict = match decision.verdict {
        Verdict::Partial => "partial",
        Verdict::Full => "full",
    };
    let look = if looks { "Back to A\u{2019}s decision" } else { "Look at B\u{2019}s decision" };
    html! {
        <p class="answer">
            <span>{ "B answered " }<b>{ verdict }</b></span>
            { button(look, None, Compare::Look(!looks), &props.on) }
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_sign_and_its_unit() {
        let table = [
            (Unit::Count.print_signed(3), "+3"),
            (Unit::Count.print_signed(0), "\u{b1}0"),
            (Unit::Bytes.print_signed(-48_000), "\u{2212}48.0 KB"),
            (Unit::Bytes.print_signed(0), "\u{b1}0 B"),
            (Unit::Time.print_signed(-2_500_000), "\u{2212}2.5 s"),
        ];
        for (got, want) in table {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn what_it_amounts_to_is_said_in_a_sentence() {
        let same = Delta::default();
        assert_eq!(sentence(&same), "Until now both have cost the same.");
        let dearer = Delta { most_memory_bytes: 32_768, ..same };
        assert_eq!(sentence(&dearer), "B: 32.8 KB more memory, for nothing so far.");
        let saved = Delta { full_resyncs: -1, longest_stale_us: -1_500_000, ..dearer };
        assert_eq!(
            sentence(&saved),
            "B: 1 full resync fewer, 1.5 s less stale, for 32.8 KB more memory."
        );
        let best = Delta { full_resyncs: -2, bytes_moved: -100, most_memory_bytes: -5, ..same };
        assert_eq!(
            sentence(&best),
            "B: 2 full resyncs fewer, 100 B less to move, 5 B less memory, at no price."
        );
    }
}
