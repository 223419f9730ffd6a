//! What the page remembers besides the run: what is chosen, open, playing.
//!
//! Plain values; [`Session`](crate::session::Session) is the only one who changes them.

use crate::difference::Difference;
use crate::setup::{Change, Field};
use crate::sketch::Sketch;
use crate::speed::Speed;
use crate::timeline::stretch::Stretch;
use crate::world::{Action, Scenario};

/// Everything that can be asked of the page, by a key, a click or the element's methods.
#[derive(Clone, Debug)]
pub enum Msg {
    /// Let time run.
    Play,
    /// Stop it.
    Pause,
    /// The one or the other.
    TogglePlay,
    /// To the next event worth seeing.
    Step,
    /// To a moment, back or ahead.
    Seek(u64),
    /// This much further, at once.
    Advance(u64),
    /// To the decision before this moment.
    PreviousDecision,
    /// To the one after it.
    NextDecision,
    /// To a decision by its place among those that are kept.
    JumpToDecision(usize),
    /// Do something to the world.
    Act(Action),
    /// Cut the link of replica N, or heal it when it is cut.
    ToggleLink(usize),
    /// Start another scenario, paused.
    Load(Box<Scenario>),
    /// Change what the run is made of.
    Change(Change),
    /// Replay the run with what would have made the decision shown a partial one.
    ApplyRemedy,
    /// Find out what that would have led to, and stay here.
    WhatIf,
    /// Begin another future at this moment of a tape that is replayed.
    Fork,
    /// To a future left behind, by its number.
    ReturnTo(u64),
    /// Forget a future left behind, by its number.
    Discard(u64),
    /// Something about the run beside this one.
    Compare(Compare),
    /// The list of stages and lessons.
    Learn(bool),
    /// Begin a lesson, by its name or number.
    Lesson(String),
    /// To its next step; what the present one waits for is brought about.
    LessonNext,
    /// To the step before, and to the moment at which that began.
    LessonPrevious,
    /// To the beginning of the present step.
    LessonAgain,
    /// Do what the step asks of the reader.
    LessonAnswer,
    /// Close the lesson; the run stays.
    LessonLeave,
    /// What a presenter's key asks for: the next (or previous) step, without a lesson the next
    /// decision.
    Onward(bool),
    /// Show what a link to this moment would be, or nothing of it any more.
    Share(bool),
    /// Whether the browser let the link be copied.
    Copied(bool),
    /// The string of a link to what is to be shown, packed meanwhile.
    Packed(String),
    /// Open the text of a file: a run or a bare scenario.
    OpenFile(String),
    /// Whether time slows down around a decision.
    AutoSlow(bool),
    /// Large type and presenter keys.
    Presentation(bool),
    /// How fast.
    Speed(Speed),
    /// Look at a server.
    Select(Option<usize>),
    /// Mark these places of the page, and no others.
    Point(Vec<String>),
    /// Look at a server in the inspector.
    Inspect(usize),
    /// Open a panel.
    Open(Tab),
    /// Another drawing of what is kept.
    View(View),
    /// This server follows nobody any more.
    Promote(usize),
    /// This server follows another one.
    Follow(usize, usize),
    /// This server follows the one after its present master.
    FollowNext(usize),
    /// The other state of something about a server.
    Toggle(Switch, usize),
    /// End the connections of a server's replicas, and that to its master.
    Disconnect(usize),
    /// The curve of writes as it is being drawn; none puts it away.
    Sketch(Option<Sketch>),
    /// Show this stretch of time.
    Show(Stretch),
    /// A longer stretch (more than 1000 thousandths) or a shorter one, about the moment looked at.
    Zoom(u64),
    /// All of the run that is known.
    ZoomToAll,
    /// Whether somebody drags, and the stretch stands still.
    Hold(bool),
    /// The chart on the clock of the run, or the lanes.
    Chart(bool),
    /// Light, dark or as the system says.
    Theme(Theme),
    /// The sheet of keys.
    Sheet(bool),
    /// A line typed into the console.
    Command {
        /// Index of the server.
        server: usize,
        /// As typed.
        line: String,
    },
    /// Something was wrong.
    Complain(String),
    /// The complaint was read.
    Dismiss,
    /// Say it to those who do not see.
    Announce(String),
}

/// What can be asked about a run beside this one.
#[derive(Clone, Debug, PartialEq)]
pub enum Compare {
    /// Put one there, with what shows something at once; or close the comparison.
    Toggle,
    /// Put this run beside itself, with the same seed and actions and with this difference.
    With(Difference),
    /// With one change more in what differs.
    Change(Change),
    /// Let this directive differ in the place of the others, or none of them.
    Choose(Option<Field>),
    /// Show the other side's decision, or this one's again.
    Look(bool),
    /// Go on with the other side; this one is left behind as a branch.
    Use,
    /// Close the comparison.
    Close,
}

