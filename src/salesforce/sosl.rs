//! Values in SOSL: each `:name` becomes what no value can leave, in the braces behind FIND and behind them.
//!
//! | Value in the braces | Is searched for as |
//! |---|---|
//! | text, number | its words, in any order, whatever they look like |
//! | `{startsWith: "Ada Lov"}` | its words, the last one as the beginning of a word |
//! | `{phrase: "Ada Lovelace"}` | these words side by side |
//! | a list of these | any of them |
//!
//! Behind the braces, a value becomes a literal as in [`soql`].
//!
//! Source: SOQL and SOSL Reference, "FIND {SearchQuery}": a reserved character is escaped inside of double quotes too, and
//! AND, OR and NOT are operators in any case unless they are quoted.

use serde_json::{Map, Value};

use super::soql::{self, InvalidBinding, cut, described, name_at};

/// Mean something in a search unless a backslash stands before them.
const RESERVED: &str = "?&|!{}[]()^~*:\\\"'+-";

/// The search with its values in it. Every name must have a value, and every value a name; names in double quotes are
/// none.
///
/// # Errors
/// No `FIND {…}`, a name without a value, a value without a name, a value that cannot be searched for.
pub fn bind(search: &str, values: &Map<String, Value>) -> Result<String, InvalidBinding> {
    let (find, rest) = split(search).ok_or_else(|| {
        InvalidBinding::new(
            "",
            "FIND {…} with what to search for in the braces",
            format!("{:?}", cut(search)),
        )
    })?;
    let mut used = Vec::new();
    let bound = bind_term(find, values, &mut used)? + &soql::bind_names(rest, values, &mut used)?;
    soql::all_used(values, &used)?;
    Ok(bound)
}

/// A text as words that are searched for and as nothing else.
///
/// # Errors
/// What was found instead of words.
pub fn plain(text: &str) -> Result<String, InvalidBinding> {
    words("", text, "")
}

/// `FIND {…` without the closing brace, and what is behind it.
fn split(search: &str) -> Option<(&str, &str)> {
    let search = search.trim_start();
    let (find, rest) = search.split_at_checked(4)?;
    let begins = find.eq_ignore_ascii_case("FIND") && rest.trim_start().starts_with('{');
    let mut escaped = false;
    let end = search.char_indices().find_map(|(at, character)| {
        let ends = character == '}' && !escaped;
        escaped = character == '\\' && !escaped;
        ends.then_some(at)
    });
    end.filter(|_| begins).map(|end| search.split_at(end))
}

