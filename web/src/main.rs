//! The browser shell of PSYNC Lab: everything that knows the browser.

fn main() {}