/// What about a server has two states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Frozen or not.
    Frozen,
    /// Killed or running.
    Killed,
    /// Its link, both ways.
    Link,
    /// Its link, from its master on.
    ToReplica,
    /// Its link, towards its master.
    ToMaster,
}

/// The panels beside the drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// What travelled.
    #[default]
    Transcript,
    /// The facts of INFO.
    Info,
    /// Commands on a server.
    Console,
    /// What can be done to one server and its link.
    Inspector,
    /// What the run is made of.
    Settings,
}

/// How the kept history is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// As a dial, whatever the engine.
    #[default]
    Dial,
    /// As the engine keeps it in memory.
    Memory,
}

/// Which palette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Dark on paper.
    Light,
    /// Light on night.
    Dark,
    /// Black and white, with colours far from both.
    Contrast,
}

/// One command and its reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleLine {
    /// Counts up; a key for the list.
    pub number: u64,
    /// Name of the server.
    pub server: String,
    /// As typed.
    pub command: String,
    /// As redis-cli prints it.
    pub reply: String,
}

/// What "Share" offers, of the moment at which it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// The run as a string for the fragment of a link.
    pub code: String,
    /// The same as the text of a file.
    pub file: String,
    /// What the file is called.
    pub name: String,
    /// What link and file carry, in words.
    pub carries: Vec<(&'static str, String)>,
    /// Whether the link was copied; none before that was tried.
    pub copied: Option<bool>,
}

/// What the page remembers.
#[derive(Clone, Debug)]
pub struct State {
    /// Counts up with each change; what is rendered from an older one is stale.
    pub revision: u64,
    /// Counts up with each load.
    pub generation: u64,
    /// Whether time runs.
    pub playing: bool,
    /// How fast.
    pub speed: Speed,
    /// Whether time slows down around a decision.
    pub auto_slow: bool,
    /// Whether it goes slower than asked for at this moment, for that reason.
    pub slowed: bool,
    /// Simulated microseconds in a real second, while the page cannot keep up with `speed`.
    pub behind: Option<u64>,
    /// Large type and presenter keys.
    pub presentation: bool,
    /// The server looked at.
    pub selection: Option<usize>,
    /// The places that are marked while something that is about them is pointed at.
    pub pointed: Vec<String>,
    /// The decision jumped to; several can share one moment. None: the latest until now.
    pub jumped: Option<usize>,
    /// How the kept history is drawn.
    pub view: View,
    /// The open panel.
    pub tab: Tab,
    /// The stretch of time that is shown.
    pub stretch: Stretch,
    /// Whether somebody drags in it.
    pub held: bool,
    /// The chart instead of the lanes.
    pub chart: bool,
    /// Which palette.
    pub theme: Theme,
    /// Whether the sheet of keys is open.
    pub sheet: bool,
    /// Whether the list of stages and lessons is open.
    pub learn: bool,
    /// What "Share" offers, while it is open.
    pub sharing: Option<Sharing>,
    /// What was wrong, until dismissed.
    pub complaint: Option<String>,
    /// What the live region says.
    pub announcement: String,
    /// The console, oldest first.
    pub console: Vec<ConsoleLine>,
    /// The curve of writes that is being drawn.
    pub sketch: Option<Sketch>,
}

impl Default for State {
    fn default() -> State {
        State {
            revision: 0,
            generation: 0,
            playing: false,
            speed: Speed::default(),
            auto_slow: true,
            slowed: false,
            behind: None,
            presentation: false,
            selection: None,
            pointed: Vec::new(),
            jumped: None,
            tab: Tab::default(),
            stretch: Stretch::default(),
            held: false,
            chart: false,
            theme: Theme::default(),
            view: View::default(),
            sheet: false,
            learn: false,
            sharing: None,
            complaint: None,
            announcement: String::new(),
            console: Vec::new(),
            sketch: None,
        }
    }
}

impl Tab {
    /// In the order of the bar.
    pub const ALL: [Tab; 5] =
        [Tab::Transcript, Tab::Info, Tab::Console, Tab::Inspector, Tab::Settings];

    /// On the tab and as the region's name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Tab::Transcript => "Transcript",
            Tab::Info => "INFO",
            Tab::Console => "Console",
            Tab::Inspector => "Inspector",
            Tab::Settings => "Settings",
        }
    }
}

impl View {
    /// The other one.
    #[must_use]
    pub fn other(self) -> View {
        match self {
            View::Dial => View::Memory,
            View::Memory => View::Dial,
        }
    }
}

impl Theme {
    /// In the order of the button.
    pub const ALL: [Theme; 4] = [Theme::Auto, Theme::Light, Theme::Dark, Theme::Contrast];

    /// As the attribute has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
            Theme::Contrast => "contrast",
        }
    }

    /// The one that the attribute names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The one after it, on the button.
    #[must_use]
    pub fn next(self) -> Theme {
        match self {
            Theme::Auto => Theme::Light,
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Contrast,
            Theme::Contrast => Theme::Auto,
        }
    }
}
