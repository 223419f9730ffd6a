//! Parts of the page that are drawn from their properties alone, and only when these changed.
//!
//! All of them are one and the same component of Yew, because each component brings its own copy
//! of Yew's life cycle and reconciliation: 4 to 9 kB of the module. A part has no state and no
//! hooks; what needs them is a component of its own. What changes at each drawing anyway is
//! neither, but a plain function.

use std::any::Any;
use std::rc::Rc;

use yew::virtual_dom::Key;
use yew::{Html, Properties, function_component};

use crate::markup::html;

/// A part made of `properties` by `draw`.
pub fn part<P: PartialEq + 'static>(draw: fn(&P) -> Html, properties: P) -> Html {
    let of: Rc<dyn Drawn> = Rc::new(Of { draw, properties });
    html! { <Part {of} /> }
}

/// The same as one of a list, by its key there.
pub fn keyed<P: PartialEq + 'static>(
    key: impl Into<Key>,
    draw: fn(&P) -> Html,
    properties: P,
) -> Html {
    let of: Rc<dyn Drawn> = Rc::new(Of { draw, properties });
    html! { <Part key={key.into()} {of} /> }
}

struct Of<P> {
    draw: fn(&P) -> Html,
    properties: P,
}

trait Drawn: Any {
    fn draw(&self) -> Html;
    fn is(&self, other: &dyn Any) -> bool;
}

impl<P: PartialEq + 'static> Drawn for Of<P> {
    fn draw(&self) -> Html {
        (self.draw)(&self.properties)
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref::<Of<P>>().is_some_and(|other| {
            std::ptr::fn_addr_eq(self.draw, other.draw) && self.properties == other.properties
        })
    }
}

#[derive(Clone, Properties)]
struct PartProps {
    of: Rc<dyn Drawn>,
}

impl PartialEq for PartProps {
    fn eq(&self, other: &PartProps) -> bool {
        let other: &dyn Drawn = &*other.of;
        self.of.is(other)
    }
}

#[function_component]
fn Part(props: &PartProps) -> Html {
    props.of.draw()
}
