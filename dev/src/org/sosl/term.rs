//! What stands in the braces: words, phrases, wildcards, operators, parentheses.

use super::super::error::ApiResult;
use super::malformed;

/// The characters that mean something in a search unless they are escaped, in quotes as well.
const RESERVED: &str = "?&|!{}[]()^~*:\\\"'+-";
/// Parentheses in parentheses, at most.
const MAX_DEPTH: usize = 50;

/// What is searched for.
#[derive(Debug, PartialEq)]
pub(crate) enum Term {
    Any(Vec<Term>),
    All(Vec<Term>),
    Not(Box<Term>),
    /// Words in a row, each as the characters and wildcards that it consists of.
    Words(Vec<Vec<Glob>>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Glob {
    Any,
    One,
    Exactly(char),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    /// Characters, and whether each was escaped.
    Text(Vec<(char, bool)>),
}

impl Term {
    /// Reads what stands in the braces. Words side by side are joined by AND, and OR binds least.
    pub(crate) fn parse(text: &str) -> ApiResult<Self> {
        if text.chars().filter(|character| character.is_alphanumeric()).count() < 2 {
            return Err(malformed(format!("search term must be longer than one character: {text}")));
        }
        let mut tokens = tokens(text)?;
        tokens.reverse();
        let term = any(&mut tokens, MAX_DEPTH)?;
        if tokens.is_empty() { Ok(term) } else { Err(malformed("unexpected token: ')'")) }
    }

    /// Whether the words of a record's fields fulfil it; the words of a phrase stand in one field.
    pub(crate) fn matches(&self, fields: &[Vec<String>]) -> bool {
        match self {
            Self::Any(terms) => terms.iter().any(|term| term.matches(fields)),
            Self::All(terms) => terms.iter().all(|term| term.matches(fields)),
            Self::Not(term) => !term.matches(fields),
            Self::Words(globs) if globs.is_empty() => true,
            Self::Words(globs) => fields.iter().any(|words| {
                let fits = |window: &[String]| window.iter().zip(globs).all(|(word, glob)| fits(glob, word));
                words.windows(globs.len()).any(fits)
            }),
        }
    }
}

fn fits(glob: &[Glob], word: &str) -> bool {
    match (glob.split_first(), word.chars().next()) {
        (None, None) => true,
        (Some((Glob::Any, rest)), _) => {
            word.char_indices().map(|(at, _)| at).chain([word.len()]).any(|at| fits(rest, &word[at..]))
        }
        (Some((Glob::One, rest)), Some(found)) => fits(rest, &word[found.len_utf8()..]),
        (Some((Glob::Exactly(wanted), rest)), Some(found)) if *wanted == found => {
            fits(rest, &word[found.len_utf8()..])
        }
        _ => false,
    }
}

/// A text as the index has it: runs of letters and digits, without case.
pub(crate) fn words(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

fn tokens(text: &str) -> ApiResult<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' => {
                let end = super::unescaped(&rest[1..], '"').ok_or_else(|| malformed("expecting '\"'"))?;
                (Token::Text(characters(&rest[1..=end])?), end + 2)
            }
            _ => {
                let end = bare_end(rest);
                let token = match rest[..end].to_ascii_uppercase().as_str() {
                    "AND" => Token::And,
                    "OR" => Token::Or,
                    "NOT" => Token::Not,
                    _ => Token::Text(characters(&rest[..end])?),
                };
                (token, end)
            }
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Where a word without quotes ends.
fn bare_end(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, character)| {
        let ends = !escaped && (character.is_whitespace() || "()\"".contains(*character));
        escaped = *character == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at)
}

fn characters(text: &str) -> ApiResult<Vec<(char, bool)>> {
    let mut read = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => read.push((characters.next().ok_or_else(|| malformed("unexpected token: '\\'"))?, true)),
            '*' | '?' => read.push((character, false)),
            _ if RESERVED.contains(character) => {
                return Err(malformed(format!("unexpected token: '{character}'")));
            }
            _ => read.push((character, false)),
        }
    }
    Ok(read)
}

/// The tokens are read from the end.
fn any(tokens: &mut Vec<Token>, depth: usize) -> ApiResult<Term> {
    let mut terms = vec![all(tokens, depth)?];
    while tokens.last() == Some(&Token::Or) {
        tokens.pop();
        terms.push(all(tokens, depth)?);
    }
    Ok(Term::Any(terms))
}

