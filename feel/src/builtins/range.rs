//! Functions of points and ranges (Allen's interval algebra).

use std::cmp::Ordering;

use super::Outcome;
use crate::engine::{Call, CallError, NativeFunction};
use crate::range::{Boundary, Range, is_point};
use crate::value::{Value, same_type};

macro_rules! overloads {
    ($name:literal, $body:expr, $($parameters:expr),+) => {
        [$(NativeFunction::new($name, &$parameters, $body)),+]
    };
}

const POINT_POINT: [&str; 2] = ["point1", "point2"];
const POINT_RANGE: [&str; 2] = ["point", "range"];
const RANGE_POINT: [&str; 2] = ["range", "point"];
const RANGE_RANGE: [&str; 2] = ["range1", "range2"];

pub(super) const FUNCTIONS: &[NativeFunction] = &{
    let [b1, b2, b3, b4] = overloads!(
        "before",
        |c| decide(c, |pair| Some(before(pair))),
        POINT_POINT,
        POINT_RANGE,
        RANGE_POINT,
        RANGE_RANGE
    );
    let [a1, a2, a3, a4] = overloads!(
        "after",
        |c| decide(c, |pair| Some(after(pair))),
        POINT_POINT,
        POINT_RANGE,
        RANGE_POINT,
        RANGE_RANGE
    );
    let [f1, f2] = overloads!("finishes", |c| decide(c, finishes), POINT_RANGE, RANGE_RANGE);
    let [fb1, fb2] = overloads!("finished by", |c| decide(c, finished_by), POINT_RANGE, RANGE_RANGE);
    let [i1, i2] = overloads!("includes", |c| decide(c, includes), RANGE_POINT, RANGE_RANGE);
    let [d1, d2] = overloads!("during", |c| decide(c, during), POINT_RANGE, RANGE_RANGE);
    let [s1, s2] = overloads!("starts", |c| decide(c, starts), POINT_RANGE, RANGE_RANGE);
    let [sb1, sb2] = overloads!("started by", |c| decide(c, started_by), RANGE_POINT, RANGE_RANGE);
    let [c1, c2] =
        overloads!("coincides", |c| decide(c, |pair| Some(coincides(pair))), POINT_POINT, RANGE_RANGE);
    let [m] = overloads!("meets", |c| decide(c, meets), RANGE_RANGE);
    let [mb] = overloads!("met by", |c| decide(c, met_by), RANGE_RANGE);
    let [o] = overloads!("overlaps", |c| decide(c, overlaps), RANGE_RANGE);
    let [ob] = overloads!("overlaps before", |c| decide(c, overlaps_before), RANGE_RANGE);
    let [oa] = overloads!("overlaps after", |c| decide(c, overlaps_after), RANGE_RANGE);
    [
        b1, b2, b3, b4, a1, a2, a3, a4, f1, f2, fb1, fb2, i1, i2, d1, d2, s1, s2, sb1, sb2, c1, c2, m, mb, o,
        ob, oa,
    ]
};

/// Two arguments of which each is a point or a range.
enum Pair<'v, 'a> {
    Points(&'v Value<'a>, &'v Value<'a>),
    PointRange(&'v Value<'a>, &'v Range<'a>),
    RangePoint(&'v Range<'a>, &'v Value<'a>),
    Ranges(&'v Range<'a>, &'v Range<'a>),
}

/// None where the function has no meaning for such a pair; that fails everything.
type Rule = for<'v, 'a> fn(&Pair<'v, 'a>) -> Option<bool>;

fn decide<'a>(call: &Call<'_, '_, 'a>, rule: Rule) -> Outcome<'a> {
    let [x, y] = call.arguments else { return Err(CallError::IllegalArguments) };
    let point = |value: &Value<'a>| match value {
        Value::Range(range) => range.start.value.clone(),
        other => other.clone(),
    };
    let (first, second) = (point(x), point(y));
    if !is_point(&first) || !same_type(&first, &second) {
        return Err(CallError::IllegalArguments);
    }
    let pair = match (x, y) {
        (Value::Range(x), Value::Range(y)) => Pair::Ranges(x, y),
        (Value::Range(range), point) => Pair::RangePoint(range, point),
        (point, Value::Range(range)) => Pair::PointRange(point, range),
        (x, y) => Pair::Points(x, y),
    };
    rule(&pair).map(Value::Boolean).ok_or_else(|| {
        CallError::fail("a range function takes no such combination of points and ranges".to_owned())
    })
}

/// The order of two points of one type.
fn order(x: &Value<'_>, y: &Value<'_>) -> Ordering {
    crate::value::compare(x, y).unwrap_or(Ordering::Equal)
}

/// Whether the points are one and the same value; that is more than the same place in the order.
fn same(x: &Value<'_>, y: &Value<'_>) -> bool {
    match (x, y) {
        (Value::Time(x), Value::Time(y)) => x == y,
        _ => order(x, y).is_eq(),
    }
}

fn less(x: &Boundary<'_>, y: &Boundary<'_>) -> bool {
    order(&x.value, &y.value).is_lt()
}

fn meet(x: &Boundary<'_>, y: &Boundary<'_>) -> bool {
    same(&x.value, &y.value)
}

