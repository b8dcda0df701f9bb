//! Whether several requests may be sent again together, when it is not known what became of them.

use std::collections::HashSet;

use super::{SubMethod, SubRequest};
use crate::salesforce::{ApiVersion, CallClass, RecordId};

/// From this version on an upsert tells the id of its record whether it created or changed it.
const TELLS_ID: u8 = 46;

/// The class of these groups of requests, each with names of its own. `in_order`: Salesforce carries them out as they stand.
///
/// They may be repeated where a second time does nothing more *and answers the same*:
/// - each write is an update by id or an upsert by external id, whose address depends on no answer;
/// - no two of them have the same address, and none sets a field by which another finds its record: else the second time
///   begins where the first ended;
/// - what a write takes from an answer is the id of a record upserted before it, which is the same each time;
/// - no write has a condition (`If-…`), which the first time makes untrue;
/// - reads come after the writes, for before them they would now see what the first time did.
///
/// A delete is not among them: the second time it is refused, which takes the others back with it or looks like a failure,
/// and nobody can tell whether the first time did it or somebody else.
pub(in crate::salesforce) fn of(groups: &[&[SubRequest]], version: ApiVersion, in_order: bool) -> CallClass {
    if groups.iter().copied().flatten().all(SubRequest::is_read) {
        CallClass::Read
    } else if are_repeatable(groups, version, in_order) {
        CallClass::IdempotentWrite
    } else {
        CallClass::UnsafeWrite
    }
}

fn are_repeatable(groups: &[&[SubRequest]], version: ApiVersion, in_order: bool) -> bool {
    let (mut targets, mut keys, mut fields) = (HashSet::new(), HashSet::new(), HashSet::new());
    for group in groups {
        let (mut has_read, mut upserted) = (false, HashSet::new());
        for sub in *group {
            if sub.is_read() {
                has_read = true;
                if !in_order {
                    return false;
                }
                continue;
            }
            let takes_ids = |name: &str| upserted.contains(name);
            let references = sub.references();
            let takes_only_ids = references.iter().all(|(place, found)| {
                *place == "body" && takes_ids(found.name()) && found.is_id_of(found.name())
            });
            let Some(target) = Target::of(sub).filter(|_| takes_only_ids && !has_read) else { return false };
            if let Some(key) = &target.key {
                keys.insert(key.clone());
                if sub.url.version().unwrap_or(version).number() >= TELLS_ID {
                    upserted.insert(sub.reference_id.as_str());
                }
            }
            let set = sub.body.as_ref().and_then(|body| body.as_object()).into_iter().flatten();
            fields.extend(set.map(|(name, _)| name.to_ascii_lowercase()));
            if !targets.insert(target) {
                return false;
            }
        }
    }
    keys.is_disjoint(&fields)
}

/// The one record that a write is about, in lower case where Salesforce does not look at case.
#[derive(PartialEq, Eq, Hash)]
struct Target {
    object: String,
    /// The external id field; `None` where it is the id.
    key: Option<String>,
    value: String,
}

