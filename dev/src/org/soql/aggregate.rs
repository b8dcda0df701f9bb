//! GROUP BY, HAVING and the functions that make one value of many.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value, json};

use super::super::decimal::Decimal;
use super::super::error::ApiResult;
use super::super::schema::FieldType;
use super::ast::{Expression, Function, GroupKind, Item, Order};
use super::column::{Context, Scope};
use super::filter::{self, Filter, Left};
use super::prepare::Key;
use super::run;
use super::scalar::{self, Scalar};

/// The most keys of `ROLLUP` and `CUBE`.
const MAX_SUBTOTAL_KEYS: usize = 3;

/// A query that answers with groups instead of records.
#[derive(Debug)]
pub(crate) struct Aggregation {
    keys: Vec<Scalar>,
    /// Which keys count in which pass: one pass, or several for subtotals.
    passes: Vec<Vec<bool>>,
    /// Without GROUP BY there is always exactly one group.
    grouped: bool,
    shown: Vec<(String, Part)>,
    having: Option<Filter<Part>>,
    order: Vec<Key<Part>>,
}

/// A value of a group.
#[derive(Debug, Clone)]
enum Part {
    Key(usize),
    /// Whether the group is a subtotal over this key.
    Grouping(usize),
    Aggregate(Function, Box<Scalar>),
    Formatted(Box<Part>),
}

/// The rows of a group, with the values of its keys.
struct GroupRows {
    keys: Vec<Value>,
    pass: usize,
    rows: Vec<usize>,
}

impl Aggregation {
    /// Checks the query's SELECT, GROUP BY, HAVING and ORDER BY.
    pub(crate) fn prepare(scope: Scope<'_>) -> ApiResult<Self> {
        let query = scope.query;
        let by: &[Expression] = query.group.as_ref().map_or(&[], |group| &group.by);
        let keys = by.iter().map(|expression| key(scope, expression)).collect::<ApiResult<Vec<Scalar>>>()?;
        let kind = query.group.as_ref().map_or(GroupKind::Plain, |group| group.kind);
        if kind != GroupKind::Plain && keys.len() > MAX_SUBTOTAL_KEYS {
            let message = format!("ROLLUP and CUBE take at most {MAX_SUBTOTAL_KEYS} fields");
            return Err(scope.context.source.malformed(by[MAX_SUBTOTAL_KEYS].at(), &message));
        }
        let binder = Binder { scope, by, keys: &keys };
        let shown = binder.shown()?;
        let having = match &query.having {
            None => None,
            Some(condition) => {
                let subquery = |query: &_, at| scope.values_of(query, at);
                Some(filter::bind(
                    scope.context,
                    condition,
                    &|left: &Expression| binder.left(left),
                    &subquery,
                )?)
            }
        };
        let order = query.order.iter().map(|order| binder.order(order, &shown)).collect::<ApiResult<_>>()?;
        let grouped = query.group.is_some();
        Ok(Self { passes: passes(kind, keys.len()), grouped, shown, having, order, keys })
    }

    /// The groups of these rows, as the API shows them.
    pub(crate) fn run(&self, context: Context<'_>, object: usize, rows: &[usize]) -> Vec<Value> {
        let mut groups = self.groups(context, object, rows);
        let value = |group: &GroupRows, part: &Part| self.value(context, object, group, part);
        if let Some(having) = &self.having {
            groups.retain(|group| having.matches(&|part: &Part| value(group, part)));
        }
        run::sort(&mut groups, &self.order, value);
        groups
            .iter()
            .map(|group| {
                let mut members = Map::new();
                members.insert("attributes".into(), json!({ "type": "AggregateResult" }));
                members.extend(self.shown.iter().map(|(name, part)| (name.clone(), value(group, part))));
                Value::Object(members)
            })
            .collect()
    }

    fn groups(&self, context: Context<'_>, object: usize, rows: &[usize]) -> Vec<GroupRows> {
        if !self.grouped {
            return vec![GroupRows { keys: Vec::new(), pass: 0, rows: rows.to_vec() }];
        }
        let table = &context.store.tables[object];
        let mut groups: Vec<GroupRows> = Vec::new();
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
        for row in rows {
            let record = &table.records[*row];
            let values: Vec<Value> =
                self.keys.iter().map(|key| key.value(context.store, object, record)).collect();
            for (pass, counts) in self.passes.iter().enumerate() {
                let keys: Vec<Value> = values
                    .iter()
                    .zip(counts)
                    .map(|(value, counts)| if *counts { value.clone() } else { Value::Null })
                    .collect();
                let identity = keys.iter().map(scalar::identity).collect::<Vec<_>>().join("\u{0}");
                let group = *known.entry((pass, identity)).or_insert_with(|| {
                    groups.push(GroupRows { keys, pass, rows: Vec::new() });
                    groups.len() - 1
                });
                groups[group].rows.push(*row);
            }
        }
        groups
    }

