//! Rewrites a Java pattern into the syntax of the Rust engine.

use std::iter::Peekable;
use std::str::Chars;

use super::Flags;
use super::classes::{escape_class, property_class};

/// What the search for one match may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cost {
    /// The length of a match is bounded, so the search ends soon behind it.
    Bounded,
    /// A search may look at all of the rest.
    Linear,
    /// A search may look at the rest several times.
    Backtracking,
}

pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) cost: Cost,
}

/// Any line break, as an alternative.
const LINE_BREAK: &str = r"(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])";

struct Rewriter<'p> {
    chars: Peekable<Chars<'p>>,
    out: String,
    cost: Cost,
    /// The flags inside the groups that are open.
    flags: Vec<Flags>,
    classes: usize,
    /// How many groups with a number were opened.
    groups: u32,
    /// Whether the input ends with a line break.
    breaks: bool,
}

/// None when the pattern uses an escape that Java does not know either.
pub(super) fn rewrite(pattern: &str, flags: Flags, breaks: bool) -> Option<Rewritten> {
    let mut rewriter = Rewriter {
        chars: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        cost: Cost::Bounded,
        flags: vec![flags],
        classes: 0,
        groups: 0,
        breaks,
    };
    if flags.ignore_case {
        rewriter.out.push_str("(?i)");
    }
    if flags.comments {
        rewriter.out.push_str("(?x)");
    }
    while let Some(c) = rewriter.chars.next() {
        rewriter.step(c)?;
    }
    Some(Rewritten { text: rewriter.out, cost: rewriter.cost })
}

