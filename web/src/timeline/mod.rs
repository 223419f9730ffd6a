//! The drawing of the timeline: a lane a server. A placeholder.
//!
//! The region "Timeline" around it, its buttons and the slider "Time" belong to the page.

use yew::{Callback, Html, Properties, function_component, html};

use crate::run::RunHandle;

/// What the timeline needs.
#[derive(Clone, PartialEq, Properties)]
pub struct TimelineProps {
    /// For the trace.
    pub run: RunHandle,
    /// The moment looked at.
    pub now_us: u64,
    /// The latest moment reached in this run.
    pub furthest_us: u64,
    /// The playhead was dragged to a moment.
    pub on_seek: Callback<u64>,
    /// A decision's flag was clicked: its number among the decisions of the trace.
    pub on_jump: Callback<usize>,
}

/// The lanes.
#[function_component]
pub fn Timeline(_props: &TimelineProps) -> Html {
    html! { <div class="timeline" /> }
}
