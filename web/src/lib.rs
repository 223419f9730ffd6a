//! The browser shell of PSYNC Lab: everything that knows the browser.
//!
//! One element, one [`session::Session`]: the run, the clock that drives it and the state of the
//! page, without any DOM and tested natively. Data flows one way:
//!
//! ```text
//! key, click, JS call -> Msg -> Session::apply -> State (a snapshot and what is chosen)
//!                                                    |-> components (Yew, <= 10 times a second)
//!                                                    `-> painters (canvas, each frame)
//! ```
//!
//! `element` is the only door to JavaScript, `frame` the only one that asks for animation frames.
//! Absent on purpose: a second copy of the truth. What is shown is computed from the snapshot and
//! the trace at each change.

pub mod announce;
pub mod api;
pub mod app;
pub mod attributes;
pub mod difference;
pub mod element;
pub mod format;
pub mod frame;
pub mod keys;
pub mod markup;
pub mod pace;
mod page;
pub mod part;
pub mod refusal;
mod reply;
pub mod run;
pub mod session;
pub mod setup;
pub mod sketch;
pub mod speed;
pub mod stage;
pub mod state;
pub mod timeline;
pub mod verdict;
pub mod world;
