//! Java's regular expressions on a Rust engine: the pattern is rewritten, and matches follow each other as
//! `java.util.regex.Matcher.find` finds them.

mod classes;
mod rewrite;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::{Captures, Regex, RegexBuilder};

pub(crate) use rewrite::Cost;
use rewrite::rewrite;

/// Longest pattern, in bytes.
const PATTERN_BYTES: usize = 8 * 1024;
/// Size of a compiled pattern, in bytes.
const COMPILED_BYTES: usize = 1 << 20;
/// Steps back that one search may take.
const BACKTRACK_STEPS: usize = 200_000;
/// Compiled patterns that a thread keeps.
const CACHED: usize = 64;

/// The flags that change a pattern: `s`, `m`, `i`, `x`; other letters are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of a pattern")]
pub(crate) struct Flags {
    pub(crate) dot_all: bool,
    pub(crate) multi_line: bool,
    pub(crate) ignore_case: bool,
    pub(crate) comments: bool,
}

impl Flags {
    pub(crate) fn parse(letters: &str) -> Self {
        Self {
            dot_all: letters.contains('s'),
            multi_line: letters.contains('m'),
            ignore_case: letters.contains('i'),
            comments: letters.contains('x'),
        }
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    cost: Cost,
}

type Key = (String, Flags, bool);

thread_local! {
    /// Patterns are constants of expressions as a rule; compiling costs more than matching.
    static CACHE: RefCell<HashMap<Key, Option<Rc<Pattern>>>> = RefCell::default();
}

/// What ends a line for Java.
const LINE_BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

impl Pattern {
    /// None when the text is no pattern, or one that cannot be rewritten.
    pub(crate) fn compile(pattern: &str, flags: Flags, input: &str) -> Option<Rc<Self>> {
        if pattern.len() > PATTERN_BYTES {
            return None;
        }
        // `$` also matches before a last line break; an input without one spares the search for it.
        let breaks = input.ends_with(LINE_BREAKS);
        let key = (pattern.to_owned(), flags, breaks);
        if let Some(known) = CACHE.with_borrow(|cache| cache.get(&key).cloned()) {
            return known;
        }
        let compiled = Self::build(pattern, flags, breaks).map(Rc::new);
        CACHE.with_borrow_mut(|cache| {
            if cache.len() >= CACHED {
                cache.clear();
            }
            cache.insert(key, compiled.clone());
        });
        compiled
    }

    fn build(pattern: &str, flags: Flags, breaks: bool) -> Option<Self> {
        let rewritten = rewrite(pattern, flags, breaks)?;
        let regex = RegexBuilder::new(&rewritten.text)
            .delegate_size_limit(COMPILED_BYTES)
            .backtrack_limit(BACKTRACK_STEPS)
            .build()
            .ok()?;
        Some(Self { regex, cost: rewritten.cost })
    }

    pub(crate) fn cost(&self) -> Cost {
        self.cost
    }

    pub(crate) fn is_match(&self, input: &str) -> Result<bool, String> {
        self.regex.is_match(input).map_err(|error| too_costly(&error))
    }

    /// The first match at or behind a position.
    pub(crate) fn find<'t>(&'t self, input: &'t str, from: usize) -> Result<Option<Match<'t>>, String> {
        let captures = self.regex.captures_from_pos(input, from).map_err(|error| too_costly(&error))?;
        Ok(captures.map(|captures| Match { captures, groups: self.regex.captures_len() }))
    }
}

fn too_costly(error: &fancy_regex::Error) -> String {
    format!("the pattern cannot be matched within its limits: {error}")
}

/// One match with its groups.
pub(crate) struct Match<'t> {
    captures: Captures<'t, str>,
    groups: usize,
}

impl Match<'_> {
    pub(crate) fn start(&self) -> usize {
        self.captures.get(0).map_or(0, |found| found.start())
    }

    pub(crate) fn end(&self) -> usize {
        self.captures.get(0).map_or(0, |found| found.end())
    }

    /// Where the next search begins: behind the match, and one character further if it was empty.
    pub(crate) fn next_search(&self, input: &str) -> Option<usize> {
        let end = self.end();
        if end > self.start() {
            return Some(end);
        }
        input[end..].chars().next().map(|c| end + c.len_utf8())
    }

    fn group(&self, number: usize) -> &str {
        self.captures.get(number).map_or("", |found| found.as_str())
    }

    /// Writes a replacement: `$1`, `${name}`, and a backslash before a character that shall stand for itself.
    /// None when it names a group that the pattern does not have.
    pub(crate) fn expand(&self, replacement: &str, out: &mut String) -> Option<()> {
        let mut chars = replacement.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.push(chars.next()?),
                '$' if chars.next_if_eq(&'{').is_some() => {
                    let name: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    if !replacement.contains(&format!("${{{name}}}")) {
                        return None;
                    }
                    let known = name.starts_with(|c: char| c.is_ascii_alphabetic());
                    out.push_str(self.captures.name(&name).filter(|_| known)?.as_str());
                }
                '$' => {
                    let mut number = digit(chars.next()?)?;
                    if number >= self.groups {
                        return None;
                    }
                    // Further digits belong to the number as long as there is such a group.
                    while let Some(next) = chars.peek().copied().and_then(digit) {
                        if number * 10 + next >= self.groups {
                            break;
                        }
                        number = number * 10 + next;
                        chars.next();
                    }
                    out.push_str(self.group(number));
                }
                c => out.push(c),
            }
        }
        Some(())
    }
}

fn digit(c: char) -> Option<usize> {
    c.to_digit(10).and_then(|digit| usize::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
