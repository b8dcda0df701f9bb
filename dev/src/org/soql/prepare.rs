//! A query checked against the schema: prepared once, run as often as there are parents.

use std::collections::HashSet;

use serde_json::Value;

use super::super::error::ApiResult;
use super::super::schema::ChildRelationship;
use super::aggregate::Aggregation;
use super::ast::{Condition, Expression, FieldGroup, Item, Order, Query, TypeOf};
use super::column::{Column, Context, Scope};
use super::fault;
use super::filter::{self, Filter, Left};
use super::scalar::{self, Scalar};

/// The largest `OFFSET`.
const MAX_OFFSET: usize = 2000;
/// The largest `LIMIT` of a query with `FIELDS(ALL)` or `FIELDS(CUSTOM)`; without a limit they are refused.
const MAX_FIELDS_LIMIT: usize = 200;

/// A query ready to run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) object: usize,
    pub(crate) filter: Option<Filter<Scalar>>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) output: Output,
}

/// What the rows become.
#[derive(Debug)]
pub(crate) enum Output {
    /// `SELECT COUNT()`
    Count,
    Records {
        columns: Vec<Shown>,
        order: Vec<Key<Scalar>>,
    },
    Groups(Aggregation),
}

/// One member of a record that is shown.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A field, perhaps of a parent.
    Column(Box<Column>),
    /// A function, under its own name.
    Function {
        name: String,
        value: Scalar,
    },
    Children {
        name: String,
        object: usize,
        field: usize,
        query: Box<Prepared>,
    },
    /// The fields to show of a parent, by the parent's object; those of `None` for any other.
    TypeOf {
        relationship: String,
        cases: Vec<(Option<usize>, Vec<Column>)>,
    },
}

/// One key of an order.
#[derive(Debug)]
pub(crate) struct Key<T> {
    pub(crate) by: T,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
    /// The values of a picklist, which sort in their own order.
    pub(crate) picklist: Vec<String>,
}

impl<T> Key<T> {
    pub(crate) fn new(order: &Order, by: T, picklist: Vec<String>) -> Self {
        Self { by, descending: order.descending, nulls_last: order.nulls_last, picklist }
    }
}

/// Checks a top-level query.
pub(crate) fn query(context: Context<'_>, query: &Query) -> ApiResult<Prepared> {
    let name = query.from.text();
    let Some(object) = context.store.schema.index_of(&name) else {
        return Err(context.source.error("INVALID_TYPE", query.from.at, &fault::not_supported(&name)));
    };
    prepare(Scope { context, object, query })
}

fn prepare(scope: Scope<'_>) -> ApiResult<Prepared> {
    let query = scope.query;
    let offset = query.offset.unwrap_or(0);
    if offset > MAX_OFFSET {
        let message = format!("Maximum SOQL offset allowed is {MAX_OFFSET}");
        return Err(super::super::error::ApiError::bad_request("NUMBER_OUTSIDE_VALID_RANGE", message));
    }
    let mut filter = query.filter.as_ref().map(|condition| scope.filter(condition)).transpose()?;
    if query.scope.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("mine")) {
        filter = scope.only_mine(filter)?;
    }
    Ok(Prepared { object: scope.object, filter, limit: query.limit, offset, output: scope.output()? })
}

