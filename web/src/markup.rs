//! Elements of the page, made from a template and what fills its slots.
//!
//! This is what `html!` (`markup/src/lib.rs`) compiles to; it makes the same nodes as Yew's macro of
//! that name, but the module carries the fixed part of the markup as a text and not as code. A
//! [`Builder`] goes through its template from slot to slot: each call takes the next one.
//!
//! Invariant: calls and slots agree in number and order, because the macro writes both. Attribute
//! lists that do not change are made once and kept for ever, one for each element in the source, so
//! that Yew can compare them by their address.

use std::cell::RefCell;
use std::rc::Rc;

use yew::html::IntoPropValue;
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, Listeners, VList, VNode, VTag, VText,
};
use yew::{AttrValue, Classes, NodeRef};

pub use psync_lab_markup::html;

const OPEN: u8 = 1;
const FIXED: u8 = 2;
const SLOT: u8 = 3;
const TEXT: u8 = 4;
const CLOSE: u8 = 5;
const CLOSE_ONE: u8 = 6;

/// Makes the nodes of one template.
pub struct Builder {
    /// What was not read yet.
    rest: &'static str,
    /// The elements that are open, innermost last; the first stands for the root.
    open: Vec<Element>,
}

#[derive(Default)]
struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, Option<AttrValue>)>,
    /// Whether an attribute was computed.
    computed: bool,
    listeners: Vec<Option<Rc<dyn Listener>>>,
    node_ref: NodeRef,
    key: Option<Key>,
    value: Option<AttrValue>,
    checked: Option<bool>,
    children: Vec<VNode>,
}

impl Builder {
    /// At the beginning of `template`.
    #[inline(never)]
    #[must_use]
    pub fn new(template: &'static str) -> Self {
        Self { rest: template, open: vec![Element::default()] }
    }

    /// The only node.
    #[inline(never)]
    pub fn one(mut self) -> VNode {
        self.advance();
        self.top().children.pop().unwrap_or_default()
    }

    /// All nodes as a fragment.
    #[inline(never)]
    pub fn list(mut self) -> VNode {
        self.advance();
        list(std::mem::take(&mut self.top().children))
    }

    /// A computed attribute; none leaves it out.
    #[inline(never)]
    pub fn attribute(&mut self, value: impl IntoPropValue<Option<AttrValue>>) {
        let value = value.into_prop_value();
        self.put(|_| value);
    }

    /// A class, or several.
    #[inline(never)]
    pub fn class(&mut self, value: impl Into<Classes>) {
        let value: Option<AttrValue> = value.into().into_prop_value();
        self.put(|_| value);
    }

    /// An attribute that is there or not.
    #[inline(never)]
    pub fn flag(&mut self, set: bool) {
        self.put(|name| set.then_some(AttrValue::Static(name)));
    }

    /// A listener; none is none.
    #[inline(never)]
    pub fn listener(&mut self, listener: Option<Rc<dyn Listener>>) {
        self.advance();
        self.top().listeners.push(listener);
    }

    /// What a list knows the element by.
    #[inline(never)]
    pub fn key(&mut self, key: impl Into<Key>) {
        self.advance();
        self.top().key = Some(key.into());
    }

    /// Where the element itself can be found.
    #[inline(never)]
    pub fn node_ref(&mut self, node_ref: impl IntoPropValue<NodeRef>) {
        self.advance();
        self.top().node_ref = node_ref.into_prop_value();
    }

    /// What stands in a control.
    #[inline(never)]
    pub fn value(&mut self, value: impl IntoPropValue<Option<AttrValue>>) {
        self.advance();
        self.top().value = value.into_prop_value();
    }

    /// Whether a control is checked.
    #[inline(never)]
    pub fn checked(&mut self, checked: bool) {
        self.advance();
        self.top().checked = Some(checked);
    }

    /// What an expression gives: a node, a text, or none.
    #[inline(never)]
    pub fn node(&mut self, node: impl Nodes) {
        self.advance();
        node.add_to(&mut self.top().children);
    }

    /// What an iterator gives.
    #[inline(never)]
    pub fn each<I: IntoIterator<Item: Nodes>>(&mut self, nodes: I) {
        self.advance();
        let children = &mut self.top().children;
        for node in nodes {
            node.add_to(children);
        }
    }

