//! Text to tokens.

use super::super::error::ApiResult;
use super::fault::Source;

/// A piece of a query, and the byte where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: usize,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// A name or keyword; which one, the parser knows.
    Word(String),
    /// A quoted text.
    Text(Text),
    /// A number, as written.
    Number(String),
    /// `2026-11-22`
    Date(String),
    /// `2026-11-22T10:00:00Z`
    DateTime(String),
    /// `USD5000`: a currency's code and an amount. May also be a name.
    Currency(String),
    /// Punctuation and operators.
    Symbol(&'static str),
    End,
}

/// A quoted text: its characters, and whether each was escaped (which matters to LIKE).
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Text {
    pub(crate) characters: Vec<(char, bool)>,
}

impl Text {
    /// The text itself.
    pub(crate) fn value(&self) -> String {
        self.characters.iter().map(|(character, _)| character).collect()
    }
}

const SYMBOLS: [&str; 13] = ["!=", "<>", "<=", ">=", "(", ")", ",", ".", "=", "<", ">", ":", "*"];

/// Splits a query; the last token is [`Kind::End`].
pub(crate) fn tokens(source: Source<'_>) -> ApiResult<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += source.text[at..].len() - source.text[at..].trim_start().len();
        let rest = &source.text[at..];
        let Some(first) = rest.chars().next() else {
            tokens.push(Token { kind: Kind::End, at });
            return Ok(tokens);
        };
        let (kind, length) = match first {
            '\'' => text(source, at)?,
            'a'..='z' | 'A'..='Z' => word(rest),
            '0'..='9' => number_or_date(rest),
            '-' | '+' | '.' if starts_number(rest) => number(rest),
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => (Kind::Symbol(symbol), symbol.len()),
                None => return Err(source.malformed(at, &format!("unexpected token: '{first}'"))),
            },
        };
        tokens.push(Token { kind, at });
        at += length;
    }
}

fn starts_number(rest: &str) -> bool {
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some('-' | '+'), Some('.')) => characters.next().is_some_and(|next| next.is_ascii_digit()),
        (Some('-' | '+' | '.'), Some(next)) => next.is_ascii_digit(),
        _ => false,
    }
}

fn text(source: Source<'_>, at: usize) -> ApiResult<(Kind, usize)> {
    let mut text = Text::default();
    let mut characters = source.text[at + 1..].char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\'' => return Ok((Kind::Text(text), offset + 2)),
            '\\' => {
                let escape = characters.next().map(|(_, escape)| escape);
                let character = match escape.map(|escape| escape.to_ascii_lowercase()) {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('b') => '\u{8}',
                    Some('f') => '\u{c}',
                    Some(literal @ ('\'' | '"' | '\\' | '_' | '%')) => literal,
                    Some('u') => {
                        unicode(&mut characters).ok_or_else(|| bad_escape(source, at + 1 + offset))?
                    }
                    _ => return Err(bad_escape(source, at + 1 + offset)),
                };
                text.characters.push((character, true));
            }
            _ => text.characters.push((character, false)),
        }
    }
    Err(source.malformed(at, "expecting a single quote, found '<EOF>'"))
}

fn unicode(characters: &mut std::str::CharIndices<'_>) -> Option<char> {
    let digits: String = characters.by_ref().take(4).map(|(_, digit)| digit).collect();
    u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).and_then(char::from_u32)
}

fn bad_escape(source: Source<'_>, at: usize) -> super::super::error::ApiError {
    source.malformed(at, "Illegal character escape in a string literal: expected one of \\n \\r \\t \\b \\f \\\" \\' \\\\ \\_ \\% \\uXXXX")
}

fn word(rest: &str) -> (Kind, usize) {
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let word = &rest[..end];
    if let Some(length) = currency(rest) {
        return (Kind::Currency(rest[..length].to_owned()), length);
    }
    (Kind::Word(word.to_owned()), end)
}

/// The length of `USD-500.25`, if the text begins so: three letters, then nothing but a number.
fn currency(rest: &str) -> Option<usize> {
    let amount = rest.get(3..).filter(|_| rest.as_bytes()[..3].iter().all(u8::is_ascii_alphabetic))?;
    if !(amount.starts_with(|c: char| c.is_ascii_digit())
        || (amount.starts_with('-') && starts_number(amount)))
    {
        return None;
    }
    let (_, length) = number(amount);
    let next = amount[length..].chars().next();
    (!next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')).then_some(3 + length)
}

fn number(rest: &str) -> (Kind, usize) {
    let digits = |from: usize| rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(rest.starts_with(['-', '+']));
    end += digits(end);
    if rest[end..].starts_with('.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['-', '+']));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    (Kind::Number(rest[..end].to_owned()), end)
}

fn number_or_date(rest: &str) -> (Kind, usize) {
    let shape = b"0000-00-00";
    let is_date = rest.len() >= shape.len()
        && rest.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        });
    if !is_date {
        return number(rest);
    }
    if !rest[10..].starts_with(['T', 't']) {
        return (Kind::Date(rest[..10].to_owned()), 10);
    }
    let clock = rest[11..].bytes().take_while(|byte| byte.is_ascii_digit() || b":.".contains(byte)).count();
    let mut end = 11 + clock;
    if rest[end..].starts_with(['Z', 'z']) {
        end += 1;
    } else if rest[end..].starts_with(['+', '-']) {
        end += 1 + rest[end + 1..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
    }
    (Kind::DateTime(rest[..end].to_owned()), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(Source { text }).unwrap().into_iter().map(|token| token.kind).collect()
    }

    #[test]
    fn numbers_dates_and_currencies_are_told_apart() {
        let found = kinds("-1.5e3 2026-11-22 2026-11-22T10:00:00.000+01:00 USD-500.01 abc1__c 7");
        let expected = [
            Kind::Number("-1.5e3".into()),
            Kind::Date("2026-11-22".into()),
            Kind::DateTime("2026-11-22T10:00:00.000+01:00".into()),
            Kind::Currency("USD-500.01".into()),
            Kind::Word("abc1__c".into()),
            Kind::Number("7".into()),
            Kind::End,
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn escapes_give_their_character_and_are_remembered() {
        let [Kind::Text(text), Kind::End] = &kinds(r"'a\'\%\u00e4\\n'")[..] else { panic!("one text") };
        assert_eq!(text.value(), r"a'%ä\n");
        assert!(text.characters[2].1 && !text.characters[5].1);
    }

    #[test]
    fn an_open_text_and_a_strange_character_are_errors() {
        for text in ["'abc", r"'\q'", r"'\u12'", "a ; b", "é"] {
            assert!(tokens(Source { text }).is_err(), "{text}");
        }
    }
}
