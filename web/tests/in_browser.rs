//! Runs in a real browser, compiled to wasm32: what cannot be shown natively.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn a_document_is_at_hand() {
    let document = web_sys::window().and_then(|window| window.document());
    assert!(document.is_some());
}