fn bind_term<'a>(
    find: &'a str,
    values: &Map<String, Value>,
    used: &mut Vec<&'a str>,
) -> Result<String, InvalidBinding> {
    let mut bound = String::with_capacity(find.len());
    let (mut quoted, mut rest) = (false, find);
    while let Some(at) = rest.find(['\\', '"', ':']) {
        bound.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes()[0] {
            b'\\' => rest.chars().take(2).map(char::len_utf8).sum(),
            b'"' => {
                quoted = !quoted;
                1
            }
            _ => {
                let name = name_at(&rest[1..]);
                if !quoted && !name.is_empty() {
                    let value = values.get(name).ok_or_else(|| soql::unknown(name, values))?;
                    bound.push_str(&term(name, value)?);
                    used.push(name);
                    rest = &rest[1 + name.len()..];
                    continue;
                }
                1
            }
        };
        bound.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    bound.push_str(rest);
    Ok(bound)
}

fn term(name: &str, value: &Value) -> Result<String, InvalidBinding> {
    let Value::Array(items) = value else { return single(name, value) };
    if items.is_empty() {
        return Err(InvalidBinding::new(name, "a list of one value or more", "an empty list"));
    }
    let items = items.iter().map(|item| single(name, item)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("({})", items.join(" OR ")))
}

fn single(name: &str, value: &Value) -> Result<String, InvalidBinding> {
    const EXPECTED: &str = "a text, a number, {phrase: …} or {startsWith: …} with a text, or a list of these";
    let mistake = || InvalidBinding::new(name, EXPECTED, described(value));
    match value {
        Value::String(text) => words(name, text, ""),
        Value::Number(number) => words(name, &number.to_string(), ""),
        Value::Object(members) if members.len() == 1 => match members.iter().next() {
            Some((mark, Value::String(text))) if mark == "startsWith" => words(name, text, "*"),
            Some((mark, Value::String(text))) if mark == "phrase" => phrase(name, text),
            _ => Err(mistake()),
        },
        _ => Err(mistake()),
    }
}

/// The words of a text, each escaped; what has no letter and no digit is in no index, and would keep all others from
/// being found.
fn words(name: &str, text: &str, behind: &str) -> Result<String, InvalidBinding> {
    let words = text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let words: Vec<String> = words.map(word).collect();
    match &words[..] {
        [] => Err(nothing(name, text)),
        [word] => Ok(format!("{word}{behind}")),
        words => Ok(format!("({}{behind})", words.join(" AND "))),
    }
}

fn word(text: &str) -> String {
    let is_operator = ["and", "or", "not"].iter().any(|operator| text.eq_ignore_ascii_case(operator));
    if is_operator { format!("\"{text}\"") } else { escaped(text) }
}

fn phrase(name: &str, text: &str) -> Result<String, InvalidBinding> {
    if !text.contains(char::is_alphanumeric) {
        return Err(nothing(name, text));
    }
    let words: Vec<String> = text.split_whitespace().map(escaped).collect();
    Ok(format!("\"{}\"", words.join(" ")))
}

fn nothing(name: &str, text: &str) -> InvalidBinding {
    InvalidBinding::new(name, "a text with a letter or a digit in it", format!("{:?}", cut(text)))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if RESERVED.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound(search: &str, values: &Value) -> Result<String, String> {
        bind(search, values.as_object().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_kind_of_value_has_its_term() {
        for (value, term) in [
            (json!("Ada"), "Ada"),
            (json!(" Ada\tLovelace\n"), "(Ada AND Lovelace)"),
            (json!("O'Brien & Sons*"), "(O\\'Brien AND Sons\\*)"),
            (json!("this or Not"), "(this AND \"or\" AND \"Not\")"),
            (json!("?&|!{}[]()^~*:\\\"'+-1"), "\\?\\&\\|\\!\\{\\}\\[\\]\\(\\)\\^\\~\\*\\:\\\\\\\"\\'\\+\\-1"),
            (json!(-1.5), "\\-1.5"),
            (json!({"phrase": "Ada  and O'Brien &"}), "\"Ada and O\\'Brien \\&\""),
            (json!({"startsWith": "Ada Lov"}), "(Ada AND Lov*)"),
            (json!({"startsWith": "or"}), "\"or\"*"),
            (json!(["Ada", "Grace Hopper", 7]), "(Ada OR (Grace AND Hopper) OR 7)"),
        ] {
            assert_eq!(
                bound("FIND {:x}", &json!({"x": value})).unwrap(),
                format!("FIND {{{term}}}"),
                "{value}"
            );
        }
    }

    #[test]
    fn a_name_is_bound_by_where_it_stands() {
        let search = " find{\":a\" \\: x\\} OR :a AND \\:b} IN NAME FIELDS RETURNING Contact(Id WHERE Name = :a AND Phone = ':a')";
        let expected = "find{\":a\" \\: x\\} OR O\\'B AND \\:b} IN NAME FIELDS RETURNING Contact(Id WHERE Name = 'O\\'B' AND Phone = ':a')";
        assert_eq!(bound(search, &json!({"a": "O'B"})).unwrap(), expected);
        assert_eq!(
            bound("FIND {:a :b}", &json!({"a": ":b", "b": "}"})).unwrap_err(),
            "b: expected a text with a letter or a digit in it, found \"}\""
        );
        assert_eq!(bound("FIND {:a :b}", &json!({"a": ":b", "b": "x}"})).unwrap(), "FIND {\\:b x\\}}");
    }

    #[test]
    fn each_mistake_is_told() {
        let kinds = "x: expected a text, a number, {phrase: …} or {startsWith: …} with a text, or a list of these, found";
        let find = ": expected FIND {…} with what to search for in the braces, found";
        for (search, values, message) in [
            (
                "FIND {:y}",
                json!({"x": 1}),
                "y: expected a value for :y of the query, found only x".to_owned(),
            ),
            ("FIND {y}", json!({"x": 1}), "x: expected :x in the query, found no such name there".to_owned()),
            (
                "FIND {:x}",
                json!({"x": []}),
                "x: expected a list of one value or more, found an empty list".to_owned(),
            ),
            (
                "FIND {:x}",
                json!({"x": " & "}),
                "x: expected a text with a letter or a digit in it, found \" & \"".to_owned(),
            ),
            ("FIND {:x}", json!({"x": null}), format!("{kinds} null")),
            ("FIND {:x}", json!({"x": [["a"]]}), format!("{kinds} a list")),
            ("FIND {:x}", json!({"x": {"like": "a"}}), format!("{kinds} an object")),
            (
                "FIND {:x}",
                json!({"x": {"phrase": "..."}}),
                "x: expected a text with a letter or a digit in it, found \"...\"".to_owned(),
            ),
            ("FIND {acme\\} RETURNING", json!({}), format!("{find} \"FIND {{acme\\\\}} RETURNING\"")),
            ("SELECT Id FROM Account", json!({}), format!("{find} \"SELECT Id FROM Account\"")),
            ("", json!({}), format!("{find} \"\"")),
        ] {
            assert_eq!(bound(search, &values).unwrap_err(), message, "{search}");
        }
    }
}
