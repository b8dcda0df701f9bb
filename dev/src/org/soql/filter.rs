//! Conditions that were checked against the schema, ready to be asked of values.

use std::collections::HashSet;
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::decimal::Decimal;
use super::super::error::{ApiError, ApiResult};
use super::super::schema::FieldType;
use super::super::{datetime, ids};
use super::ast::{Condition, Expression, Literal, LiteralValue, Operator, Query};
use super::column::Context;
use super::dates;
use super::lexer::Text;
use super::scalar;

/// A condition over things of type `L` that have values.
#[derive(Debug, Clone)]
pub(crate) enum Filter<L> {
    All(Vec<Filter<L>>),
    Any(Vec<Filter<L>>),
    Not(Box<Filter<L>>),
    Test(L, Test),
}

/// What is asked of one value.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Compare(Operator, Operand),
    Like(Vec<(char, bool)>),
    In {
        negated: bool,
        list: Vec<Operand>,
    },
    /// Membership in what a sub-query gave.
    InSet {
        negated: bool,
        set: HashSet<String>,
    },
    Includes {
        negated: bool,
        choices: Vec<Vec<String>>,
    },
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Null,
    Boolean(bool),
    Number(Decimal),
    /// In lower case.
    Text(String),
    Id(String),
    /// Dates and times in their stored form, from (inclusive) to (exclusive).
    Range(Range<String>),
}

/// What a condition needs to know of its left side.
pub(crate) struct Left<L> {
    pub(crate) value: L,
    pub(crate) kind: FieldType,
    pub(crate) label: String,
    pub(crate) at: usize,
}

impl<L> Filter<L> {
    /// Whether the values fulfil the condition.
    pub(crate) fn matches(&self, value_of: &impl Fn(&L) -> Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(value_of)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value_of)),
            Self::Not(part) => !part.matches(value_of),
            Self::Test(left, test) => test.passes(&value_of(left)),
        }
    }
}

impl Test {
    fn passes(&self, value: &Value) -> bool {
        match self {
            Self::Compare(operator, operand) => operand.compares(*operator, value),
            Self::Like(pattern) => value.as_str().is_some_and(|text| like(&lower(text), pattern)),
            Self::In { negated, list } => {
                list.iter().any(|operand| operand.compares(Operator::Equal, value)) != *negated
            }
            // A null belongs to nothing, and is not told apart from anything either.
            Self::InSet { negated, set } => {
                !value.is_null() && set.contains(&scalar::identity(value)) != *negated
            }
            Self::Includes { negated, choices } => {
                let own: HashSet<String> = value
                    .as_str()
                    .unwrap_or_default()
                    .split(';')
                    .map(|part| part.trim().to_lowercase())
                    .collect();
                choices.iter().any(|choice| choice.iter().all(|part| own.contains(part))) != *negated
            }
        }
    }
}

impl Operand {
    fn compares(&self, operator: Operator, value: &Value) -> bool {
        use Operator as O;
        if value.is_null() || matches!(self, Self::Null) {
            let both = value.is_null() && matches!(self, Self::Null);
            return match operator {
                O::Equal => both,
                O::NotEqual => !both,
                _ => false,
            };
        }
        if let (Self::Range(range), Value::String(text)) = (self, value) {
            return match operator {
                O::Equal => range.contains(text),
                O::NotEqual => !range.contains(text),
                O::Less => *text < range.start,
                O::LessOrEqual => *text < range.end,
                O::Greater => *text >= range.end,
                O::GreaterOrEqual => *text >= range.start,
                O::Like => false,
            };
        }
        let order = match (self, value) {
            (Self::Boolean(right), Value::Bool(left)) => left.cmp(right),
            (Self::Number(right), Value::Number(left)) => match Decimal::parse(&left.to_string()) {
                Some(left) => left.cmp(right),
                None => return false,
            },
            (Self::Text(right), Value::String(left)) => left.to_lowercase().cmp(right),
            (Self::Id(right), Value::String(left)) => left.cmp(right),
            _ => return operator == O::NotEqual,
        };
        match operator {
            O::Equal => order.is_eq(),
            O::NotEqual => order.is_ne(),
            O::Less => order.is_lt(),
            O::LessOrEqual => order.is_le(),
            O::Greater => order.is_gt(),
            O::GreaterOrEqual => order.is_ge(),
            O::Like => false,
        }
    }
}

