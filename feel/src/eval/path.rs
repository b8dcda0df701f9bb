//! Variables, paths and properties. A name that is not there is null, with a warning.

use super::{Eval, Evaluator};
use crate::ast::{NodeId, Step, Text};
use crate::env::Env;
use crate::error::{EvalError, WarningKind};
use crate::temporal::{Date, DayTimeDuration, LocalTime};
use crate::value::{List, Value, brief};

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn variable(&self, name: &str, env: &Env<'a>) -> Result<Option<Value<'a>>, EvalError> {
        let (found, visited) = env.variable(name);
        self.budget.steps(visited / 16)?;
        Ok(found.or_else(|| self.scope.get(name)))
    }

    pub(super) fn reference(&self, names: &'a [Text], env: &Env<'a>) -> Eval<'a> {
        let Some((first, path)) = names.split_first() else { return Ok(Value::Null) };
        let Some(mut value) = self.variable(first, env)? else {
            self.warn(WarningKind::NoVariableFound, || format!("No variable found with name '{first}'"));
            return Ok(Value::Null);
        };
        for name in path {
            value = self.path(&value, name)?;
        }
        Ok(value)
    }

    pub(super) fn access(&self, base: NodeId, steps: &'a [Step], env: &Env<'a>) -> Eval<'a> {
        let mut value = self.eval(base, env);
        for step in steps {
            self.budget.step()?;
            value = match step {
                Step::Path(name) => Ok(self.path(&value?, name)?),
                Step::Filter(filter) => super::null_for_error(self.filter(value, *filter, env)),
            };
        }
        value
    }

    /// The entry of a context, the entries of all contexts of a list, or the property of another value.
    fn path(&self, value: &Value<'a>, name: &str) -> Result<Value<'a>, EvalError> {
        match value {
            Value::Context(context) => Ok(context.get(name).unwrap_or_else(|| {
                self.warn(WarningKind::NoContextEntryFound, || no_entry(context, name));
                Value::Null
            })),
            Value::List(list) => {
                self.budget.check_items(list.len())?;
                self.budget.items(list.len())?;
                let items: Result<Vec<Value<'a>>, EvalError> =
                    list.iter().map(|item| self.budget.deeper(|| self.path(&item, name))).collect();
                Ok(Value::List(List::new(items?)?))
            }
            Value::Null => {
                self.warn(WarningKind::NoContextEntryFound, || {
                    format!("No context entry found with key '{name}'. The context is null")
                });
                Ok(Value::Null)
            }
            other => Ok(property(other, name).unwrap_or_else(|| {
                self.warn(WarningKind::NoPropertyFound, || {
                    format!("No property found with name '{name}' of value '{}'", brief(other))
                });
                Value::Null
            })),
        }
    }
}

fn no_entry(context: &crate::value::Context<'_>, name: &str) -> String {
    const SHOWN: usize = 20;
    if context.is_empty() {
        return format!("No context entry found with key '{name}'. The context is empty");
    }
    let keys: Vec<String> = context.entries().take(SHOWN).map(|(key, _)| format!("'{}'", &*key)).collect();
    let more = if context.len() > SHOWN { ", …" } else { "" };
    format!("No context entry found with key '{name}'. Available keys: {}{more}", keys.join(", "))
}

/// A property of a temporal value.
fn property<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match value {
        Value::Date(date) => date_property(*date, name),
        Value::LocalTime(time) => time_property(*time, name).or_else(|| no_zone(name)),
        Value::LocalDateTime(local) => date_property(local.date, name)
            .or_else(|| time_property(local.time, name))
            .or_else(|| no_zone(name)),
        Value::Time(time) => time_property(time.time, name).or_else(|| match name {
            "time offset" => Some(offset(time.offset.seconds())),
            "timezone" => Some(zone_name(time.zone.as_ref().and_then(|zone| zone.name()))),
            _ => None,
        }),
        Value::DateTime(date_time) => date_property(date_time.local.date, name)
            .or_else(|| time_property(date_time.local.time, name))
            .or_else(|| match name {
                "time offset" => Some(offset(date_time.offset.seconds())),
                "timezone" => Some(zone_name(date_time.zone.name())),
                _ => None,
            }),
        Value::YearMonthDuration(duration) => match name {
            "years" => Some(duration.years().into()),
            "months" => Some(duration.months().into()),
            _ => None,
        },
        Value::DayTimeDuration(duration) => {
            let position = ["days", "hours", "minutes", "seconds"].iter().position(|field| *field == name)?;
            Some(duration.fields()[position].into())
        }
        _ => None,
    }
}

fn date_property<'a>(date: Date, name: &str) -> Option<Value<'a>> {
    Some(Value::from(match name {
        "year" => i64::from(date.year()),
        "month" => i64::from(date.month()),
        "day" => i64::from(date.day()),
        "weekday" => i64::from(date.weekday()),
        _ => return None,
    }))
}

fn time_property<'a>(time: LocalTime, name: &str) -> Option<Value<'a>> {
    Some(Value::from(match name {
        "hour" => time.hour(),
        "minute" => time.minute(),
        "second" => time.second(),
        _ => return None,
    }))
}

fn no_zone<'a>(name: &str) -> Option<Value<'a>> {
    matches!(name, "time offset" | "timezone").then_some(Value::Null)
}

fn offset<'a>(seconds: i32) -> Value<'a> {
    Value::DayTimeDuration(DayTimeDuration::from_seconds(i64::from(seconds)))
}

fn zone_name<'a>(name: Option<&str>) -> Value<'a> {
    name.map_or(Value::Null, Value::text)
}