fn all(tokens: &mut Vec<Token>, depth: usize) -> ApiResult<Term> {
    let mut terms = vec![one(tokens, depth)?];
    while !matches!(tokens.last(), None | Some(Token::Or | Token::Close)) {
        if tokens.last() == Some(&Token::And) {
            tokens.pop();
        }
        terms.push(one(tokens, depth)?);
    }
    Ok(Term::All(terms))
}

fn one(tokens: &mut Vec<Token>, depth: usize) -> ApiResult<Term> {
    let deeper = depth.checked_sub(1).ok_or_else(|| malformed("too many parentheses"))?;
    match tokens.pop() {
        Some(Token::Text(text)) => Ok(Term::Words(globs(&text))),
        Some(Token::Not) => Ok(Term::Not(Box::new(one(tokens, deeper)?))),
        Some(Token::Open) => {
            let term = any(tokens, deeper)?;
            if tokens.pop() == Some(Token::Close) { Ok(term) } else { Err(malformed("expecting ')'")) }
        }
        Some(token) => Err(malformed(format!("unexpected token: {token:?}"))),
        None => Err(malformed("unexpected end of the search term")),
    }
}

fn globs(text: &[(char, bool)]) -> Vec<Vec<Glob>> {
    let mut words = vec![Vec::new()];
    for (character, escaped) in text {
        let last = words.len() - 1;
        match character {
            '*' if !escaped => words[last].push(Glob::Any),
            '?' if !escaped => words[last].push(Glob::One),
            _ if character.is_alphanumeric() => {
                words[last].extend(character.to_lowercase().map(Glob::Exactly));
            }
            _ => words.push(Vec::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The tokens with `?` for each text, `?*` where it ends with a wildcard, and the texts.
pub(super) fn reading(text: &str) -> ApiResult<(String, Vec<String>)> {
    Term::parse(text)?;
    let (mut skeleton, mut texts) = (Vec::new(), Vec::new());
    for token in tokens(text)? {
        let Token::Text(mut characters) = token else {
            skeleton.push(format!("{token:?}"));
            continue;
        };
        let open = characters.last() == Some(&('*', false));
        if open {
            characters.pop();
        }
        skeleton.push(if open { "?*" } else { "?" }.to_owned());
        let wild = |(character, escaped): &(char, bool)| "*?".contains(*character) && !escaped;
        if let Some((character, _)) = characters.iter().find(|character| wild(character)) {
            skeleton.push(format!("{character:?} inside"));
        }
        texts.push(characters.iter().map(|(character, _)| character).collect());
    }
    Ok((skeleton.join(" "), texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(find: &str, text: &str) -> bool {
        Term::parse(find).unwrap().matches(&[words(text), words("second")])
    }

    #[test]
    fn words_phrases_wildcards_and_operators_choose() {
        for (find, text, expected) in [
            ("acme", "Acme Inc.", true),
            ("acm", "Acme Inc.", false),
            ("acm*", "Acme Inc.", true),
            ("a?me", "Acme Inc.", true),
            ("a?e", "Acme Inc.", false),
            ("inc acme", "Acme Inc.", true),
            ("acme second", "Acme Inc.", true),
            ("\"inc acme\"", "Acme Inc.", false),
            ("\"acme inc\"", "Acme Inc.", true),
            ("\"acme second\"", "Acme", false),
            ("acme OR bravo", "Bravo", true),
            ("acme or bravo and inc", "Acme", true),
            ("(acme or bravo) and inc", "Acme", false),
            ("acme AND NOT inc", "Acme Inc.", false),
            ("\"and\"", "this and that", true),
            ("\"or\" \"not\"", "Acme", false),
            (r#""a\*me""#, "Acme", false),
            (r"O\'Brien", "O'Brien", true),
            (r"O\'Brien", "Brien O", false),
            (r"acme \&", "Acme", true),
        ] {
            assert_eq!(found(find, text), expected, "{find} in {text}");
        }
    }

    #[test]
    fn what_cannot_be_searched_for_is_refused() {
        let deep = format!("{}acme{}", "(".repeat(60), ")".repeat(60));
        for text in [
            "a",
            "\\&",
            "ac(me",
            "ac)me",
            "ac{me",
            "O'Brien",
            "a-b",
            "acme OR",
            "OR acme",
            "acme AND AND b",
            "\"acme",
            "()ab",
            "ab\\",
            &deep,
        ] {
            assert!(Term::parse(text).is_err(), "{text}");
        }
    }
}
