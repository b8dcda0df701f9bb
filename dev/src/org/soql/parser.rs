//! Tokens to a query: recursive descent over the clauses of SELECT.

use super::super::error::{ApiError, ApiResult};
use super::ast::{Expression, FieldGroup, Function, Group, GroupKind, Item, Order, Path, Query, TypeOf};
use super::fault::Source;
use super::lexer::{self, Kind, Token};

/// Salesforce's limit on the text of a query, in characters.
const MAX_LENGTH: usize = 100_000;
/// How deep parentheses may be nested, so that a hostile query cannot exhaust the stack.
const MAX_DEPTH: usize = 64;
/// Words that cannot be an alias, because a clause begins with them.
const CLAUSES: [&str; 12] =
    ["FROM", "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "FOR", "UPDATE", "SELECT", "AND"];

/// Reads a query.
pub(crate) fn parse(text: &str) -> ApiResult<Query> {
    let source = Source { text };
    if text.len() > MAX_LENGTH && text.chars().count() > MAX_LENGTH {
        return Err(ApiError::bad_request(
            "QUERY_TOO_COMPLICATED",
            "SOQL statements cannot be longer than 100000 characters.",
        ));
    }
    let mut parser = Parser { source, tokens: lexer::tokens(source)?, position: 0, depth: 0 };
    let query = parser.query()?;
    match parser.peek().kind {
        Kind::End => Ok(query),
        _ => Err(parser.unexpected()),
    }
}

pub(crate) struct Parser<'a> {
    pub(crate) source: Source<'a>,
    tokens: Vec<Token>,
    position: usize,
    depth: usize,
}