    fn value(&self, context: Context<'_>, object: usize, group: &GroupRows, part: &Part) -> Value {
        let table = &context.store.tables[object];
        match part {
            Part::Key(index) => group.keys[*index].clone(),
            Part::Grouping(index) => Value::Number(u8::from(!self.passes[group.pass][*index]).into()),
            Part::Formatted(inner) => {
                scalar::apply(Function::Format, self.value(context, object, group, inner))
            }
            Part::Aggregate(function, argument) => {
                let values =
                    group.rows.iter().map(|row| argument.value(context.store, object, &table.records[*row]));
                aggregate(*function, values.filter(|value| !value.is_null()))
            }
        }
    }
}

fn key(scope: Scope<'_>, expression: &Expression) -> ApiResult<Scalar> {
    let key = scope.scalar(expression)?;
    let field = &key.column().field;
    let long_text = field.kind == FieldType::Textarea && field.length > 255;
    let continuous = matches!(
        key.kind(),
        FieldType::Datetime
            | FieldType::Double
            | FieldType::Currency
            | FieldType::Percent
            | FieldType::Address
    );
    if long_text || continuous {
        let message = format!("field '{}' can not be grouped in a query call", key.label());
        return Err(scope.context.source.malformed(expression.at(), &message));
    }
    Ok(key)
}

/// Which keys count in each pass: all; all prefixes; all subsets.
fn passes(kind: GroupKind, keys: usize) -> Vec<Vec<bool>> {
    match kind {
        GroupKind::Plain => vec![vec![true; keys]],
        GroupKind::Rollup => (0..=keys).rev().map(|kept| (0..keys).map(|key| key < kept).collect()).collect(),
        GroupKind::Cube => (0..1_usize << keys)
            .map(|left_out| (0..keys).map(|key| left_out & (1 << key) == 0).collect())
            .collect(),
    }
}

