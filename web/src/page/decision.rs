//! The decision card: why a replica could go on where it stopped, or could not.

use yew::{Callback, Html};

use crate::format::{seconds, server_title};
use crate::markup::html;
use crate::state::Msg;
use crate::verdict::{self, Cure, Row};
use crate::world::{CounterMoved, DecisionRecord, Finding, Outcome, Verdict};

/// What the card needs.
#[derive(PartialEq)]
pub struct DecisionProps {
    /// The decision to show; none before the first.
    pub decision: Option<DecisionRecord>,
    /// What would have made it partial, where that was tried.
    pub finding: Option<Finding>,
    /// Where everything asked for goes.
    pub on: Callback<Msg>,
}

/// The region "Decision".
pub fn decision(props: &DecisionProps) -> Html {
    let Some(decision) = &props.decision else { return empty() };
    let verdict = match decision.verdict {
        Verdict::Partial => "partial",
        Verdict::Full => "full",
    };
    html! {
        <section
            class="decision" aria-label="Decision" tabindex="-1" data-place="decision"
            data-verdict={verdict} data-reason={decision.reason}
        >
            <header class="verdict">
                <h2>
                    <span class="glyph" aria-hidden="true">{ verdict::title(decision.verdict).0 }</span>
                    { " " }{ verdict::title(decision.verdict).1 }
                </h2>
                <p class="when">
                    { server_title(&decision.replica) }{ " \u{b7} " }
                    { seconds(decision.at_us) }{ " s" }
                </p>
            </header>
            <p class="why">{ verdict::sentence(decision) }</p>
            <ol class="checks">{ for verdict::rows(decision).iter().map(check) }</ol>
            <dl class="costs">
                { for verdict::costs(decision).iter().map(|cost| html! {
                    <div><dt>{ cost.what }</dt><dd>{ &cost.amount }</dd></div>
                }) }
            </dl>
            { for verdict::cure(decision).map(|cure| remedy(&cure, props)) }
            <p class="log">
                <code>{ &decision.log_line }</code>
                { for decision.counters_moved.iter().map(counter) }
            </p>
        </section>
    }
}

fn empty() -> Html {
    html! {
        <section class="decision empty" aria-label="Decision" tabindex="-1" data-place="decision">
            <header class="verdict"><h2>{ "No decision yet" }</h2></header>
            <p class="why">
                { "Whenever a replica connects, it asks its master to continue from its last byte. \
                   The answer will stand here, with the reason." }
            </p>
            <p class="hint">
                { "Cut a link, let the master write, heal it: while the backlog still holds what \
                   the replica missed, it gets just that. After that, it gets everything." }
            </p>
        </section>
    }
}

fn check(row: &Row) -> Html {
    let (glyph, word) = verdict::mark(row.outcome);
    let class = match row.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotReached => "not-reached",
    };
    html! {
        <li {class}>
            <span class="mark" aria-hidden="true">{ glyph }</span>
            <span class="question">
                { row.question }<span class="unseen">{ format!(" {word}") }</span>
            </span>
            <span class="note">{ &row.note }</span>
            { for row.compared.iter().map(|text| html! { <span class="compared">{ text }</span> }) }
        </li>
    }
}

fn remedy(cure: &Cure, props: &DecisionProps) -> Html {
    let on = &props.on;
    // Where it was tried, what was tried is said; before that, what was reckoned.
    let finding = props.finding.as_ref();
    let value = finding.map_or(&cure.value, |finding| &finding.after);
    let instead = finding.map(|finding| format!(" instead of {}", finding.before));
    html! {
        <div class="remedy">
            <p>
                { "With " }<b>{ cure.directive }{ " " }{ value }</b>{ for instead }
                { " this would have been partial." }
            </p>
            <span>{ for cure.exact.iter() }</span>
            <button type="button" onclick={on.reform(|_| Msg::ApplyRemedy)}>
                { "Apply and replay" }
            </button>
        </div>
    }
}

fn counter(counter: &CounterMoved) -> Html {
    html! {
        <span class="counter">{ format!("{} \u{2192} {}", counter.name, counter.value) }</span>
    }
}
