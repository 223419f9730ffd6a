//! One element: its attributes in the order in which Yew sets them, and its children.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::marks;
use crate::nodes;
use crate::template::{self, Template};
use crate::tokens::{Fault, Tokens};

/// Attributes that are there or not; of those in HTML the ones that the page uses.
const FLAGS: [&str; 12] = [
    "autofocus",
    "disabled",
    "hidden",
    "inert",
    "loop",
    "multiple",
    "muted",
    "novalidate",
    "open",
    "readonly",
    "required",
    "selected",
];

/// An attribute as it is written.
struct Attribute {
    name: String,
    /// The text, where it is a plain literal.
    fixed: Option<String>,
    value: TokenStream,
    span: Span,
}

/// `<name ...> nodes </name>` or `<name ... />`.
pub fn element(tokens: &mut Tokens, template: &mut Template) -> Result<(), Fault> {
    tokens.expect("<")?;
    let name = tokens.dashed()?;
    template.mark(marks::OPEN, &name);
    let mut attributes = Vec::new();
    while !tokens.is(">") && !tokens.is("/>") {
        attributes.push(attribute(tokens)?);
    }
    // What a control has is a property of its own; of other elements it is an attribute as any.
    let control = matches!(&*name, "input" | "textarea");
    attributes.sort_by_key(|attribute| order(&attribute.name, control));
    for attribute in attributes {
        set(attribute, control, template);
    }
    if tokens.is("/>") {
        template.mark(marks::CLOSE, "");
        return tokens.expect("/>");
    }
    tokens.expect(">")?;
    let mut count = 0;
    let mut single = true;
    while !tokens.at_end() && !tokens.is("</") {
        single &= nodes::node(tokens, template)?;
        count += 1;
    }
    template.mark(if single && count == 1 { marks::CLOSE_ONE } else { marks::CLOSE }, "");
    tokens.expect("</")?;
    let closed = tokens.dashed()?;
    if closed != name {
        return Err(tokens.fault(format!("<{name}> is closed by </{closed}>")));
    }
    tokens.expect(">")
}

/// `name="text"`, `name={value}` or `{name}`.
fn attribute(tokens: &mut Tokens) -> Result<Attribute, Fault> {
    let span = tokens.peek(0).map_or_else(Span::call_site, TokenTree::span);
    if tokens.is_braced() {
        let value = tokens.braced()?.stream();
        let name = value.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name).to_string();
        return Ok(Attribute { name, fixed: None, value, span });
    }
    let name = tokens.dashed()?;
    tokens.expect("=")?;
    let (value, literal) = if tokens.is_braced() {
        let group = tokens.braced()?;
        let inner = Tokens::new(group.stream());
        let literal = if inner.peek(1).is_none() { inner.peek(0).cloned() } else { None };
        (value_of(&group), literal)
    } else {
        let token = tokens.take().ok_or_else(|| tokens.fault("expected a value"))?;
        (TokenStream::from(token.clone()), Some(token))
    };
    let fixed = match literal {
        Some(TokenTree::Literal(literal)) => plain(&literal),
        _ => None,
    };
    Ok(Attribute { name, fixed, value, span })
}

/// Yew: the reference, the key, attributes, flags, the class, listeners.
fn order(name: &str, control: bool) -> u8 {
    match name {
        "ref" => 0,
        "key" => 1,
        "value" | "checked" if control => 2,
        "value" => 4,
        "class" => 6,
        _ if FLAGS.contains(&name) => 5,
        _ if is_listener(name) => 7,
        _ => 3,
    }
}

fn is_listener(name: &str) -> bool {
    name.starts_with("on")
}

fn set(attribute: Attribute, control: bool, template: &mut Template) {
    let Attribute { name, fixed, value, span } = attribute;
    match (&*name, fixed) {
        ("ref", _) => template.slot("", quote_spanned! { span => node_ref(#value) }),
        ("key", _) => template.slot("", quote_spanned! { span => key(#value) }),
        ("value", _) if control => template.slot("", quote_spanned! { span => value(#value) }),
        ("checked", _) if control => template.slot("", quote_spanned! { span => checked(#value) }),
        ("class", Some(text)) if text.is_empty() => {}
        (_, Some(text)) if template::fits(&text) => {
            template.mark(marks::FIXED, &format!("{name}={text}"));
        }
        ("class", _) => template.slot("class", quote_spanned! { span => class(#value) }),
        _ if is_listener(&name) => {
            let event = Ident::new(&name, span);
            template.slot(
                "",
                quote_spanned! { span => listener(::yew::html::#event::Wrapper::__macro_new(#value)) },
            );
        }
        _ if FLAGS.contains(&&*name) => {
            template.slot(&name, quote_spanned! { span => flag(#value) });
        }
        _ => template.slot(&name, quote_spanned! { span => attribute(#value) }),
    }
}

/// The text of a string literal without escapes that matter; other literals are code.
pub fn plain(literal: &Literal) -> Option<String> {
    let written = literal.to_string();
    let inner = written.strip_prefix('"')?.strip_suffix('"')?;
    unescaped(inner)
}

/// Understands what the page writes: `\"`, `\\`, `\u{...}` and a line that goes on.
fn unescaped(written: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = written.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match rest.next()? {
            '"' => text.push('"'),
            '\\' => text.push('\\'),
            '\n' => while rest.next_if(|letter| letter.is_whitespace()).is_some() {},
            'u' => {
                let code: String =
                    rest.by_ref().skip(1).take_while(|letter| *letter != '}').collect();
                text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
            }
            _ => return None,
        }
    }
    Some(text)
}

/// What is in the braces; with them, where it is more than an expression.
pub fn value_of(group: &Group) -> TokenStream {
    let statement = |token: TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ';');
    if group.stream().into_iter().any(statement) {
        TokenTree::from(group.clone()).into()
    } else {
        group.stream()
    }
}