fn aggregate(function: Function, values: impl Iterator<Item = Value>) -> Value {
    let numbers = |values: &mut dyn Iterator<Item = Value>| -> Vec<Decimal> {
        values
            .filter_map(|value| value.as_number().and_then(|number| Decimal::parse(&number.to_string())))
            .collect()
    };
    let mut values = values;
    match function {
        Function::Count => Value::Number(values.count().into()),
        Function::CountDistinct => {
            let distinct: HashSet<String> = values.map(|value| scalar::identity(&value)).collect();
            Value::Number(distinct.len().into())
        }
        Function::Sum => {
            let sum = numbers(&mut values).into_iter().reduce(Decimal::add);
            sum.and_then(|sum| sum.to_string().parse::<Number>().ok()).map_or(Value::Null, Value::Number)
        }
        Function::Avg => {
            let numbers = numbers(&mut values);
            let count = Decimal::from_count(numbers.len());
            let sum = numbers.into_iter().reduce(Decimal::add);
            sum.and_then(|sum| Number::from_f64(sum.to_f64() / count.to_f64()))
                .map_or(Value::Null, Value::Number)
        }
        Function::Min => values.min_by(scalar::compare).unwrap_or(Value::Null),
        Function::Max => values.max_by(scalar::compare).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

/// Checks expressions against the keys of the grouping.
struct Binder<'a> {
    scope: Scope<'a>,
    by: &'a [Expression],
    keys: &'a [Scalar],
}

impl Binder<'_> {
    fn shown(&self) -> ApiResult<Vec<(String, Part)>> {
        let mut shown: Vec<(String, Part)> = Vec::new();
        let mut unnamed = 0;
        for item in &self.scope.query.select {
            let at = self.scope.query.from.at;
            let (value, alias, at) = match item {
                Item::Value { value, alias } => (value, alias.clone(), value.at()),
                Item::CountAll => {
                    let message = "COUNT() must be the only element in the SELECT list, without GROUP BY";
                    return Err(self.scope.context.source.malformed(at, message));
                }
                _ => {
                    let message = "only fields and aggregate functions may be selected in a grouped query";
                    return Err(self.scope.context.source.malformed(at, message));
                }
            };
            let part = self.part(value)?;
            let name = match (alias, value) {
                (Some(alias), _) => alias,
                (None, Expression::Path(path)) => self.scope.column(path)?.name,
                _ => {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                }
            };
            if shown.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                return Err(self.scope.context.source.malformed(at, &format!("duplicate alias: {name}")));
            }
            shown.push((name, part));
        }
        Ok(shown)
    }

    fn part(&self, expression: &Expression) -> ApiResult<Part> {
        let source = self.scope.context.source;
        if let Some(index) = self.key_index(expression)? {
            return Ok(Part::Key(index));
        }
        match expression {
            Expression::Call { function: Function::Grouping, arguments, at } => {
                let index = arguments.first().map(|argument| self.key_index(argument)).transpose()?.flatten();
                index
                    .map(Part::Grouping)
                    .ok_or_else(|| source.malformed(*at, "GROUPING needs a field of GROUP BY"))
            }
            Expression::Call { function, arguments, at } if function.is_aggregate() => {
                let [argument] = &arguments[..] else {
                    return Err(source.malformed(*at, "expected one argument"));
                };
                let argument = self.scope.scalar(argument)?;
                self.aggregatable(*function, &argument, *at)?;
                Ok(Part::Aggregate(*function, Box::new(argument)))
            }
            Expression::Call { function: Function::Format, arguments, .. } if arguments.len() == 1 => {
                Ok(Part::Formatted(Box::new(self.part(&arguments[0])?)))
            }
            Expression::Call {
                function: Function::ConvertCurrency | Function::ToLabel, arguments, ..
            } if arguments.len() == 1 => self.part(&arguments[0]),
            other => {
                let name = self.scope.scalar(other)?.label().to_owned();
                Err(source.malformed(other.at(), &format!("Field must be grouped or aggregated: {name}")))
            }
        }
    }

    fn aggregatable(&self, function: Function, argument: &Scalar, at: usize) -> ApiResult<()> {
        let kind = argument.kind();
        let fits = match function {
            Function::Sum | Function::Avg => kind.is_number(),
            Function::Min | Function::Max => !matches!(kind, FieldType::Boolean | FieldType::Address),
            _ => kind != FieldType::Address,
        };
        if fits {
            return Ok(());
        }
        let operator = format!("{function:?}").to_uppercase();
        let message = format!("field {} does not support aggregate operator {operator}", argument.label());
        Err(self.scope.context.source.malformed(at, &message))
    }

    /// Which key an expression is, however it is spelled.
    fn key_index(&self, expression: &Expression) -> ApiResult<Option<usize>> {
        if expression.is_aggregate() {
            return Ok(None);
        }
        let same = |key: &Scalar, own: &Scalar| match (key, own) {
            (Scalar::Call(left, _), Scalar::Call(right, _)) if left != right => false,
            (Scalar::Call(..), Scalar::Call(..)) | (Scalar::Column(_), Scalar::Column(_)) => {
                let (left, right) = (key.column(), own.column());
                left.parents == right.parents && left.name == right.name
            }
            _ => false,
        };
        let own = match expression {
            // A literal match first: it spares the check of fields that are no columns.
            expression if self.by.contains(expression) => {
                return Ok(self.by.iter().position(|by| by == expression));
            }
            Expression::Call {
                function: Function::Format | Function::ToLabel | Function::ConvertCurrency,
                ..
            } => {
                return Ok(None);
            }
            expression => self.scope.scalar(expression)?,
        };
        Ok(self.keys.iter().position(|key| same(key, &own)))
    }

    fn left(&self, expression: &Expression) -> ApiResult<Left<Part>> {
        let part = self.part(expression)?;
        let (kind, label) = match &part {
            Part::Key(index) => (self.keys[*index].kind(), self.keys[*index].label().to_owned()),
            Part::Aggregate(Function::Min | Function::Max, argument) => {
                (argument.kind(), argument.label().to_owned())
            }
            Part::Formatted(_) => (FieldType::String, "FORMAT".to_owned()),
            _ => (FieldType::Double, "aggregate".to_owned()),
        };
        Ok(Left { value: part, kind, label, at: expression.at() })
    }

    fn order(&self, order: &Order, shown: &[(String, Part)]) -> ApiResult<Key<Part>> {
        if let Expression::Path(path) = &order.by
            && let Some((_, part)) = shown.iter().find(|(name, _)| name.eq_ignore_ascii_case(&path.text()))
        {
            let picklist = match part {
                Part::Key(index) => self.keys[*index].column().field.picklist_values.clone(),
                _ => Vec::new(),
            };
            return Ok(Key::new(order, part.clone(), picklist));
        }
        Ok(Key::new(order, self.part(&order.by)?, Vec::new()))
    }
}
