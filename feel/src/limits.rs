//! The bounds of an expression and of its evaluation. Each is a clear error, never a hang or an abort.

/// Longest text of an expression, in bytes.
pub const EXPRESSION_BYTES: usize = 64 * 1024;
/// Deepest nesting of brackets, functions and control structures in an expression.
pub const PARSE_DEPTH: u32 = 150;
/// Deepest recursion of an evaluation.
pub const EVALUATION_DEPTH: u32 = 500;
/// Deepest nesting of a value that an evaluation builds.
pub const VALUE_DEPTH: u16 = 200;
/// Most warnings that are kept; the rest is only counted.
pub const WARNINGS: usize = 100;

/// What one evaluation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Evaluated nodes, visited items and copied texts. The default allows about a second of work.
    pub steps: u64,
    /// Items of a list that the evaluation builds.
    pub list_items: usize,
    /// Bytes of a text that the evaluation builds.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 4_000_000, list_items: 2_000_000, text_bytes: 16 * 1024 * 1024 }
    }
}