fn lower(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}

/// `%` stands for any text, `_` for one character; in time linear in text times pattern.
fn like(text: &[char], pattern: &[(char, bool)]) -> bool {
    let (mut t, mut p) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(('%', false)) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(('_', false)) => (t, p) = (t + 1, p + 1),
            Some((character, _)) if *character == text[t] => (t, p) = (t + 1, p + 1),
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    (t, p) = (from + 1, star + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|part| *part == ('%', false))
}

/// Checks a condition; `left` knows the left sides, `subquery` runs a sub-query and gives its values.
pub(crate) fn bind<L>(
    context: Context<'_>,
    condition: &Condition,
    left: &impl Fn(&Expression) -> ApiResult<Left<L>>,
    subquery: &impl Fn(&Query, usize) -> ApiResult<HashSet<String>>,
) -> ApiResult<Filter<L>> {
    let each = |parts: &[Condition]| {
        parts.iter().map(|part| bind(context, part, left, subquery)).collect::<ApiResult<Vec<_>>>()
    };
    let operands = |left: &Left<L>, list: &[Literal]| {
        list.iter().map(|literal| operand(context, left, literal)).collect::<ApiResult<Vec<Operand>>>()
    };
    Ok(match condition {
        Condition::And(parts) => Filter::All(each(parts)?),
        Condition::Or(parts) => Filter::Any(each(parts)?),
        Condition::Not(part) => Filter::Not(Box::new(bind(context, part, left, subquery)?)),
        Condition::Compare { left: expression, operator: Operator::Like, right } => {
            let left = left(expression)?;
            let pattern = pattern(context, &left, right)?;
            Filter::Test(left.value, Test::Like(pattern))
        }
        Condition::Compare { left: expression, operator, right } => {
            let left = left(expression)?;
            let operand = operand(context, &left, right)?;
            Filter::Test(left.value, Test::Compare(*operator, operand))
        }
        Condition::In { left: expression, negated, list } => {
            let left = left(expression)?;
            let list = operands(&left, list)?;
            Filter::Test(left.value, Test::In { negated: *negated, list })
        }
        Condition::InQuery { left: expression, negated, query, at } => {
            let left = left(expression)?;
            is_reference(context, &left)?;
            Filter::Test(left.value, Test::InSet { negated: *negated, set: subquery(query, *at)? })
        }
        Condition::Includes { left: expression, negated, list } => {
            let left = left(expression)?;
            is_multipicklist(context, &left)?;
            let choices =
                list.iter().map(|literal| choices(context, &left, literal)).collect::<ApiResult<_>>()?;
            Filter::Test(left.value, Test::Includes { negated: *negated, choices })
        }
    })
}

fn is_reference<L>(context: Context<'_>, left: &Left<L>) -> ApiResult<()> {
    if left.kind.is_id() {
        return Ok(());
    }
    let message = format!("a sub-query filters an id or a reference field, not '{}'", left.label);
    Err(context.source.malformed(left.at, &message))
}

fn is_multipicklist<L>(context: Context<'_>, left: &Left<L>) -> ApiResult<()> {
    if left.kind == FieldType::Multipicklist {
        return Ok(());
    }
    let message = format!("includes/excludes operator only valid on multipicklist field: {}", left.label);
    Err(context.source.error("INVALID_FIELD", left.at, &message))
}

fn pattern<L>(context: Context<'_>, left: &Left<L>, literal: &Literal) -> ApiResult<Vec<(char, bool)>> {
    if left.kind.is_id() {
        return Err(context.source.error(
            "INVALID_QUERY_FILTER_OPERATOR",
            literal.at,
            "invalid operator on id field",
        ));
    }
    match &literal.value {
        LiteralValue::Text(text) if is_text(left.kind) => Ok(folded(text)),
        _ => Err(wrong_type(context, left, literal.at)),
    }
}

/// The characters in lower case; a folded character keeps its mark.
fn folded(text: &Text) -> Vec<(char, bool)> {
    text.characters
        .iter()
        .flat_map(|(character, escaped)| character.to_lowercase().map(|c| (c, *escaped)))
        .collect()
}

