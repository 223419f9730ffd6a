//! Tokens with lookahead, and a fault with its place.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// What is wrong with the markup, and where.
pub struct Fault {
    span: Span,
    message: String,
}

impl Fault {
    /// At `span`.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// The same as an error of the compiler.
    pub fn into_error(self) -> TokenStream {
        let message = self.message;
        quote_spanned! { self.span => ::std::compile_error!(#message) }
    }
}

/// Tokens that are read from left to right.
pub struct Tokens {
    all: Vec<TokenTree>,
    next: usize,
}

impl Tokens {
    /// All of `stream`.
    pub fn new(stream: TokenStream) -> Self {
        Self { all: stream.into_iter().collect(), next: 0 }
    }

    /// The token `ahead` places from here.
    pub fn peek(&self, ahead: usize) -> Option<&TokenTree> {
        self.all.get(self.next + ahead)
    }

    /// Whether the next tokens are these characters.
    pub fn is(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, expected)| {
            matches!(self.peek(ahead), Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
        })
    }

    /// The word that stands here.
    pub fn word(&self, ahead: usize) -> Option<String> {
        match self.peek(ahead) {
            Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
            _ => None,
        }
    }

    /// Whether a group in braces stands here.
    pub fn is_braced(&self) -> bool {
        matches!(self.peek(0), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
    }

    /// Takes a token.
    pub fn take(&mut self) -> Option<TokenTree> {
        let token = self.peek(0).cloned();
        self.next += 1;
        token
    }

    /// Takes these characters.
    pub fn expect(&mut self, text: &str) -> Result<(), Fault> {
        if !self.is(text) {
            return Err(self.fault(format!("expected `{text}`")));
        }
        self.next += text.len();
        Ok(())
    }

    /// Takes a group in braces.
    pub fn braced(&mut self) -> Result<Group, Fault> {
        match self.peek(0) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let group = group.clone();
                self.next += 1;
                Ok(group)
            }
            _ => Err(self.fault("expected braces")),
        }
    }

    /// A name with hyphens, such as `aria-label`.
    pub fn dashed(&mut self) -> Result<String, Fault> {
        let mut name = self.word(0).ok_or_else(|| self.fault("expected a name"))?;
        self.next += 1;
        while self.is("-") {
            let part = self.word(1).ok_or_else(|| self.fault("expected the rest of a name"))?;
            name.push('-');
            name.push_str(&part);
            self.next += 2;
        }
        Ok(name)
    }

    /// Whether nothing is left.
    pub fn at_end(&self) -> bool {
        self.next >= self.all.len()
    }

    /// A fault at the next token.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        let here = self.peek(0).or(self.all.last());
        Fault::new(here.map_or_else(Span::call_site, TokenTree::span), message)
    }
}
