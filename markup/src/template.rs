//! A template while it is written: its text, and the calls that fill its slots.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::marks;

/// The text so far, and a call for each slot in it.
#[derive(Default)]
pub struct Template {
    text: String,
    calls: TokenStream,
}

impl Template {
    /// A mark with its text.
    pub fn mark(&mut self, mark: char, text: &str) {
        self.text.push(mark);
        self.text.push_str(text);
    }

    /// A slot, filled by `call` of the builder; `name` where it is an attribute.
    pub fn slot(&mut self, name: &str, call: TokenStream) {
        self.mark(marks::SLOT, name);
        self.calls.extend(quote! { __markup.#call; });
    }

    /// The code that makes the nodes; `last` is `one` or `list`.
    pub fn into_code(self, last: TokenStream) -> TokenStream {
        let text = Literal::string(&self.text);
        let calls = self.calls;
        quote! {{
            let mut __markup = crate::markup::Builder::new(#text);
            #calls
            __markup.#last()
        }}
    }
}

/// Whether `value` can stand in a template; a mark would be taken for the beginning of the next.
pub fn fits(value: &str) -> bool {
    value.chars().all(|letter| letter >= ' ')
}
