//! Markup as a list of nodes: elements, components, fragments, conditions, expressions.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use crate::element;
use crate::marks;
use crate::template::{self, Template};
use crate::tokens::{Fault, Tokens};

/// The whole of `html! { ... }`.
pub fn root(input: TokenStream) -> Result<TokenStream, Fault> {
    let mut tokens = Tokens::new(input.clone());
    let first = tokens.word(1).unwrap_or_default();
    let element = tokens.is("<") && first.starts_with(|letter: char| letter.is_ascii_lowercase());
    let node = if tokens.is("<>") {
        fragment(&mut tokens)?
    } else if element {
        let mut template = Template::default();
        element::element(&mut tokens, &mut template)?;
        template.into_code(quote! { one })
    } else {
        return Ok(quote! { ::yew::html! { #input } });
    };
    if tokens.at_end() {
        Ok(node)
    } else {
        Err(tokens.fault("only one root is possible; use <></>"))
    }
}

/// The nodes up to the end, or to a closing tag.
pub fn nodes(tokens: &mut Tokens, template: &mut Template) -> Result<(), Fault> {
    while !tokens.at_end() && !tokens.is("</") {
        node(tokens, template)?;
    }
    Ok(())
}

/// One node. Returns whether it is always exactly one.
pub fn node(tokens: &mut Tokens, template: &mut Template) -> Result<bool, Fault> {
    if tokens.is_braced() {
        return expression(&tokens.braced()?, template);
    }
    if tokens.word(0).as_deref() == Some("if") {
        let code = condition(tokens)?;
        template.slot("", quote! { node(#code) });
        return Ok(false);
    }
    if tokens.is("<>") {
        let code = fragment(tokens)?;
        template.slot("", quote! { node(#code) });
        return Ok(false);
    }
    let name = if tokens.is("<") { tokens.word(1) } else { None };
    match name {
        Some(name) if name.starts_with(|letter: char| letter.is_ascii_uppercase()) => {
            let code = component(tokens)?;
            template.slot("", quote! { node(#code) });
            Ok(true)
        }
        Some(_) => element::element(tokens, template).map(|()| true),
        None => Err(tokens.fault("expected an element, `if`, or an expression in braces")),
    }
}

/// `{ "text" }`, `{ expression }` or `{ for iterator }`.
fn expression(group: &Group, template: &mut Template) -> Result<bool, Fault> {
    let mut tokens = Tokens::new(group.stream());
    if tokens.word(0).as_deref() == Some("for") {
        tokens.take();
        let items = rest(&mut tokens);
        template.slot("", quote_spanned! { group.span() => each(#items) });
        return Ok(false);
    }
    if let (Some(TokenTree::Literal(literal)), None) = (tokens.peek(0), tokens.peek(1))
        && let Some(text) = element::plain(literal)
        && template::fits(&text)
    {
        template.mark(marks::TEXT, &text);
        return Ok(true);
    }
    let value = element::value_of(group);
    template.slot("", quote_spanned! { group.span() => node(#value) });
    Ok(true)
}

/// `if condition { nodes } else ...`
fn condition(tokens: &mut Tokens) -> Result<TokenStream, Fault> {
    tokens.take();
    let mut asked = TokenStream::new();
    while !tokens.is_braced() {
        let token = tokens.take().ok_or_else(|| tokens.fault("expected what to show"))?;
        asked.extend([token]);
    }
    let shown = branch(&tokens.braced()?)?;
    let otherwise = if tokens.word(0).as_deref() != Some("else") {
        quote! { { ::yew::virtual_dom::VNode::default() } }
    } else if tokens.word(1).as_deref() == Some("if") {
        tokens.take();
        let code = condition(tokens)?;
        quote! { { #code } }
    } else {
        tokens.take();
        let code = branch(&tokens.braced()?)?;
        quote! { { #code } }
    };
    Ok(quote! { if #asked { #shown } else #otherwise })
}

fn branch(group: &Group) -> Result<TokenStream, Fault> {
    list(&mut Tokens::new(group.stream()))
}

/// `<> nodes </>`
fn fragment(tokens: &mut Tokens) -> Result<TokenStream, Fault> {
    tokens.expect("<>")?;
    let code = list(tokens)?;
    tokens.expect("</>")?;
    Ok(code)
}

fn list(tokens: &mut Tokens) -> Result<TokenStream, Fault> {
    let mut template = Template::default();
    nodes(tokens, &mut template)?;
    Ok(template.into_code(quote! { list }))
}

/// `<Name property={value} />` or `<Name ...> nodes </Name>`, handed on to Yew.
fn component(tokens: &mut Tokens) -> Result<TokenStream, Fault> {
    let name = tokens.word(1).unwrap_or_default();
    let mut open = TokenStream::new();
    while !tokens.is("/>") && !tokens.is(">") {
        let token = tokens.take().ok_or_else(|| tokens.fault("expected `>`"))?;
        open.extend([token]);
    }
    if tokens.is("/>") {
        tokens.expect("/>")?;
        return Ok(quote! { ::yew::html! { #open /> } });
    }
    tokens.expect(">")?;
    let children = list(tokens)?;
    tokens.expect("</")?;
    let closed = tokens.dashed()?;
    if closed != name {
        return Err(tokens.fault(format!("<{name}> is closed by </{closed}>")));
    }
    tokens.expect(">")?;
    let close = Ident::new(&name, Span::call_site());
    Ok(quote! { ::yew::html! { #open > { #children } </ #close > } })
}

fn rest(tokens: &mut Tokens) -> TokenStream {
    std::iter::from_fn(|| tokens.take()).collect()
}
