//! Tokens to a condition: WHERE and HAVING.

use super::super::error::ApiResult;
use super::ast::{Condition, Expression, Literal, LiteralValue, Operator};
use super::dates;
use super::lexer::Kind;
use super::parser::Parser;

impl Parser<'_> {
    /// Conditions joined by AND or by OR; both at once need parentheses.
    pub(crate) fn condition(&mut self) -> ApiResult<Condition> {
        let first = self.part()?;
        for (word, join) in
            [("AND", Condition::And as fn(Vec<Condition>) -> Condition), ("OR", Condition::Or)]
        {
            if !self.is_word(0, word) {
                continue;
            }
            let mut parts = vec![first];
            while self.accept_word(word) {
                parts.push(self.part()?);
            }
            return Ok(join(parts));
        }
        Ok(first)
    }

    fn part(&mut self) -> ApiResult<Condition> {
        if self.accept_word("NOT") {
            return self.nested(|parser| Ok(Condition::Not(Box::new(parser.part()?))));
        }
        if self.accept("(") {
            let inner = self.nested(Self::condition)?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> ApiResult<Condition> {
        let left = self.expression()?;
        let operators = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        for (symbol, operator) in operators {
            if self.accept(symbol) {
                return Ok(Condition::Compare { left, operator, right: self.literal()? });
            }
        }
        if self.accept_word("LIKE") {
            return Ok(Condition::Compare { left, operator: Operator::Like, right: self.literal()? });
        }
        if self.accept_word("INCLUDES") {
            return Ok(Condition::Includes { left, negated: false, list: self.literals()? });
        }
        if self.accept_word("EXCLUDES") {
            return Ok(Condition::Includes { left, negated: true, list: self.literals()? });
        }
        let negated = self.accept_word("NOT");
        self.expect_word("IN")?;
        self.membership(left, negated)
    }

    fn membership(&mut self, left: Expression, negated: bool) -> ApiResult<Condition> {
        if self.is_symbol(0, "(") && self.is_word(1, "SELECT") {
            let at = self.next().at;
            let query = Box::new(self.nested(Self::query)?);
            self.expect(")")?;
            return Ok(Condition::InQuery { left, negated, query, at });
        }
        Ok(Condition::In { left, negated, list: self.literals()? })
    }

    fn literals(&mut self) -> ApiResult<Vec<Literal>> {
        self.expect("(")?;
        let list = self.list(Self::literal)?;
        self.expect(")")?;
        Ok(list)
    }

    fn literal(&mut self) -> ApiResult<Literal> {
        let token = self.peek().clone();
        let value = match token.kind {
            Kind::Text(text) => LiteralValue::Text(text),
            Kind::Number(number) => LiteralValue::Number(number),
            // The org has one currency, so the amount is all that counts.
            Kind::Currency(text) => LiteralValue::Number(text[3..].to_owned()),
            Kind::Date(date) => LiteralValue::Date(date),
            Kind::DateTime(moment) => LiteralValue::DateTime(moment),
            Kind::Word(word) if word.eq_ignore_ascii_case("null") => LiteralValue::Null,
            Kind::Word(word) if word.eq_ignore_ascii_case("true") => LiteralValue::Boolean(true),
            Kind::Word(word) if word.eq_ignore_ascii_case("false") => LiteralValue::Boolean(false),
            Kind::Word(word) if dates::is_counted(&word) => return self.counted(&word),
            Kind::Word(word) if dates::is_plain(&word) => {
                LiteralValue::Relative { name: word.to_ascii_uppercase(), count: None }
            }
            _ => return Err(self.unexpected()),
        };
        self.next();
        Ok(Literal { value, at: token.at })
    }

    /// `LAST_N_DAYS:7`
    fn counted(&mut self, name: &str) -> ApiResult<Literal> {
        let at = self.next().at;
        self.expect(":")?;
        let count = match &self.peek().kind {
            Kind::Number(number) => number.parse().ok().filter(|count: &i64| (0..=100_000).contains(count)),
            _ => None,
        };
        let count = Some(count.ok_or_else(|| self.unexpected())?);
        self.next();
        Ok(Literal { value: LiteralValue::Relative { name: name.to_ascii_uppercase(), count }, at })
    }
}
