//! `now`, `today`, and the fields of dates.

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::temporal::{Date, ZonedDateTime};
use crate::value::Value;

pub(super) const FUNCTIONS: &[NativeFunction] = &[
    NativeFunction::new("now", &[], |call| Ok(Value::DateTime(now(call)?.into()))),
    NativeFunction::new("today", &[], |call| Ok(Value::Date(now(call)?.local.date))),
    NativeFunction::new("day of year", &["date"], |call| of_date(call, |date| date.day_of_year().into())),
    NativeFunction::new("day of week", &["date"], |call| of_date(call, day_of_week)),
    NativeFunction::new("month of year", &["date"], |call| of_date(call, month_of_year)),
    NativeFunction::new("week of year", &["date"], |call| of_date(call, |date| date.week_of_year().into())),
    NativeFunction::new("last day of month", &["date"], |call| {
        of_date(call, |date| Value::Date(date.last_day_of_month()))
    }),
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn now(call: &Call<'_, '_, '_>) -> Result<ZonedDateTime, CallError> {
    ZonedDateTime::from_jiff(&call.now()).ok_or_else(|| CallError::fail("the clock is out of range"))
}

fn of_date<'a>(call: &Call<'_, '_, 'a>, function: fn(Date) -> Value<'static>) -> Outcome<'a> {
    match call.arguments {
        [Value::Date(date)] => Ok(function(*date)),
        [Value::DateTime(date_time)] => Ok(function(date_time.local.date)),
        [Value::LocalDateTime(local)] => Ok(function(local.date)),
        _ => Err(CallError::IllegalArguments),
    }
}

fn day_of_week(date: Date) -> Value<'static> {
    Value::borrowed(DAYS[usize::from(date.weekday() - 1) % DAYS.len()])
}

fn month_of_year(date: Date) -> Value<'static> {
    Value::borrowed(MONTHS[usize::from(date.month() - 1) % MONTHS.len()])
}
