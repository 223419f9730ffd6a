//! The browser shell of PSYNC Lab: everything that knows the browser.

use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlElement;

/// Fills the shadow root of a `<psync-lab>` element.
#[wasm_bindgen]
pub fn mount(host: &HtmlElement) {
    if let Some(root) = host.shadow_root() {
        root.set_inner_html("<p>PSYNC Lab</p>");
    }
}

fn main() {}
