//! The browser's parser beside `serde_json`: the same values, the same texts.

#![cfg(target_arch = "wasm32")]

use psync::json;
use serde_json::Value;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const TEXTS: [&str; 12] = [
    "null",
    " [true, false, null] ",
    r#"{"b": 1, "a": {"d": [], "c": {}}, "": "x"}"#,
    "[0, 1, -1, 9007199254740991, -9007199254740991]",
    "[0.5, -0.25, 1.0e-7, 123456.789]",
    r#""\u00e9 \ud83d\ude00 \" \\ \/ \b\f\n\r\t \u0000 \u001f""#,
    r#"{"a": 1, "a": 2}"#,
    r#"{"__proto__": 1, "constructor": 2}"#,
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    include_str!("../../src/cluster/presets.json"),
    include_str!("../../src/cluster/stages.json"),
    include_str!("../../static/conformance.json"),
];

const WRONG: [&str; 10] =
    ["", "{", "[1,]", "{\"a\" 1}", "nul", "'a'", "01", "1 2", "\"\n\"", "{\"a\": 1e999}"];

#[wasm_bindgen_test]
fn the_browser_reads_the_same_values_and_writes_the_same_texts() {
    for text in TEXTS {
        let value: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(json::read(text).as_ref(), Ok(&value), "{text}");
        if !text.contains("__proto__") {
            assert_eq!(json::write(&value), value.to_string(), "{text}");
        }
    }
    // Texts of numbers differ where JavaScript has but one kind of number: there 5.0 is 5.
    assert_eq!(json::read("[5.0, 1e3]"), json::read("[5, 1000]"));
}

#[wasm_bindgen_test]
fn what_is_no_json_is_an_error_with_words() {
    for text in WRONG {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        assert!(json::read(text).is_err_and(|words| words.len() > 10), "{text}");
    }
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert!(json::read(&deep).is_err_and(|words| words.contains("too deep")));
}