fn before(pair: &Pair<'_, '_>) -> bool {
    match pair {
        Pair::Ranges(x, y) => {
            less(&x.end, &y.start) || ((!x.end.closed || !y.start.closed) && meet(&x.end, &y.start))
        }
        Pair::PointRange(point, range) => {
            let start = &range.start;
            order(point, &start.value).is_lt() || (same(point, &start.value) && !start.closed)
        }
        Pair::RangePoint(range, point) => {
            order(&range.end.value, point).is_lt() || (same(&range.end.value, point) && !range.end.closed)
        }
        Pair::Points(x, y) => order(x, y).is_lt(),
    }
}

fn after(pair: &Pair<'_, '_>) -> bool {
    before(&match pair {
        Pair::Ranges(x, y) => Pair::Ranges(y, x),
        Pair::PointRange(point, range) => Pair::RangePoint(range, point),
        Pair::RangePoint(range, point) => Pair::PointRange(point, range),
        Pair::Points(x, y) => Pair::Points(y, x),
    })
}

fn meets(pair: &Pair<'_, '_>) -> Option<bool> {
    let Pair::Ranges(x, y) = pair else { return None };
    Some(x.end.closed && y.start.closed && meet(&x.end, &y.start))
}

fn met_by(pair: &Pair<'_, '_>) -> Option<bool> {
    let Pair::Ranges(x, y) = pair else { return None };
    meets(&Pair::Ranges(y, x))
}

/// Whether the first range reaches into the second from below.
fn reaches(x: &Range<'_>, y: &Range<'_>) -> bool {
    less(&y.start, &x.end) || (meet(&x.end, &y.start) && x.end.closed && y.start.closed)
}

fn overlaps(pair: &Pair<'_, '_>) -> Option<bool> {
    let Pair::Ranges(x, y) = pair else { return None };
    Some(reaches(x, y) && reaches(y, x))
}

fn overlaps_before(pair: &Pair<'_, '_>) -> Option<bool> {
    let Pair::Ranges(x, y) = pair else { return None };
    let starts_first =
        less(&x.start, &y.start) || (meet(&x.start, &y.start) && x.start.closed && !y.start.closed);
    let ends_first = less(&x.end, &y.end) || (meet(&x.end, &y.end) && (!x.end.closed || y.end.closed));
    Some(starts_first && reaches(x, y) && ends_first)
}

fn overlaps_after(pair: &Pair<'_, '_>) -> Option<bool> {
    let Pair::Ranges(x, y) = pair else { return None };
    overlaps_before(&Pair::Ranges(y, x))
}

/// Whether the first range begins no earlier than the second.
fn begins_inside(x: &Range<'_>, y: &Range<'_>) -> bool {
    less(&y.start, &x.start) || (meet(&x.start, &y.start) && (!x.start.closed || y.start.closed))
}

/// Whether the first range ends no later than the second.
fn ends_inside(x: &Range<'_>, y: &Range<'_>) -> bool {
    less(&x.end, &y.end) || (meet(&x.end, &y.end) && (!x.end.closed || y.end.closed))
}

fn is_closed_end(point: &Value<'_>, end: &Boundary<'_>) -> bool {
    end.closed && same(&end.value, point)
}

fn finishes(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => {
            Some(x.end.closed == y.end.closed && meet(&x.end, &y.end) && begins_inside(x, y))
        }
        Pair::PointRange(point, range) => Some(is_closed_end(point, &range.end)),
        _ => None,
    }
}

fn finished_by(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => finishes(&Pair::Ranges(y, x)),
        Pair::RangePoint(range, point) => Some(is_closed_end(point, &range.end)),
        _ => None,
    }
}

fn contains(range: &Range<'_>, point: &Value<'_>) -> bool {
    let inside = order(&range.start.value, point).is_lt() && order(&range.end.value, point).is_gt();
    inside || is_closed_end(point, &range.start) || is_closed_end(point, &range.end)
}

fn includes(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => Some(begins_inside(y, x) && ends_inside(y, x)),
        Pair::RangePoint(range, point) => Some(contains(range, point)),
        _ => None,
    }
}

fn during(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => includes(&Pair::Ranges(y, x)),
        Pair::PointRange(point, range) => Some(contains(range, point)),
        _ => None,
    }
}

fn starts(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => {
            Some(meet(&x.start, &y.start) && x.start.closed == y.start.closed && ends_inside(x, y))
        }
        Pair::PointRange(point, range) => Some(is_closed_end(point, &range.start)),
        _ => None,
    }
}

fn started_by(pair: &Pair<'_, '_>) -> Option<bool> {
    match pair {
        Pair::Ranges(x, y) => starts(&Pair::Ranges(y, x)),
        Pair::RangePoint(range, point) => Some(is_closed_end(point, &range.start)),
        _ => None,
    }
}

fn coincides(pair: &Pair<'_, '_>) -> bool {
    match pair {
        Pair::Ranges(x, y) => {
            meet(&x.start, &y.start)
                && x.start.closed == y.start.closed
                && meet(&x.end, &y.end)
                && x.end.closed == y.end.closed
        }
        Pair::Points(x, y) => same(x, y),
        _ => false,
    }
}
