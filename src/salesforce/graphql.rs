//! GraphQL documents, read as far as it takes to know what they do: which operations they define, and of what kind.
//!
//! Source: GraphQL specification (October 2021), sections 2.1 "Source Text" and 2.3 "Operations".

use std::{iter::Peekable, str::Chars};

/// What an operation of a document does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes something.
    Mutation,
    /// Waits for events; Salesforce does not know it.
    Subscription,
}

/// An operation that a document defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphOperation {
    /// What it does.
    pub kind: OperationKind,
    /// Its name; one that is alone may have none.
    pub name: Option<String>,
}

/// The operations of a document, in their order; fragments are passed over.
///
/// # Errors
/// What was expected, where the text is no document: an open string or bracket, or something else than definitions.
pub fn operations(document: &str) -> Result<Vec<GraphOperation>, &'static str> {
    let mut reader = Reader { rest: document.chars().peekable() };
    let mut found = Vec::new();
    while let Some(token) = reader.token()? {
        let kind = match token {
            // A query in short form.
            Token::Open('{') => {
                found.push(GraphOperation { kind: OperationKind::Query, name: None });
                reader.skip_to_close('{')?;
                continue;
            }
            Token::Name(word) => match word.as_str() {
                "query" => Some(OperationKind::Query),
                "mutation" => Some(OperationKind::Mutation),
                "subscription" => Some(OperationKind::Subscription),
                "fragment" => None,
                _ => return Err(DEFINITIONS),
            },
            _ => return Err(DEFINITIONS),
        };
        let name = reader.rest_of_definition()?;
        found.extend(kind.map(|kind| GraphOperation { kind, name }));
    }
    Ok(found)
}

const DEFINITIONS: &str = "a document of queries, mutations and fragments";
const CLOSED: &str = "a document whose brackets are closed";
const QUOTES: &str = "a document whose quotes are closed";

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Open(char),
    Close(char),
    /// A string, a number, a sign: nothing that says what the document does.
    Other,
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn token(&mut self) -> Result<Option<Token>, &'static str> {
        while let Some(character) = self.rest.next() {
            match character {
                // Commas say nothing in GraphQL.
                _ if character.is_whitespace() || matches!(character, ',' | '\u{feff}') => {}
                '#' => while self.rest.next_if(|next| !matches!(next, '\n' | '\r')).is_some() {},
                '"' => return self.string().map(|()| Some(Token::Other)),
                '{' | '(' | '[' => return Ok(Some(Token::Open(character))),
                '}' | ')' | ']' => return Ok(Some(Token::Close(character))),
                _ if character.is_ascii_alphabetic() || character == '_' => {
                    let mut name = String::from(character);
                    let is_part = |next: &char| next.is_ascii_alphanumeric() || *next == '_';
                    while let Some(next) = self.rest.next_if(is_part) {
                        name.push(next);
                    }
                    return Ok(Some(Token::Name(name)));
                }
                _ => return Ok(Some(Token::Other)),
            }
        }
        Ok(None)
    }

    /// Passes over a string whose first quote has been read.
    fn string(&mut self) -> Result<(), &'static str> {
        let mut quotes = 1;
        while quotes < 3 && self.rest.next_if_eq(&'"').is_some() {
            quotes += 1;
        }
        match quotes {
            1 => self.line(),
            2 => Ok(()),
            _ => self.block(),
        }
    }

    fn line(&mut self) -> Result<(), &'static str> {
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some('\\') => drop(self.rest.next()),
                Some('\n' | '\r') | None => return Err(QUOTES),
                Some(_) => {}
            }
        }
    }

    /// Ends with three quotes; a backslash before three makes them text.
    fn block(&mut self) -> Result<(), &'static str> {
        let (mut quotes, mut is_escaped) = (0, false);
        loop {
            match self.rest.next().ok_or(QUOTES)? {
                '"' if is_escaped => {
                    quotes += 1;
                    if quotes == 3 {
                        (quotes, is_escaped) = (0, false);
                    }
                }
                '"' => {
                    quotes += 1;
                    if quotes == 3 {
                        return Ok(());
                    }
                }
                other => (quotes, is_escaped) = (0, other == '\\'),
            }
        }
    }

    /// Passes over all up to the bracket that closes this one.
    fn skip_to_close(&mut self, open: char) -> Result<(), &'static str> {
        let mut open = vec![open];
        while let Some(last) = open.last() {
            match self.token()?.ok_or(CLOSED)? {
                Token::Open(bracket) => open.push(bracket),
                Token::Close(bracket) if closes(*last, bracket) => drop(open.pop()),
                Token::Close(_) => return Err(CLOSED),
                Token::Name(_) | Token::Other => {}
            }
        }
        Ok(())
    }

    /// Passes over a definition whose keyword has been read, up to the end of its selection; the name behind the keyword.
    fn rest_of_definition(&mut self) -> Result<Option<String>, &'static str> {
        let (mut name, mut is_first) = (None, true);
        loop {
            match self.token()?.ok_or(CLOSED)? {
                Token::Open('{') => {
                    self.skip_to_close('{')?;
                    return Ok(name);
                }
                Token::Open(bracket) => self.skip_to_close(bracket)?,
                Token::Close(_) => return Err(CLOSED),
                Token::Name(word) if is_first => name = Some(word),
                Token::Name(_) | Token::Other => {}
            }
            is_first = false;
        }
    }
}