impl Target {
    /// `None` for a write of which it is not known that a second time does nothing more.
    fn of(sub: &SubRequest) -> Option<Self> {
        let has_condition = sub.headers.keys().any(|name| name.to_ascii_lowercase().starts_with("if-"));
        if sub.method != SubMethod::Patch || has_condition || !sub.url.query().is_empty() {
            return None;
        }
        let by_id = |object: &String, id: &str| {
            let id: RecordId = id.parse().ok()?;
            let value = id.as_str()[..15].to_owned();
            Some(Self { object: object.to_ascii_lowercase(), key: None, value })
        };
        match &sub.url.segments()[..] {
            [sobjects, ..] if !sobjects.eq_ignore_ascii_case("sobjects") => None,
            [_, object, id] => by_id(object, id),
            [_, object, field, id] if field.eq_ignore_ascii_case("Id") => by_id(object, id),
            [_, object, field, value] => Some(Self {
                object: object.to_ascii_lowercase(),
                key: Some(field.to_ascii_lowercase()),
                value: value.to_lowercase(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::salesforce::ResourceUrl;

    const ID: &str = "/sobjects/Account/001D000000IRFmaIAH";
    const KEY: &str = "/sobjects/Account/Key__c/k1";

    fn subs(list: &[(&str, &str, Value)]) -> Vec<SubRequest> {
        let subs = list.iter().enumerate().map(|(index, (method, url, body))| SubRequest {
            method: method.parse().unwrap(),
            url: ResourceUrl::read(url).unwrap(),
            reference_id: format!("r{index}"),
            body: Some(body.clone()),
            headers: Map::new(),
        });
        subs.collect()
    }

    fn class(list: &[(&str, &str, Value)]) -> CallClass {
        of(&[&subs(list)], ApiVersion::DEFAULT, true)
    }

    fn write(url: &str, body: Value) -> (&'static str, &str, Value) {
        ("PATCH", url, body)
    }

    fn read(url: &str) -> (&'static str, &str, Value) {
        ("GET", url, Value::Null)
    }

    #[test]
    fn reads_alone_are_a_read_even_where_they_refer_to_each_other() {
        assert_eq!(class(&[read(ID), read("/sobjects/Account/@{r0.ParentId}")]), CallClass::Read);
        assert_eq!(of(&[&subs(&[read(ID)])], ApiVersion::DEFAULT, false), CallClass::Read);
    }

    #[test]
    fn updates_upserts_the_ids_they_give_and_reads_after_them_may_be_repeated() {
        for list in [
            vec![write(ID, json!({"Phone": "5"}))],
            vec![write("/sobjects/Account/Id/001D000000IRFmaIAH", json!({}))],
            vec![
                write(KEY, json!({"Name": "A"})),
                write("/sobjects/Contact/Key__c/k1", json!({"AccountId": "@{r0.id}"})),
                read("/sobjects/Contact/@{r1.id}?fields=Account.Name"),
            ],
        ] {
            assert_eq!(class(&list), CallClass::IdempotentWrite, "{list:?}");
        }
    }

    #[test]
    fn all_else_is_unsafe_to_repeat() {
        let upsert = || write(KEY, json!({"Name": "A"}));
        for (why, list) in [
            ("it creates", vec![("POST", "/sobjects/Account", json!({}))]),
            ("it creates beside an upsert", vec![upsert(), ("POST", "/sobjects/Contact", json!({}))]),
            ("its delete is refused the second time", vec![upsert(), ("DELETE", ID, Value::Null)]),
            ("nothing is known of it", vec![write("/connect/x/001D000000IRFmaIAH", json!({}))]),
            ("nothing is known of it", vec![write("/composite/sobjects", json!({}))]),
            ("nothing is known of it", vec![("PUT", ID, json!({}))]),
            ("it has no address of a record", vec![write("/sobjects/Account/nonsense", json!({}))]),
            ("its parameter may mean anything", vec![write(&format!("{ID}?x=y"), json!({}))]),
            ("the read sees what the first time did", vec![read(ID), upsert()]),
            ("it adds to what was read", vec![read(ID), write(ID, json!({"Name": "@{r0.Name}!"}))]),
            (
                "the query finds the next record",
                vec![read("/query?q=x"), write("/sobjects/Case/@{r0.records[0].Id}", json!({}))],
            ),
            (
                "its address depends on an answer",
                vec![upsert(), write("/sobjects/Account/@{r0.id}", json!({}))],
            ),
            (
                "created differs",
                vec![upsert(), write("/sobjects/Contact/Key__c/k", json!({"x": "@{r0.created}"}))],
            ),
            (
                "one after the other on one record",
                vec![upsert(), write("/sobjects/account/KEY__C/K1", json!({}))],
            ),
            (
                "one after the other on one record",
                vec![write(ID, json!({})), write("/sobjects/Account/001D000000IRFma", json!({}))],
            ),
            (
                "the key leads to no record any more, so that a second one is created",
                vec![upsert(), write(ID, json!({"key__c": "k2"}))],
            ),
        ] {
            assert_eq!(class(&list), CallClass::UnsafeWrite, "{why}: {list:?}");
        }
    }

    #[test]
    fn a_condition_that_the_first_time_makes_untrue_is_unsafe() {
        let mut list = subs(&[write(ID, json!({}))]);
        list[0].headers.insert("if-unmodified-since".to_owned(), json!("…"));
        assert_eq!(of(&[&list], ApiVersion::DEFAULT, true), CallClass::UnsafeWrite);
    }

    #[test]
    fn in_older_versions_an_upsert_gives_no_id_the_second_time() {
        let list = subs(&[
            write(KEY, json!({})),
            write("/sobjects/Contact/Key__c/k", json!({"AccountId": "@{r0.id}"})),
        ]);
        let class = |version: &str| of(&[&list], version.parse().unwrap(), true);
        assert_eq!((class("v45.0"), class("v46.0")), (CallClass::UnsafeWrite, CallClass::IdempotentWrite));
    }

    #[test]
    fn without_an_order_a_read_may_come_first() {
        let list = subs(&[write(KEY, json!({})), read(ID)]);
        assert_eq!(of(&[&list], ApiVersion::DEFAULT, true), CallClass::IdempotentWrite);
        assert_eq!(of(&[&list], ApiVersion::DEFAULT, false), CallClass::UnsafeWrite);
    }

    #[test]
    fn names_hold_within_their_group_and_records_within_all() {
        let (one, two) = (subs(&[write(KEY, json!({}))]), subs(&[write(KEY, json!({}))]));
        assert_eq!(of(&[&one, &two], ApiVersion::DEFAULT, false), CallClass::UnsafeWrite);
        let two = subs(&[write("/sobjects/Contact/Key__c/k", json!({"AccountId": "@{r0.id}"}))]);
        assert_eq!(of(&[&one, &two], ApiVersion::DEFAULT, false), CallClass::UnsafeWrite);
    }
}
