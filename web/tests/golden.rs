//! The golden run, in WebAssembly in a browser: the same digest as natively.
//!
//! The twin of this test is in `tests/stories.rs`; both read the same scenario and digest.

#![cfg(target_arch = "wasm32")]

use psync::cluster::{Run, Scenario};
use psync::time::SECOND_US;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_golden_run_has_the_same_digest_in_the_browser() {
    let scenario = include_str!("../../tests/golden/scenario.json");
    let golden = include_str!("../../tests/golden/digest.txt").trim();
    let mut run = Run::new(Scenario::from_json(scenario).expect("a good scenario"));
    run.advance_us(60 * SECOND_US);
    assert_eq!(format!("{:016x}", run.digest()), golden);
}

#[wasm_bindgen_test]
fn going_back_in_the_browser_leads_to_the_same_moment() {
    let scenario = include_str!("../../tests/golden/scenario.json");
    let golden = include_str!("../../tests/golden/digest.txt").trim();
    let mut run = Run::new(Scenario::from_json(scenario).expect("a good scenario"));
    run.advance_us(60 * SECOND_US);
    run.seek(psync::time::Instant(20 * SECOND_US));
    run.advance_us(40 * SECOND_US);
    assert_eq!(format!("{:016x}", run.digest()), golden);
}