fn closes(open: char, close: char) -> bool {
    matches!((open, close), ('{', '}') | ('(', ')') | ('[', ']'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(document: &str) -> Result<Vec<(OperationKind, Option<String>)>, &'static str> {
        let found = operations(document)?;
        Ok(found.into_iter().map(|operation| (operation.kind, operation.name)).collect())
    }

    #[test]
    fn a_document_says_what_its_operations_do_wherever_the_words_stand() {
        use OperationKind::{Mutation, Query, Subscription};
        let named = |kind, name: &str| (kind, Some(name.to_owned()));
        for (document, expected) in [
            ("{ uiapi { query { a } } }", vec![(Query, None)]),
            ("query { mutation }", vec![(Query, None)]),
            ("\u{feff}query mutation { a }", vec![named(Query, "mutation")]),
            ("# mutation M { a }\nquery Q { a }", vec![named(Query, "Q")]),
            ("query Q($i: In = {a: \"mutation }\"}) @d(x: {b: 1}) { a(s: \"}\") }", vec![named(Query, "Q")]),
            ("query A { a } mutation B { b }", vec![named(Query, "A"), named(Mutation, "B")]),
            ("fragment mutation on X { a } mutation { b }", vec![(Mutation, None)]),
            (
                "{ a(s: \"\"\"\n } mutation \\\"\"\" {\n \"\"\") }\n,mutation M{b}",
                vec![(Query, None), named(Mutation, "M")],
            ),
            ("{ a(s: \"\", t: \"\\\"}\") }", vec![(Query, None)]),
            ("subscription S { a }", vec![named(Subscription, "S")]),
            ("", vec![]),
        ] {
            assert_eq!(found(document), Ok(expected), "{document}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for document in
            ["SELECT Id FROM Account", "query", "query { a", "{ a } }", "{ a ) }", "5", "type X { a: Int }"]
        {
            assert!(found(document).is_err(), "{document}");
        }
        for document in ["{ a(s: \"open) }", "{ a(s: \"x\n\") }", "{ a(s: \"\"\"open) }"] {
            assert_eq!(found(document), Err(QUOTES), "{document}");
        }
    }

    proptest! {
        #[test]
        fn no_text_hides_a_mutation_behind_it(text in "[a-z{}()\"\\\\# \n]{0,30}") {
            // A query with the text as a string of JSON, which escapes as GraphQL does.
            let quoted = serde_json::to_string(&text).unwrap();
            let document = format!("query Q {{ a(s: {quoted}) }} mutation M {{ b }}");
            let kinds: Vec<_> = found(&document).unwrap().into_iter().map(|(kind, _)| kind).collect();
            prop_assert_eq!(kinds, [OperationKind::Query, OperationKind::Mutation]);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = operations(&text);
        }
    }
}
