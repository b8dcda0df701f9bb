//! Any text is parsed, or refused with a position inside it.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none parse -- -max_total_time=600 -timeout=20`

#![no_main]

use camunda_feel::Expression;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(error) = Expression::parse(text) {
        assert!(error.offset() <= text.len());
        assert!(!error.to_string().is_empty());
    }
});
