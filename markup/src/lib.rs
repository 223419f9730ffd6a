//! `html!`: the markup of Yew's macro of that name, compiled into a template and its slots.
//!
//! Yew's own macro writes out, for each element, the code that fills in its structure: 100 to 150
//! bytes of the module. Here the fixed part becomes one text, which `psync_lab::markup` interprets,
//! and only what is computed becomes code: a call for each slot. The nodes are the same.
//!
//! The template is made of marks, one control character each, every one followed by its text;
//! [`marks`] names them. Absent on purpose: dynamic tag names, properties (`~name`), `..base`, and loops
//! (`for` around markup; `{ for iterator }` is there). Components go to Yew's macro as they are.

mod element;
mod nodes;
mod template;
mod tokens;

/// The marks of a template, as `psync_lab::markup` reads them.
mod marks {
    /// Begins an element: its name.
    pub const OPEN: char = '\u{1}';
    /// An attribute that never changes: `name=value`.
    pub const FIXED: char = '\u{2}';
    /// Something computed: the name of the attribute, where it is one.
    pub const SLOT: char = '\u{3}';
    /// A text that never changes.
    pub const TEXT: char = '\u{4}';
    /// Ends an element, whose children are a list.
    pub const CLOSE: char = '\u{5}';
    /// Ends an element that always has exactly one child.
    pub const CLOSE_ONE: char = '\u{6}';
}

/// Markup as a `yew::Html`.
#[proc_macro]
pub fn html(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    nodes::root(input.into()).unwrap_or_else(tokens::Fault::into_error).into()
}
