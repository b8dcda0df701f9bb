//! SOSL: what a search says. Source: SOQL and SOSL Reference, "SOSL Syntax" and "FIND {SearchQuery}".
//!
//! `WITH` and `UPDATE` clauses are read without effect.

mod term;

use super::error::{ApiError, ApiResult};

pub(crate) use term::{Term, words};

/// `FIND {term} IN NAME FIELDS RETURNING Account(Id, Name WHERE …), Contact LIMIT 5`
#[derive(Debug)]
pub(crate) struct Search<'a> {
    /// What stands in the braces.
    pub(crate) find: &'a str,
    pub(crate) group: Group,
    pub(crate) returning: Vec<Returning<'a>>,
    pub(crate) limit: Option<usize>,
}

/// One object of RETURNING, with the clauses that a query has too.
#[derive(Debug, PartialEq)]
pub(crate) struct Returning<'a> {
    pub(crate) object: &'a str,
    pub(crate) fields: &'a str,
    pub(crate) clauses: &'a str,
}

/// Which fields are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    All,
    Name,
    Email,
    Phone,
}

impl Group {
    /// A group by its word; case is ignored.
    pub(crate) fn named(word: &str) -> ApiResult<Self> {
        match word.to_ascii_uppercase().as_str() {
            "ALL" | "SIDEBAR" => Ok(Self::All),
            "NAME" => Ok(Self::Name),
            "EMAIL" => Ok(Self::Email),
            "PHONE" => Ok(Self::Phone),
            _ => Err(malformed(format!("unexpected token: {word}"))),
        }
    }
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("MALFORMED_SEARCH", message)
}

/// Reads a search.
pub(crate) fn parse(text: &str) -> ApiResult<Search<'_>> {
    let rest = word(text.trim(), "FIND").ok_or_else(|| {
        malformed("No search term found. The search term must be enclosed in braces behind FIND")
    })?;
    let rest = rest.strip_prefix('{').ok_or_else(|| malformed("unexpected token: expecting '{'"))?;
    let end =
        unescaped(rest, '}').ok_or_else(|| malformed("unexpected end of the search term: expecting '}'"))?;
    let (find, mut rest) = (&rest[..end], rest[end + 1..].trim_start());
    let mut search = Search { find, group: Group::All, returning: Vec::new(), limit: None };
    if let Some(after) = word(rest, "IN") {
        let (name, after) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        search.group = Group::named(name)?;
        rest = word(after.trim_start(), "FIELDS").ok_or_else(|| malformed("expecting FIELDS"))?;
    }
    if let Some(after) = word(rest, "RETURNING") {
        rest = returning(after, &mut search.returning)?;
    }
    if word(rest, "WITH").is_some() {
        let end = ["LIMIT", "UPDATE"].into_iter().filter_map(|clause| clause_at(rest, clause)).min();
        rest = &rest[end.unwrap_or(rest.len())..];
    }
    if let Some(after) = word(rest, "LIMIT") {
        let (number, after) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        let limit = number.parse().map_err(|_| malformed(format!("unexpected token: '{number}'")))?;
        (search.limit, rest) = (Some(limit), after.trim_start());
    }
    if word(rest, "UPDATE").is_some() {
        rest = "";
    }
    if rest.is_empty() { Ok(search) } else { Err(malformed(format!("unexpected token: '{rest}'"))) }
}

/// A search as its reader sees it: what is in the braces with `?` for every text, these texts, and what is behind the
/// braces. For tests of those who write searches.
///
/// # Errors
/// Why it is not a search.
pub fn reading(text: &str) -> Result<(String, Vec<String>, String), String> {
    let search = parse(text).map_err(|error| error.summary())?;
    let (skeleton, texts) = term::reading(search.find).map_err(|error| error.summary())?;
    let behind = search.find.as_ptr() as usize + search.find.len() + 1 - text.as_ptr() as usize;
    Ok((skeleton, texts, text[behind..].to_owned()))
}

/// The text behind this word, if it begins with it.
fn word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    let ends = !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_');
    (head.eq_ignore_ascii_case(word) && ends).then(|| rest.trim_start())
}

fn unescaped(text: &str, wanted: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, character)| {
        let found = character == wanted && !escaped;
        escaped = character == '\\' && !escaped;
        found.then_some(at)
    })
}

fn returning<'a>(mut rest: &'a str, found: &mut Vec<Returning<'a>>) -> ApiResult<&'a str> {
    loop {
        let end =
            rest.find(|next: char| !(next.is_ascii_alphanumeric() || next == '_')).unwrap_or(rest.len());
        let object = &rest[..end];
        if object.is_empty() {
            return Err(malformed("expecting the name of an object after RETURNING"));
        }
        rest = rest[end..].trim_start();
        let (mut fields, mut clauses) = ("", "");
        if rest.starts_with('(') {
            let end = closing(rest).ok_or_else(|| malformed("expecting ')'"))?;
            let inner = rest[1..end].trim();
            let split = ["USING", "WHERE", "ORDER", "LIMIT", "OFFSET"].into_iter();
            let at = split.filter_map(|clause| clause_at(inner, clause)).min().unwrap_or(inner.len());
            (fields, clauses) = (inner[..at].trim(), &inner[at..]);
            rest = rest[end + 1..].trim_start();
        }
        found.push(Returning { object, fields, clauses });
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return Ok(rest),
        }
    }
}

/// Where the parenthesis at the beginning is closed.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    text.char_indices().find_map(|(at, character)| {
        match character {
            '\'' if !escaped => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        (depth == 0).then_some(at)
    })
}

/// Where a clause begins: the first such word; fields come before it, and none has its name.
fn clause_at(text: &str, clause: &str) -> Option<usize> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let mut starts = text.char_indices().map(|(at, _)| at).filter(|at| !text[..*at].ends_with(in_name));
    starts.find(|at| word(&text[*at..], clause).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_taken_apart() {
        let text = r"find {ac\}me} in name fields returning Account(Id, Name where Name = 'a)b' limit 3), Contact with \
                     snippet limit 5 update tracking";
        let search = parse(text).unwrap();
        assert_eq!((search.find, search.group, search.limit), (r"ac\}me", Group::Name, Some(5)));
        let account =
            Returning { object: "Account", fields: "Id, Name", clauses: "where Name = 'a)b' limit 3" };
        assert_eq!(search.returning, [account, Returning { object: "Contact", fields: "", clauses: "" }]);
    }

    #[test]
    fn what_is_no_search_is_refused() {
        for text in [
            "",
            "FIND acme",
            "FIND {acme",
            "FIND {acme} RETURNING",
            "FIND {acme} x",
            "FIND {acme} IN SOME FIELDS",
            "FIND {acme} IN ALL",
            "FIND {acme} RETURNING Account(Id",
            "FIND {acme} LIMIT many",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