fn choices<L>(context: Context<'_>, left: &Left<L>, literal: &Literal) -> ApiResult<Vec<String>> {
    match &literal.value {
        LiteralValue::Text(text) => {
            Ok(text.value().split(';').map(|part| part.trim().to_lowercase()).collect())
        }
        _ => Err(wrong_type(context, left, literal.at)),
    }
}

fn is_text(kind: FieldType) -> bool {
    use FieldType as T;
    matches!(
        kind,
        T::String | T::Textarea | T::Picklist | T::Multipicklist | T::Combobox | T::Email | T::Phone | T::Url
    )
}

fn operand<L>(context: Context<'_>, left: &Left<L>, literal: &Literal) -> ApiResult<Operand> {
    use LiteralValue as V;
    let wrong = || wrong_type(context, left, literal.at);
    match (&literal.value, left.kind) {
        (V::Null, _) => Ok(Operand::Null),
        (V::Text(text), kind) if kind.is_id() => {
            let text = text.value();
            if text.is_empty() {
                return Ok(Operand::Null);
            }
            let message = format!("invalid ID field: {text}");
            let invalid = || context.source.error("INVALID_QUERY_FILTER_OPERATOR", literal.at, &message);
            ids::normalize(&text).map(Operand::Id).ok_or_else(invalid)
        }
        (V::Text(text), kind) if is_text(kind) => {
            let text = text.value();
            // An empty text is stored as null.
            Ok(if text.is_empty() { Operand::Null } else { Operand::Text(text.to_lowercase()) })
        }
        (V::Boolean(value), FieldType::Boolean) => Ok(Operand::Boolean(*value)),
        (V::Number(text), kind) if kind.is_number() => {
            Decimal::parse(text).map(Operand::Number).ok_or_else(wrong)
        }
        (V::Date(text), FieldType::Date) => {
            let date = datetime::parse_date(text).ok_or_else(wrong)?;
            let next = date.tomorrow().map_err(|_| wrong())?;
            Ok(Operand::Range(date.to_string()..next.to_string()))
        }
        (V::DateTime(text), FieldType::Datetime) => {
            let moment = datetime::parse(text).ok_or_else(wrong)?;
            let next = moment.checked_add(jiff::SignedDuration::from_secs(1)).map_err(|_| wrong())?;
            Ok(Operand::Range(datetime::format(moment)..datetime::format(next)))
        }
        (V::Relative { name, count }, FieldType::Date | FieldType::Datetime) => {
            let today = context.now.to_zoned(TimeZone::UTC).date();
            let days = dates::range(name, *count, today).ok_or_else(wrong)?;
            let stored = |day: Date| match left.kind {
                FieldType::Date => day.to_string(),
                _ => datetime::start_of_day(day),
            };
            Ok(Operand::Range(stored(days.start)..stored(days.end)))
        }
        _ => Err(wrong()),
    }
}

fn wrong_type<L>(context: Context<'_>, left: &Left<L>, at: usize) -> ApiError {
    let quoted = is_text(left.kind) || left.kind.is_id();
    let kind = match left.kind {
        FieldType::Datetime => "dateTime",
        kind if is_text(kind) => "string",
        kind => kind.name(),
    };
    let form = if quoted { "should be enclosed in quotes" } else { "should not be enclosed in quotes" };
    let message =
        format!("value of filter criterion for field '{}' must be of type {kind} and {form}", left.label);
    context.source.error("INVALID_FIELD", at, &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_like(text: &str, pattern: &str) -> bool {
        let mut characters = pattern.chars();
        let mut parts = Vec::new();
        while let Some(character) = characters.next() {
            match character {
                '\\' => parts.push((characters.next().unwrap(), true)),
                _ => parts.push((character, false)),
            }
        }
        like(&lower(text), &parts)
    }

    #[test]
    fn like_knows_both_wildcards_and_their_escapes() {
        for (text, pattern) in [
            ("Acme", "acme"),
            ("Acme Inc", "ac%"),
            ("abc", "a_c"),
            ("100%", r"100\%"),
            ("aXbXc", "%x%x%"),
            ("", "%"),
        ] {
            assert!(is_like(text, pattern), "{text} {pattern}");
        }
        for (text, pattern) in
            [("Acme", "acm"), ("abbc", "a_c"), ("100x", r"100\%"), ("ab", "a_c"), ("abc", "%b")]
        {
            assert!(!is_like(text, pattern), "{text} {pattern}");
        }
    }
}
