//! Any text is parsed, or refused with a position inside it.
//!
//! `cargo +nightly fuzz run parse -- -max_total_time=600 -timeout=5`

#![no_main]

use camunda_feel::Expression;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Expression::parse(text) {
        assert!(error.offset() <= text.len());
        assert!(!error.to_string().is_empty());
    }
});