impl Rewriter<'_> {
    fn current(&self) -> Flags {
        self.flags.last().copied().unwrap_or_default()
    }

    fn at_least(&mut self, cost: Cost) {
        self.cost = self.cost.max(cost);
    }

    fn step(&mut self, c: char) -> Option<()> {
        match c {
            '\\' => return self.escape(),
            _ if self.classes > 0 => self.in_class(c),
            '[' => self.open_class(),
            '(' => return self.group(),
            ')' => {
                if self.flags.len() > 1 {
                    self.flags.pop();
                }
                self.out.push(')');
            }
            '.' if self.current().dot_all => self.out.push_str("(?s:.)"),
            '.' => self.out.push_str(r"[^\n\r\x{85}\x{2028}\x{2029}]"),
            '^' if self.current().multi_line => self.out.push_str("(?m:^)"),
            '$' if self.current().multi_line => self.out.push_str("(?m:$)"),
            '$' => self.end_of_input(),
            '{' => {
                self.at_least(Cost::Linear);
                return self.repetition();
            }
            '*' | '+' => {
                self.at_least(Cost::Linear);
                self.out.push(c);
                self.possessive();
            }
            '?' => {
                self.out.push(c);
                self.possessive();
            }
            c => self.out.push(c),
        }
        Some(())
    }

    /// `{2}`, `{2,}` or `{2,4}`; Java knows no other use of this bracket.
    fn repetition(&mut self) -> Option<()> {
        let mut counts = String::new();
        while let Some(c) = self.chars.next_if(|c| *c != '}') {
            counts.push(c);
        }
        self.chars.next()?;
        let (least, most) = counts.split_once(',').unwrap_or((&counts, ""));
        let is_count = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if least.is_empty() || !is_count(least) || !is_count(most) {
            return None;
        }
        self.out.push('{');
        self.out.push_str(&counts);
        self.out.push('}');
        self.possessive();
        Some(())
    }

    /// `a++` and its kind never give back; the engine does this by backtracking.
    fn possessive(&mut self) {
        if self.chars.peek() == Some(&'+') {
            self.at_least(Cost::Backtracking);
        }
    }

    fn end_of_input(&mut self) {
        if self.breaks {
            self.at_least(Cost::Backtracking);
            self.out.push_str("(?=");
            self.out.push_str(LINE_BREAK);
            self.out.push_str(r"?\z)");
        } else {
            self.out.push_str(r"\z");
        }
    }

    fn open_class(&mut self) {
        self.classes += 1;
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        } else if self.chars.next_if_eq(&':').is_some() {
            // Java has no `[:alpha:]`. The engine drops a backslash here, so a range of one tells it.
            self.out.push_str(if self.chars.peek() == Some(&'-') { ":" } else { ":-:" });
        }
    }

    /// Characters that only mean something inside a class of the Rust engine are escaped.
    fn in_class(&mut self, c: char) {
        match c {
            '[' => self.open_class(),
            ']' => {
                self.classes -= 1;
                self.out.push(']');
            }
            '&' if self.chars.next_if_eq(&'&').is_some() => self.out.push_str("&&"),
            '-' if self.chars.peek() == Some(&'-') => self.out.push_str(r"\-"),
            '~' | ':' | '#' => {
                self.out.push('\\');
                self.out.push(c);
            }
            c => self.out.push(c),
        }
    }

    fn escape(&mut self) -> Option<()> {
        let c = self.chars.next()?;
        if let Some((inside, complement)) = escape_class(c) {
            self.class(inside, complement);
            return Some(());
        }
        match c {
            'Q' => self.quoted(),
            'p' | 'P' => return self.property(c == 'P'),
            'R' => self.out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])"),
            'Z' => self.end_of_input(),
            'u' => {
                let code = self.hex(4)?;
                self.code_point(code)?;
            }
            'x' => return self.hex_escape(),
            '0' => return self.octal(),
            'c' => {
                let control = u32::from(self.chars.next()?) ^ 64;
                self.code_point(control)?;
            }
            'e' => self.out.push_str(r"\x1B"),
            'a' => self.out.push_str(r"\x07"),
            'n' | 'r' | 't' | 'f' | 'b' | 'B' | 'A' | 'z' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'G' | 'k' => {
                self.at_least(Cost::Backtracking);
                self.out.push('\\');
                self.out.push(c);
            }
            '1'..='9' => self.back_reference(c),
            c if c.is_ascii_alphanumeric() => return None,
            c => self.literal(c),
        }
        Some(())
    }

    /// Further digits belong to the number as long as there is such a group; a group that was not opened never matches.
    fn back_reference(&mut self, first: char) {
        self.at_least(Cost::Backtracking);
        let mut number = first.to_digit(10).unwrap_or_default();
        while let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(10)) {
            if number * 10 + digit > self.groups {
                break;
            }
            number = number * 10 + digit;
            self.chars.next();
        }
        let reference = if number > self.groups { r"[^\s\S]".to_owned() } else { format!(r"(?:\{number})") };
        self.out.push_str(&reference);
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_punctuation() || c == ' ' {
            self.out.push('\\');
        }
        self.out.push(c);
    }

    fn class(&mut self, inside: &str, complement: bool) {
        self.out.push_str(if complement { "[^" } else { "[" });
        self.out.push_str(inside);
        self.out.push(']');
    }

    fn code_point(&mut self, code: u32) -> Option<()> {
        let c = char::from_u32(code)?;
        self.out.push_str(r"\x{");
        let hex = format!("{:X}", u32::from(c));
        self.out.push_str(&hex);
        self.out.push('}');
        Some(())
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        (0..digits).try_fold(0, |code, _| Some(code * 16 + self.chars.next()?.to_digit(16)?))
    }

    fn hex_escape(&mut self) -> Option<()> {
        if self.chars.next_if_eq(&'{').is_none() {
            let code = self.hex(2)?;
            return self.code_point(code);
        }
        let digits: String = self.chars.by_ref().take_while(|c| *c != '}').collect();
        self.code_point(u32::from_str_radix(&digits, 16).ok()?)
    }

    fn octal(&mut self) -> Option<()> {
        let mut code = self.chars.next()?.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(8)) else { break };
            if code * 8 + digit > 0o377 {
                break;
            }
            code = code * 8 + digit;
            self.chars.next();
        }
        self.code_point(code)
    }

    /// `\Q…\E`: all of it stands for itself.
    fn quoted(&mut self) {
        while let Some(c) = self.chars.next() {
            if c == '\\' && self.chars.next_if_eq(&'E').is_some() {
                return;
            }
            self.literal(c);
        }
    }

    fn property(&mut self, complement: bool) -> Option<()> {
        let name: String = if self.chars.next_if_eq(&'{').is_some() {
            self.chars.by_ref().take_while(|c| *c != '}').collect()
        } else {
            self.chars.next()?.into()
        };
        let inside = property_class(&name)?;
        self.class(&inside, complement);
        Some(())
    }

    fn group(&mut self) -> Option<()> {
        self.flags.push(self.current());
        self.out.push('(');
        if self.chars.next_if_eq(&'?').is_none() {
            self.groups += 1;
            return Some(());
        }
        match self.chars.peek()? {
            ':' => self.out.push('?'),
            '=' | '!' | '>' | '<' => {
                self.out.push('?');
                let named = self.chars.peek() == Some(&'<') && {
                    let mut ahead = self.chars.clone();
                    ahead.next();
                    !matches!(ahead.next(), Some('=' | '!'))
                };
                if named {
                    self.groups += 1;
                } else {
                    self.at_least(Cost::Backtracking);
                }
            }
            _ => return self.inline_flags(),
        }
        let c = self.chars.next()?;
        self.out.push(c);
        if c == '<' && matches!(self.chars.peek(), Some('=' | '!')) {
            self.out.extend(self.chars.next());
        }
        Some(())
    }

    /// `(?i)` for the rest of the group around it, `(?i:…)` for what is inside.
    fn inline_flags(&mut self) -> Option<()> {
        let mut flags = self.current();
        let mut on = true;
        loop {
            match self.chars.next()? {
                '-' => on = false,
                'i' => flags.ignore_case = on,
                's' => flags.dot_all = on,
                'm' => flags.multi_line = on,
                'x' => flags.comments = on,
                'u' | 'U' | 'd' => {}
                ':' => {
                    self.out.push_str(engine_flags(flags));
                    self.out.push(':');
                    self.replace_flags(flags);
                    return Some(());
                }
                ')' => {
                    self.flags.pop();
                    self.replace_flags(flags);
                    self.out.push_str(engine_flags(flags));
                    self.out.push(')');
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn replace_flags(&mut self, flags: Flags) {
        if let Some(current) = self.flags.last_mut() {
            *current = flags;
        }
    }
}

/// The flags that the engine itself must know; the others are written out.
fn engine_flags(flags: Flags) -> &'static str {
    match (flags.ignore_case, flags.comments) {
        (true, true) => "?ix",
        (true, false) => "?i-x",
        (false, true) => "?x-i",
        (false, false) => "?-ix",
    }
}