impl Parser<'_> {
    pub(crate) fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    pub(crate) fn peek_at(&self, ahead: usize) -> &Token {
        // The last token is always the end, and it is never consumed.
        &self.tokens[(self.position + ahead).min(self.tokens.len() - 1)]
    }

    pub(crate) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token.kind != Kind::End {
            self.position += 1;
        }
        token
    }

    /// The error for the next token.
    pub(crate) fn unexpected(&self) -> ApiError {
        let token = self.peek();
        let end = self.peek_at(1).at.max(token.at);
        let found = match token.kind {
            Kind::End => "<EOF>",
            _ => self.source.text[token.at..end].trim(),
        };
        self.source.malformed(token.at, &format!("unexpected token: '{found}'"))
    }

    pub(crate) fn is_word(&self, ahead: usize, word: &str) -> bool {
        matches!(&self.peek_at(ahead).kind, Kind::Word(own) if own.eq_ignore_ascii_case(word))
    }

    pub(crate) fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(0, word);
        self.position += usize::from(found);
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> ApiResult<()> {
        if self.accept_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(crate) fn is_symbol(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.peek_at(ahead).kind, Kind::Symbol(own) if own == symbol)
    }

    pub(crate) fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(0, symbol);
        self.position += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, symbol: &str) -> ApiResult<()> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Runs `inner` one level deeper.
    pub(crate) fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> ApiResult<T>) -> ApiResult<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.source.malformed(self.peek().at, "the query is nested too deeply"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// One or more of something, separated by commas.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> ApiResult<T>) -> ApiResult<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A single name; a word that begins a clause is none.
    pub(crate) fn name(&mut self) -> ApiResult<String> {
        match &self.peek().kind {
            Kind::Word(word) if is_clause(word) => Err(self.unexpected()),
            // What looks like a currency may be a name: `abc1`.
            Kind::Word(name) | Kind::Currency(name) if !name.contains(['-', '.']) => {
                let name = name.clone();
                self.next();
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    pub(crate) fn path(&mut self) -> ApiResult<Path> {
        let at = self.peek().at;
        let mut names = vec![self.name()?];
        while self.accept(".") {
            names.push(self.name()?);
        }
        Ok(Path { names, at })
    }

    /// A field or a function of one.
    pub(crate) fn expression(&mut self) -> ApiResult<Expression> {
        if !self.is_symbol(1, "(") {
            return self.path().map(Expression::Path);
        }
        let at = self.peek().at;
        if self.is_word(0, "DISTANCE") {
            return self.distance();
        }
        let name = self.name()?;
        let Some(function) = Function::named(&name) else {
            return Err(self.source.malformed(at, &format!("unexpected token: '{name}'")));
        };
        self.expect("(")?;
        let arguments = self.nested(|parser| parser.list(Self::expression))?;
        self.expect(")")?;
        Ok(Expression::Call { function, arguments, at })
    }

    /// `DISTANCE(field, GEOLOCATION(latitude, longitude), 'mi')`
    fn distance(&mut self) -> ApiResult<Expression> {
        self.expect_word("DISTANCE")?;
        self.expect("(")?;
        let field = self.path()?;
        self.expect(",")?;
        self.expect_word("GEOLOCATION")?;
        self.expect("(")?;
        let latitude = self.number()?;
        self.expect(",")?;
        let longitude = self.number()?;
        self.expect(")")?;
        self.expect(",")?;
        let unit = match &self.peek().kind {
            Kind::Text(text) if matches!(text.value().to_lowercase().as_str(), "mi" | "km") => {
                text.value().to_lowercase()
            }
            _ => return Err(self.unexpected()),
        };
        self.next();
        self.expect(")")?;
        Ok(Expression::Distance { field, latitude, longitude, unit })
    }

    fn number(&mut self) -> ApiResult<String> {
        let Kind::Number(number) = self.peek().kind.clone() else { return Err(self.unexpected()) };
        self.next();
        Ok(number)
    }

    pub(crate) fn query(&mut self) -> ApiResult<Query> {
        self.expect_word("SELECT")?;
        let select = self.list(Self::item)?;
        self.expect_word("FROM")?;
        let from = self.path()?;
        self.accept_word("AS");
        let alias = self.alias();
        let mut aliases = Vec::new();
        while self.accept(",") {
            let path = self.path()?;
            aliases.push((self.alias().ok_or_else(|| self.unexpected())?, path));
        }
        let scope = if self.accept_word("USING") {
            self.expect_word("SCOPE")?;
            Some(self.name()?)
        } else {
            None
        };
        let filter = if self.accept_word("WHERE") { Some(self.condition()?) } else { None };
        self.with()?;
        let group = self.group()?;
        let having =
            if group.is_some() && self.accept_word("HAVING") { Some(self.condition()?) } else { None };
        let order = self.order()?;
        let limit = if self.accept_word("LIMIT") { Some(self.count()?) } else { None };
        let offset = if self.accept_word("OFFSET") { Some(self.count()?) } else { None };
        self.closing()?;
        Ok(Query { select, from, alias, aliases, scope, filter, group, having, order, limit, offset })
    }

    fn count(&mut self) -> ApiResult<usize> {
        let count = match &self.peek().kind {
            Kind::Number(number) => number.parse().map_err(|_| self.unexpected())?,
            _ => return Err(self.unexpected()),
        };
        self.next();
        Ok(count)
    }

    /// An alias, if one follows. `OFFSET` is an alias unless a number comes after it.
    fn alias(&mut self) -> Option<String> {
        let starts_offset = self.is_word(0, "OFFSET") && matches!(self.peek_at(1).kind, Kind::Number(_));
        if starts_offset { None } else { self.name().ok() }
    }

    fn item(&mut self) -> ApiResult<Item> {
        if self.is_symbol(0, "(") {
            self.next();
            let query = self.nested(Self::query)?;
            self.expect(")")?;
            return Ok(Item::Children(Box::new(query)));
        }
        if self.is_word(0, "TYPEOF") && matches!(self.peek_at(1).kind, Kind::Word(_)) {
            return self.type_of().map(Item::TypeOf);
        }
        if self.is_word(0, "FIELDS") && self.is_symbol(1, "(") {
            return self.field_group();
        }
        if self.is_word(0, "COUNT") && self.is_symbol(1, "(") && self.is_symbol(2, ")") {
            self.position += 3;
            self.alias();
            return Ok(Item::CountAll);
        }
        let value = self.expression()?;
        Ok(Item::Value { value, alias: self.alias() })
    }

    fn field_group(&mut self) -> ApiResult<Item> {
        let at = self.next().at;
        self.expect("(")?;
        let groups =
            [("ALL", FieldGroup::All), ("STANDARD", FieldGroup::Standard), ("CUSTOM", FieldGroup::Custom)];
        let which =
            groups.into_iter().find(|(name, _)| self.is_word(0, name)).ok_or_else(|| self.unexpected())?.1;
        self.next();
        self.expect(")")?;
        Ok(Item::Fields { which, at })
    }

    fn type_of(&mut self) -> ApiResult<TypeOf> {
        self.expect_word("TYPEOF")?;
        let relationship = self.path()?;
        let mut cases = Vec::new();
        while self.accept_word("WHEN") {
            let object = self.path()?;
            self.expect_word("THEN")?;
            cases.push((object, self.list(Self::path)?));
        }
        if cases.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.accept_word("ELSE") { self.list(Self::path)? } else { Vec::new() };
        self.expect_word("END")?;
        Ok(TypeOf { relationship, cases, otherwise })
    }

    /// `WITH` clauses are read and have no effect: the org has no data categories and no field permissions.
    fn with(&mut self) -> ApiResult<()> {
        while self.accept_word("WITH") {
            if ["SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"]
                .into_iter()
                .any(|mode| self.accept_word(mode))
            {
                continue;
            }
            if !self.accept_word("DATA") {
                self.condition()?;
                continue;
            }
            self.expect_word("CATEGORY")?;
            loop {
                self.path()?;
                let selectors = ["ABOVE_OR_BELOW", "ABOVE", "BELOW", "AT"];
                if !selectors.into_iter().any(|selector| self.accept_word(selector)) {
                    return Err(self.unexpected());
                }
                if self.accept("(") {
                    self.list(Self::path)?;
                    self.expect(")")?;
                } else {
                    self.path()?;
                }
                if !self.accept_word("AND") {
                    break;
                }
            }
        }
        Ok(())
    }

    fn group(&mut self) -> ApiResult<Option<Group>> {
        if !self.accept_word("GROUP") {
            return Ok(None);
        }
        self.expect_word("BY")?;
        for (word, kind) in [("ROLLUP", GroupKind::Rollup), ("CUBE", GroupKind::Cube)] {
            if self.is_word(0, word) && self.is_symbol(1, "(") {
                self.position += 2;
                let by = self.list(Self::expression)?;
                self.expect(")")?;
                return Ok(Some(Group { kind, by }));
            }
        }
        Ok(Some(Group { kind: GroupKind::Plain, by: self.list(Self::expression)? }))
    }

    fn order(&mut self) -> ApiResult<Vec<Order>> {
        if !self.accept_word("ORDER") {
            return Ok(Vec::new());
        }
        self.expect_word("BY")?;
        self.list(|parser| {
            let by = parser.expression()?;
            let descending = !parser.accept_word("ASC") && parser.accept_word("DESC");
            let mut nulls_last = false;
            if parser.accept_word("NULLS") {
                nulls_last = parser.accept_word("LAST");
                if !nulls_last {
                    parser.expect_word("FIRST")?;
                }
            }
            Ok(Order { by, descending, nulls_last })
        })
    }

    /// `FOR VIEW`, `UPDATE TRACKING` and the like: read, without effect.
    fn closing(&mut self) -> ApiResult<()> {
        while self.accept_word("FOR") {
            if !["VIEW", "REFERENCE", "UPDATE"].into_iter().any(|word| self.accept_word(word)) {
                return Err(self.unexpected());
            }
            self.accept(",");
        }
        if self.accept_word("UPDATE") {
            self.list(|parser| {
                let known = ["TRACKING", "VIEWSTAT"].into_iter().any(|word| parser.accept_word(word));
                if known { Ok(()) } else { Err(parser.unexpected()) }
            })?;
        }
        Ok(())
    }
}

fn is_clause(word: &str) -> bool {
    CLAUSES.iter().any(|clause| clause.eq_ignore_ascii_case(word))
}
