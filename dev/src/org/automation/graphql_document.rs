//! GraphQL text to fields. Fragments, directives and subscriptions are left out: the org says so.
//!
//! Source: GraphQL specification (October 2021), section 2.

use serde_json::{Map, Number, Value};

/// A field with what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Under which the answer has it.
    pub(super) alias: String,
    pub(super) name: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) selection: Vec<Field>,
}

/// An operation of a document.
#[derive(Debug, PartialEq)]
pub(super) struct Operation {
    pub(super) is_mutation: bool,
    pub(super) name: Option<String>,
    pub(super) selection: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Value(Value),
    Sign(char),
}

/// Reads a document, with the values of its variables.
pub(super) fn parse(text: &str, variables: &Map<String, Value>) -> Result<Vec<Operation>, String> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0, variables: variables.clone() };
    let mut operations = Vec::new();
    while parser.place < parser.tokens.len() {
        operations.push(parser.operation()?);
    }
    Ok(operations)
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut place) = (Vec::new(), 0);
    while let Some(&character) = characters.get(place) {
        let run = |part: fn(char) -> bool| characters[place..].iter().take_while(|next| part(**next)).count();
        match character {
            _ if character.is_whitespace() || matches!(character, ',' | '\u{feff}') => place += 1,
            '#' => place += run(|next| next != '\n'),
            '"' => {
                let (text, length) = quoted(&characters[place..])?;
                tokens.push(Token::Value(text.into()));
                place += length;
            }
            _ if character.is_ascii_alphabetic() || character == '_' => {
                let length = run(|next| next.is_ascii_alphanumeric() || next == '_');
                tokens.push(Token::Name(characters[place..place + length].iter().collect()));
                place += length;
            }
            _ if character.is_ascii_digit() || character == '-' => {
                let length = run(|next| next.is_ascii_alphanumeric() || "+-.".contains(next));
                let text: String = characters[place..place + length].iter().collect();
                let number: Number =
                    serde_json::from_str(&text).map_err(|_| format!("Invalid number {text}"))?;
                tokens.push(Token::Value(number.into()));
                place += length;
            }
            _ => {
                tokens.push(Token::Sign(character));
                place += 1;
            }
        }
    }
    Ok(tokens)
}

/// A string at the start, and how many characters it takes.
fn quoted(text: &[char]) -> Result<(String, usize), String> {
    const OPEN: &str = "Unterminated string";
    if text.starts_with(&['"'; 3]) {
        let end =
            (3..text.len()).find(|place| text[*place..].starts_with(&['"'; 3]) && text[*place - 1] != '\\');
        let end = end.ok_or(OPEN)?;
        return Ok((text[3..end].iter().collect::<String>().replace("\\\"\"\"", "\"\"\""), end + 3));
    }
    let mut place = 1;
    while *text.get(place).ok_or(OPEN)? != '"' {
        place += if text[place] == '\\' { 2 } else { 1 };
    }
    let literal: String = text[..=place].iter().collect();
    let value = serde_json::from_str(&literal).map_err(|_| format!("Invalid string {literal}"))?;
    Ok((value, place + 1))
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    variables: Map<String, Value>,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    fn take(&mut self) -> Result<Token, String> {
        let token = self.peek().cloned().ok_or("Unexpected end of the document")?;
        self.place += 1;
        Ok(token)
    }

    fn is_next(&mut self, sign: char) -> bool {
        let is_next = self.peek() == Some(&Token::Sign(sign));
        self.place += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        match self.take()? {
            Token::Sign(own) if own == sign => Ok(()),
            other => Err(format!("expected {sign}, found {other:?}")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.take()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("expected a name, found {other:?}")),
        }
    }

    fn operation(&mut self) -> Result<Operation, String> {
        let (mut is_mutation, mut name) = (false, None);
        if let Some(Token::Name(word)) = self.peek() {
            is_mutation = match word.as_str() {
                "query" => false,
                "mutation" => true,
                other => return Err(format!("{other} is not supported here")),
            };
            self.place += 1;
            if matches!(self.peek(), Some(Token::Name(_))) {
                name = Some(self.name()?);
            }
            if self.is_next('(') {
                self.variable_definitions()?;
            }
        }
        Ok(Operation { is_mutation, name, selection: self.selection()? })
    }

    /// `($name: Type! = default, …)`: only the defaults matter here.
    fn variable_definitions(&mut self) -> Result<(), String> {
        while !self.is_next(')') {
            self.expect('$')?;
            let name = self.name()?;
            self.expect(':')?;
            while matches!(self.peek(), Some(Token::Name(_) | Token::Sign('[' | ']' | '!'))) {
                self.place += 1;
            }
            if self.is_next('=') {
                let default = self.value()?;
                self.variables.entry(name).or_insert(default);
            }
        }
        Ok(())
    }

    fn selection(&mut self) -> Result<Vec<Field>, String> {
        self.expect('{')?;
        let mut fields = Vec::new();
        while !self.is_next('}') {
            let mut name = self.name()?;
            let mut alias = name.clone();
            if self.is_next(':') {
                name = self.name()?;
            } else {
                alias.clone_from(&name);
            }
            let mut arguments = Map::new();
            if self.is_next('(') {
                while !self.is_next(')') {
                    let argument = self.name()?;
                    self.expect(':')?;
                    arguments.insert(argument, self.value()?);
                }
            }
            let has_selection = self.peek() == Some(&Token::Sign('{'));
            let selection = if has_selection { self.selection()? } else { Vec::new() };
            fields.push(Field { alias, name, arguments, selection });
        }
        Ok(fields)
    }

    fn value(&mut self) -> Result<Value, String> {
        match self.take()? {
            Token::Value(value) => Ok(value),
            Token::Name(word) => Ok(match word.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                // A word of an enumeration.
                _ => word.into(),
            }),
            Token::Sign('$') => {
                let name = self.name()?;
                Ok(self.variables.get(&name).cloned().unwrap_or_default())
            }
            Token::Sign('[') => {
                let mut items = Vec::new();
                while !self.is_next(']') {
                    items.push(self.value()?);
                }
                Ok(items.into())
            }
            Token::Sign('{') => {
                let mut members = Map::new();
                while !self.is_next('}') {
                    let name = self.name()?;
                    self.expect(':')?;
                    members.insert(name, self.value()?);
                }
                Ok(members.into())
            }
            Token::Sign(other) => Err(format!("expected a value, found {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_have_their_arguments_with_the_values_of_variables() {
        let text = "# x }\nquery Q($n: Int! = 3, $s: [String]) { a: b(n: $n, s: $s, e: ASC, o: {t: \"\\\"}\", u: null}) { c } }";
        let variables = json!({ "s": ["x"] });
        let operations = parse(text, variables.as_object().unwrap()).unwrap();
        let [Operation { is_mutation: false, name: Some(name), selection }] = &operations[..] else {
            panic!()
        };
        let arguments = json!({ "n": 3, "s": ["x"], "e": "ASC", "o": { "t": "\"}", "u": null } });
        assert_eq!((name.as_str(), selection[0].alias.as_str(), selection[0].name.as_str()), ("Q", "a", "b"));
        assert_eq!(Value::Object(selection[0].arguments.clone()), arguments);
        assert_eq!(selection[0].selection[0].name, "c");
    }

    #[test]
    fn what_is_no_document_is_told() {
        for text in ["query {", "{ a(b: ) }", "fragment F on A { a }", "{ a(s: \"x }", "{ ...F }"] {
            assert!(parse(text, &Map::new()).is_err(), "{text}");
        }
    }
}