    fn put(&mut self, value: impl FnOnce(&'static str) -> Option<AttrValue>) {
        let name = self.advance();
        let top = self.top();
        top.computed = true;
        top.attributes.push((name, value(name)));
    }

    fn top(&mut self) -> &mut Element {
        if self.open.is_empty() {
            self.open.push(Element::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// Goes to the next slot, or to the end; returns the name of the slot.
    #[inline(never)]
    fn advance(&mut self) -> &'static str {
        while let Some(&mark) = self.rest.as_bytes().first() {
            let all = &self.rest[1..];
            let end = all.bytes().position(|byte| byte < b' ').unwrap_or(all.len());
            let (text, rest) = all.split_at(end);
            self.rest = rest;
            match mark {
                SLOT => return text,
                OPEN => self.open.push(Element { name: text, ..Element::default() }),
                FIXED => {
                    let (name, value) = text.split_once('=').unwrap_or((text, ""));
                    let value = Some(AttrValue::Static(value));
                    self.top().attributes.push((name, value));
                }
                TEXT => self.top().children.push(VText::new(AttrValue::Static(text)).into()),
                CLOSE | CLOSE_ONE => {
                    let node = self.open.pop().unwrap_or_default().into_node(mark == CLOSE_ONE);
                    self.top().children.push(node);
                }
                _ => {}
            }
        }
        ""
    }
}

impl Element {
    fn into_node(mut self, one: bool) -> VNode {
        let attributes = known(self.name, &mut self.attributes, self.computed);
        let listeners = match self.listeners.is_empty() {
            true => Listeners::None,
            false => Listeners::Pending(self.listeners.into_boxed_slice()),
        };
        let Self { node_ref, key, value, .. } = self;
        let tag = match self.name {
            "input" => VTag::__new_input(value, self.checked, node_ref, key, attributes, listeners),
            "textarea" => VTag::__new_textarea(value, None, node_ref, key, attributes, listeners),
            name => {
                let children = match self.children.len() {
                    0 => VNode::default(),
                    1 if one => self.children.remove(0),
                    _ => list(self.children),
                };
                let name = AttrValue::Static(name);
                VTag::__new_other(name, node_ref, key, attributes, listeners, children)
            }
        };
        tag.into()
    }
}

fn list(nodes: Vec<VNode>) -> VNode {
    VNode::VList(Rc::new(VList::with_children(nodes, None)))
}

/// The part of an element's attributes that is the same at each drawing.
#[derive(Clone, Copy)]
enum Known {
    /// All of them.
    Fixed(&'static [(&'static str, AttributeOrProperty)]),
    /// Their names.
    Names(&'static [&'static str]),
}

thread_local! {
    /// By the address of the element's name in its template, in order.
    static KNOWN: RefCell<Vec<(usize, Known)>> = const { RefCell::new(Vec::new()) };
}

fn known(
    name: &'static str,
    attributes: &mut Vec<(&'static str, Option<AttrValue>)>,
    computed: bool,
) -> Attributes {
    if attributes.is_empty() {
        return Attributes::Static(&[]);
    }
    let address = name.as_ptr() as usize;
    let known = KNOWN.with_borrow_mut(|all| {
        match all.binary_search_by_key(&address, |(address, _)| *address) {
            Ok(place) => all[place].1,
            Err(place) => {
                let known = learnt(attributes, computed);
                all.insert(place, (address, known));
                known
            }
        }
    });
    match known {
        Known::Fixed(all) => Attributes::Static(all),
        Known::Names(keys) => Attributes::Dynamic {
            keys,
            values: attributes
                .drain(..)
                .map(|(_, value)| value.map(AttributeOrProperty::Attribute))
                .collect(),
        },
    }
}

/// Kept for ever: there are as many as elements in the source.
fn learnt(attributes: &[(&'static str, Option<AttrValue>)], computed: bool) -> Known {
    if computed {
        return Known::Names(attributes.iter().map(|(name, _)| *name).collect::<Vec<_>>().leak());
    }
    let fixed = attributes.iter().filter_map(|(name, value)| match value {
        Some(AttrValue::Static(text)) => Some((*name, AttributeOrProperty::Static(text))),
        _ => None,
    });
    Known::Fixed(fixed.collect::<Vec<_>>().leak())
}

/// What can stand in braces.
pub trait Nodes: Sized {
    /// As one node.
    fn into_node(self) -> VNode;

    /// At the end of a list.
    fn add_to(self, list: &mut Vec<VNode>) {
        list.push(self.into_node());
    }
}

impl Nodes for VNode {
    fn into_node(self) -> VNode {
        self
    }
}

impl<T: Nodes> Nodes for Option<T> {
    fn into_node(self) -> VNode {
        self.map_or_else(VNode::default, Nodes::into_node)
    }

    fn add_to(self, list: &mut Vec<VNode>) {
        if let Some(node) = self {
            node.add_to(list);
        }
    }
}

impl Nodes for Vec<VNode> {
    fn into_node(self) -> VNode {
        list(self)
    }
}

impl Nodes for AttrValue {
    fn into_node(self) -> VNode {
        VText::new(self).into()
    }
}

impl Nodes for String {
    fn into_node(self) -> VNode {
        AttrValue::from(self).into_node()
    }
}

macro_rules! nodes_by_text {
    ($($type:ty)*) => { $(
        impl Nodes for $type {
            fn into_node(self) -> VNode {
                self.to_string().into_node()
            }
        }
    )* };
}

nodes_by_text!(&str &String usize u64 u32 u8 i32 char);
