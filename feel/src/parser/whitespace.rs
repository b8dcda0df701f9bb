//! White space and comments. They may stand between any two parts of the grammar.

use super::{Parsed, Parser, Stop};
use crate::error::ParseErrorKind;

/// The blanks of the DMN standard (grammar rules 61 and 62), 28 in all.
pub(crate) fn is_whitespace(c: char) -> bool {
    matches!(
        c,
        '\u{9}'..='\u{D}'
            | ' '
            | '\u{85}'
            | '\u{A0}'
            | '\u{1680}'
            | '\u{180E}'
            | '\u{2000}'..='\u{200B}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202F}'
            | '\u{205F}'
            | '\u{3000}'
            | '\u{FEFF}'
    )
}

impl Parser<'_> {
    /// Skips blanks, `// …` up to the line's end, and `/* … */`. An open block comment ends everything.
    pub(super) fn whitespace(&mut self) -> Parsed<()> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(is_whitespace);
            let skipped = rest.len() - trimmed.len();
            if let Some(comment) = trimmed.strip_prefix("//") {
                let length = comment.find('\n').map_or(comment.len(), |at| at + 1);
                self.pos += skipped + 2 + length;
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                let Some(length) = comment.find("*/") else {
                    self.pos += skipped;
                    return Err(Stop::Fatal(ParseErrorKind::OpenComment));
                };
                self.pos += skipped + 2 + length + 2;
            } else {
                self.pos += skipped;
                return Ok(());
            }
        }
    }
}
