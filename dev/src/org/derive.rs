//! Fields that Salesforce fills from others: full names, closed flags, forecast figures.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::datetime;
use super::decimal::Decimal;
use super::schema::Object;
use super::store::Store;

/// Stages of the standard sales process: name, probability in percent, forecast category and its label.
const STAGES: [(&str, i32, &str, &str); 10] = [
    ("Prospecting", 10, "Pipeline", "Pipeline"),
    ("Qualification", 10, "Pipeline", "Pipeline"),
    ("Needs Analysis", 20, "Pipeline", "Pipeline"),
    ("Value Proposition", 50, "Pipeline", "Pipeline"),
    ("Id. Decision Makers", 60, "Pipeline", "Pipeline"),
    ("Perception Analysis", 70, "Pipeline", "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline", "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline", "Pipeline"),
    ("Closed Won", 100, "Closed", "Closed"),
    ("Closed Lost", 0, "Omitted", "Omitted"),
];

/// A record in the making.
pub(crate) struct Draft<'a> {
    pub(crate) store: &'a Store,
    pub(crate) object: &'a Object,
    pub(crate) values: &'a mut Vec<Value>,
    /// The fields that the save names.
    pub(crate) given: &'a [usize],
}

impl Draft<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.object.index_of(name).and_then(|index| self.values[index].as_str())
    }

    fn set(&mut self, name: &str, value: Value) {
        if let Some(index) = self.object.index_of(name) {
            self.values[index] = value;
        }
    }

    /// A field of the record that `reference` points to.
    fn parent(&self, reference: &str, field: &str) -> Option<Value> {
        let (object, record) = self.store.find(self.text(reference)?)?;
        self.store.object(object).index_of(field).map(|index| record.values[index].clone())
    }

    fn is_given(&self, name: &str) -> bool {
        self.object.index_of(name).is_some_and(|index| self.given.contains(&index))
    }
}

/// Fills what follows from the other fields. Called after every save.
pub(crate) fn fill(draft: &mut Draft<'_>, now: Timestamp) {
    match draft.object.name.as_str() {
        "Contact" | "Lead" | "User" => person(draft),
        "Opportunity" => opportunity(draft, now),
        "Case" => {
            closed(draft, "Status", "Closed", "ClosedDate", now);
            contact(draft);
        }
        "Task" => {
            closed(draft, "Status", "Completed", "CompletedDateTime", now);
            let account = account_of(draft, "WhatId").or_else(|| account_of(draft, "WhoId"));
            draft.set("AccountId", account.unwrap_or_default());
            let high = draft.text("Priority").is_some_and(|priority| priority.eq_ignore_ascii_case("High"));
            draft.set("IsHighPriority", Value::Bool(high));
        }
        _ => {}
    }
}

fn person(draft: &mut Draft<'_>) {
    let parts = [draft.text("FirstName"), draft.text("LastName")];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    draft.set("Name", Value::String(name));
    if draft.object.name == "User" && draft.text("CommunityNickname").is_none() {
        let nickname = draft.text("Alias").map_or(Value::Null, Value::from);
        draft.set("CommunityNickname", nickname);
    }
}

/// A case shows its contact's addresses, as they were when the case was last saved, and belongs to the contact's
/// account unless it names another.
fn contact(draft: &mut Draft<'_>) {
    let pairs = [
        ("ContactPhone", "Phone"),
        ("ContactMobile", "MobilePhone"),
        ("ContactEmail", "Email"),
        ("ContactFax", "Fax"),
    ];
    for (own, theirs) in pairs {
        let value = draft.parent("ContactId", theirs).unwrap_or_default();
        draft.set(own, value);
    }
    if draft.text("AccountId").is_none() && !draft.is_given("AccountId") {
        let account = draft.parent("ContactId", "AccountId").unwrap_or_default();
        draft.set("AccountId", account);
    }
}

/// The account behind a reference: itself, or the one that the record belongs to.
fn account_of(draft: &Draft<'_>, field: &str) -> Option<Value> {
    let id = draft.text(field)?;
    let (object, _) = draft.store.find(id)?;
    if draft.store.object(object).name == "Account" {
        return Some(Value::from(id));
    }
    draft.parent(field, "AccountId").filter(Value::is_string)
}

fn closed(draft: &mut Draft<'_>, field: &str, closing: &str, date: &str, now: Timestamp) {
    let is_closed = draft.text(field).is_some_and(|value| closing.eq_ignore_ascii_case(value));
    draft.set("IsClosed", Value::Bool(is_closed));
    match (is_closed, draft.text(date).is_some()) {
        (true, false) => draft.set(date, Value::String(datetime::format(now))),
        (false, true) => draft.set(date, Value::Null),
        _ => {}
    }
}

fn opportunity(draft: &mut Draft<'_>, now: Timestamp) {
    let stage = draft.text("StageName").unwrap_or_default();
    let known = STAGES.iter().find(|known| known.0.eq_ignore_ascii_case(stage));
    let (_, probability, category, label) = *known.unwrap_or(&("", 10, "Pipeline", "Pipeline"));
    draft.set("IsClosed", Value::Bool(matches!(category, "Closed" | "Omitted")));
    draft.set("IsWon", Value::Bool(category == "Closed"));
    if draft.is_given("StageName") {
        draft.set("LastStageChangeDate", Value::String(datetime::format(now)));
        draft.set("ForecastCategory", category.into());
        if !draft.is_given("ForecastCategoryName") {
            draft.set("ForecastCategoryName", label.into());
        }
        if !draft.is_given("Probability") {
            draft.set("Probability", Value::Number(probability.into()));
        }
    }
    expected_revenue(draft);
    let Some(close) = draft.text("CloseDate").and_then(datetime::parse_date) else { return };
    let quarter = (close.month() - 1) / 3 + 1;
    draft.set("FiscalYear", Value::Number(close.year().into()));
    draft.set("FiscalQuarter", Value::Number(quarter.into()));
    draft.set("Fiscal", Value::String(format!("{} {quarter}", close.year())));
}

fn expected_revenue(draft: &mut Draft<'_>) {
    let number = |name: &str| {
        let index = draft.object.index_of(name)?;
        draft.values[index].as_number().and_then(|number| Decimal::parse(&number.to_string()))
    };
    let (Some(amount), Some(probability)) = (number("Amount"), number("Probability")) else {
        draft.set("ExpectedRevenue", Value::Null);
        return;
    };
    let revenue = format!("{:.2}", amount.to_f64() * probability.to_f64() / 100.0);
    let revenue = revenue.parse::<Number>().map_or(Value::Null, Value::Number);
    draft.set("ExpectedRevenue", revenue);
}