impl Scope<'_> {
    fn output(&self) -> ApiResult<Output> {
        let query = self.query;
        if matches!(query.select[..], [Item::CountAll]) && query.group.is_none() {
            return Ok(Output::Count);
        }
        let aggregate = |item: &Item| match item {
            Item::Value { value, .. } => value.is_aggregate(),
            Item::CountAll => true,
            _ => false,
        };
        if query.group.is_some() || query.select.iter().any(aggregate) {
            return Ok(Output::Groups(Aggregation::prepare(*self)?));
        }
        let mut columns = Vec::new();
        let mut unnamed = 0;
        for item in &query.select {
            self.shown(item, &mut columns, &mut unnamed)?;
        }
        let order = query.order.iter().map(|order| self.key(order)).collect::<ApiResult<_>>()?;
        Ok(Output::Records { columns, order })
    }

    fn key(&self, order: &Order) -> ApiResult<Key<Scalar>> {
        let by = self.scalar(&order.by)?;
        let column = by.column();
        if is_long_text(column) {
            let message = format!("field '{}' can not be sorted in a query call", column.label());
            return Err(self.context.source.malformed(order.by.at(), &message));
        }
        let picklist = column.field.picklist_values.clone();
        Ok(Key::new(order, by, picklist))
    }

    fn shown(&self, item: &Item, columns: &mut Vec<Shown>, unnamed: &mut usize) -> ApiResult<()> {
        match item {
            Item::Value { value: Expression::Path(path), alias } => {
                if alias.is_some() {
                    return Err(self.malformed(path, "only aggregate expressions use field aliasing"));
                }
                self.add(path, columns)?;
            }
            Item::Value { value, alias } => {
                let value = self.scalar(value)?;
                let name = match (alias, &value) {
                    (Some(alias), _) => alias.clone(),
                    (None, Scalar::Call(..)) if value.kind() == value.column().field.kind => {
                        value.label().to_owned()
                    }
                    _ => {
                        *unnamed += 1;
                        format!("expr{}", *unnamed - 1)
                    }
                };
                columns.push(Shown::Function { name, value });
            }
            Item::Fields { which, at } => self.field_group(*which, *at, columns)?,
            Item::TypeOf(type_of) => columns.push(self.type_of(type_of)?),
            Item::Children(query) => columns.push(self.children(query)?),
            Item::CountAll => {}
        }
        Ok(())
    }

    fn field_group(&self, which: FieldGroup, at: usize, columns: &mut Vec<Shown>) -> ApiResult<()> {
        let bounded = self.query.limit.is_some_and(|limit| limit <= MAX_FIELDS_LIMIT);
        if which != FieldGroup::Standard && !bounded {
            let message = format!("The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_LIMIT}");
            return Err(self.context.source.malformed(at, &message));
        }
        for field in &self.context.store.object(self.object).fields {
            let wanted = match which {
                FieldGroup::All => true,
                FieldGroup::Standard => !field.is_custom(),
                FieldGroup::Custom => field.is_custom(),
            };
            if wanted {
                let path = super::ast::Path { names: vec![field.name.clone()], at };
                self.add(&path, columns)?;
            }
        }
        Ok(())
    }

    fn add(&self, path: &super::ast::Path, columns: &mut Vec<Shown>) -> ApiResult<()> {
        let column = self.column(path)?;
        let same = |shown: &Shown| matches!(shown, Shown::Column(other) if other.name == column.name && other.parents == column.parents);
        if columns.iter().any(same) {
            return Err(self.malformed(path, &format!("duplicate field selected: {}", path.text())));
        }
        columns.push(Shown::Column(Box::new(column)));
        Ok(())
    }

    fn type_of(&self, type_of: &TypeOf) -> ApiResult<Shown> {
        let store = self.context.store;
        let path = &type_of.relationship;
        let name = path.names.last().map_or("", String::as_str);
        let object = store.object(self.object);
        let Some(field) = object.parent_relationship(name).filter(|_| path.names.len() == 1) else {
            let message = fault::no_such_relationship(name);
            return Err(self.context.source.error("INVALID_FIELD", path.at, &message));
        };
        let field = &object.fields[field];
        let mut cases = Vec::new();
        for (target, fields) in &type_of.cases {
            let name = target.text();
            let Some(object) = store
                .schema
                .targets(field)
                .find(|index| store.object(*index).name.eq_ignore_ascii_case(&name))
            else {
                let message = format!("Entity '{name}' is not a target of relationship '{}'", path.text());
                return Err(self.context.source.error("INVALID_FIELD", target.at, &message));
            };
            let scope = Scope { object, ..*self };
            cases.push((
                Some(object),
                fields.iter().map(|path| scope.column(path)).collect::<ApiResult<_>>()?,
            ));
        }
        // The fields after ELSE exist in whatever the parent is; they are looked up in the first object that has them.
        let otherwise: ApiResult<Vec<Column>> = type_of
            .otherwise
            .iter()
            .map(|path| {
                let candidates: Vec<usize> = store.schema.targets(field).collect();
                let found =
                    candidates.iter().find_map(|object| Scope { object: *object, ..*self }.column(path).ok());
                found.map_or_else(|| self.column(path), Ok)
            })
            .collect();
        cases.push((None, otherwise?));
        Ok(Shown::TypeOf { relationship: field.relationship_name.clone().unwrap_or_default(), cases })
    }

    fn children(&self, query: &Query) -> ApiResult<Shown> {
        let store = self.context.store;
        let name = query.from.names.last().map_or("", String::as_str);
        let Some(ChildRelationship { object, field, name: Some(spelling) }) =
            store.schema.child_relationship(self.object, name)
        else {
            let message = format!(
                "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom \
                 relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or \
                 the describe call for the appropriate names."
            );
            return Err(self.context.source.error("INVALID_TYPE", query.from.at, &message));
        };
        let name = spelling.to_owned();
        let prepared = prepare(Scope { context: self.context, object, query })?;
        if !matches!(prepared.output, Output::Records { .. }) {
            let message = "aggregate expressions are not allowed in a nested query";
            return Err(self.context.source.malformed(query.from.at, message));
        }
        Ok(Shown::Children { name, object, field, query: Box::new(prepared) })
    }

    fn filter(&self, condition: &Condition) -> ApiResult<Filter<Scalar>> {
        let left = |expression: &Expression| {
            if expression.is_aggregate() {
                let message = "aggregate functions are not allowed in WHERE; use HAVING";
                return Err(self.context.source.malformed(expression.at(), message));
            }
            let value = self.scalar(expression)?;
            let column = value.column();
            if is_long_text(column) || (!column.field.filterable && column.parents.is_empty()) {
                let message = format!("field '{}' can not be filtered in a query call", column.label());
                return Err(self.context.source.error("INVALID_FIELD", expression.at(), &message));
            }
            let (kind, label) = (value.kind(), value.label().to_owned());
            Ok(Left { value, kind, label, at: expression.at() })
        };
        filter::bind(self.context, condition, &left, &|query, at| self.values_of(query, at))
    }

    /// The values of a sub-query's one column.
    pub(crate) fn values_of(&self, sub: &Query, at: usize) -> ApiResult<HashSet<String>> {
        let prepared = query(self.context, sub)?;
        match &prepared.output {
            Output::Records { columns, .. } => match &columns[..] {
                [Shown::Column(column)] if column.field.kind.is_id() => {
                    let rows = prepared.rows(self.context, None);
                    let table = &self.context.store.tables[prepared.object];
                    let values = rows
                        .into_iter()
                        .map(|row| column.value(self.context.store, prepared.object, &table.records[row]));
                    Ok(values
                        .filter(|value| !value.is_null())
                        .map(|value: Value| scalar::identity(&value))
                        .collect())
                }
                _ => Err(self
                    .context
                    .source
                    .malformed(at, "a sub-query must select exactly one id or reference field")),
            },
            _ => Err(self.context.source.malformed(at, "a sub-query must not aggregate")),
        }
    }

    fn only_mine(&self, filter: Option<Filter<Scalar>>) -> ApiResult<Option<Filter<Scalar>>> {
        let owner = super::ast::Path { names: vec!["OwnerId".into()], at: self.query.from.at };
        let owner = Scalar::Column(Box::new(self.column(&owner)?));
        let me = filter::Operand::Id(self.context.store.user.clone());
        let mine = Filter::Test(owner, filter::Test::Compare(super::ast::Operator::Equal, me));
        Ok(Some(Filter::All(filter.into_iter().chain([mine]).collect())))
    }
}

fn is_long_text(column: &Column) -> bool {
    use super::super::schema::FieldType;
    column.field.kind == FieldType::Textarea && column.field.length > 255
}
