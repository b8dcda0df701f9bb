use std::collections::{HashMap, HashSet};

use super::model::{Binding, Condition, ElementTemplate, FieldType, Property};
use super::writer::template;
use crate::connector::{AuthenticationMethod, operations};

type Choices<'a> = HashMap<&'a str, &'a str>;

fn salesforce() -> ElementTemplate {
    template(operations::ALL)
}

/// The conditions' meaning, in few words: Modeler's own engine is asked by `tests/template`.
fn holds(condition: &Condition, choices: &Choices) -> bool {
    match condition {
        Condition::Equals { property, equals } => choices.get(property) == Some(equals),
        Condition::OneOf { property, one_of } => {
            choices.get(property).is_some_and(|value| one_of.iter().any(|one| one == value))
        }
        Condition::IsEmpty { property, is_empty } => choices.contains_key(property) != *is_empty,
        Condition::AllMatch { all_match } => all_match.iter().all(|condition| holds(condition, choices)),
    }
}

fn asked(condition: &Condition) -> Vec<&'static str> {
    match condition {
        Condition::Equals { property, .. }
        | Condition::OneOf { property, .. }
        | Condition::IsEmpty { property, .. } => vec![property],
        Condition::AllMatch { all_match } => all_match.iter().flat_map(asked).collect(),
    }
}

fn active<'a>(template: &'a ElementTemplate, choices: &Choices) -> Vec<&'a Property> {
    let is_active =
        |property: &&Property| property.condition.as_ref().is_none_or(|condition| holds(condition, choices));
    template.properties.iter().filter(is_active).collect()
}

/// Every combination of values of the properties that conditions ask for.
fn combinations(template: &ElementTemplate) -> Vec<Choices<'_>> {
    let asked: HashSet<&str> = template
        .properties
        .iter()
        .filter_map(|property| property.condition.as_ref())
        .flat_map(asked)
        .collect();
    let mut combinations = vec![HashMap::new()];
    for chooser in template.properties.iter().filter(|property| asked.contains(property.id.as_str())) {
        // A field of text stands for any value of it.
        let values: Vec<&str> = match chooser.choices.as_slice() {
            [] => vec!["any"],
            choices => choices.iter().map(|choice| &*choice.value).collect(),
        };
        combinations = combinations
            .iter()
            .flat_map(|choices: &Choices<'_>| {
                values.iter().map(|value| {
                    let mut choices = choices.clone();
                    choices.insert(chooser.id.as_str(), value);
                    choices
                })
            })
            .collect();
    }
    combinations
}

/// The target of an input, for a property that writes one.
fn target(property: &Property) -> Option<&str> {
    match &property.binding {
        Binding::Input { name } => Some(name),
        _ => None,
    }
}

#[test]
fn no_two_active_properties_share_a_binding_in_any_combination() {
    let template = salesforce();
    let combinations = combinations(&template);
    let bulk_operations = 5;
    let ways = 1 + AuthenticationMethod::ALL.len();
    assert_eq!(combinations.len(), ways * operations::ALL.len() * bulk_operations * 4);
    for choices in combinations {
        let mut seen = HashSet::new();
        for property in active(&template, &choices) {
            assert!(seen.insert(&property.binding), "{} shares its binding; {choices:?}", property.id);
        }
    }
}

#[test]
fn an_object_and_its_fields_are_never_mapped_both() {
    let template = salesforce();
    for choices in combinations(&template) {
        let active = active(&template, &choices);
        let targets: Vec<&str> = active.iter().filter_map(|property| target(property)).collect();
        for parent in &targets {
            let prefix = format!("{parent}.");
            assert!(!targets.iter().any(|child| child.starts_with(&prefix)), "{parent}; {choices:?}");
        }
    }
}

#[test]
fn all_inputs_are_fields_of_the_one_variable() {
    for property in &salesforce().properties {
        if let Some(target) = target(property) {
            assert!(target.starts_with("salesforceRequest."), "{target}");
        }
    }
}

#[test]
fn what_is_not_optional_must_be_filled_or_is_never_empty() {
    for property in &salesforce().properties {
        let never_empty = matches!(property.kind, FieldType::Hidden | FieldType::Boolean);
        let required = property.constraints.not_empty == Some(true);
        assert!(never_empty || (property.optional ^ required), "{}", property.id);
    }
}

#[test]
fn ids_are_unique_and_conditions_ask_for_properties_above() {
    let template = salesforce();
    let mut above: HashMap<&str, &Property> = HashMap::new();
    for property in &template.properties {
        for chooser in property.condition.iter().flat_map(asked) {
            assert!(above.contains_key(chooser), "{}", property.id);
        }
        assert!(above.insert(&property.id, property).is_none(), "{} twice", property.id);
    }
}

#[test]
fn conditions_and_defaults_name_declared_choices() {
    let template = salesforce();
    let choices = |id: &str| {
        let property = template.properties.iter().find(|property| property.id == id).unwrap();
        property.choices.iter().map(|choice| &*choice.value).collect::<Vec<_>>()
    };
    let check = |condition: &Condition| match condition {
        Condition::Equals { property, equals } => assert!(choices(property).contains(equals)),
        Condition::OneOf { property, one_of } => {
            assert!(one_of.iter().all(|value| choices(property).contains(&&**value)));
        }
        Condition::IsEmpty { .. } => {}
        Condition::AllMatch { .. } => panic!("conditions are nested once"),
    };
    for property in &template.properties {
        match &property.condition {
            Some(Condition::AllMatch { all_match }) => all_match.iter().for_each(check),
            Some(condition) => check(condition),
            None => {}
        }
        if let (FieldType::Dropdown, Some(value)) = (property.kind, &property.value) {
            assert!(choices(&property.id).contains(&value.as_str().unwrap()), "{}", property.id);
        }
    }
}

#[test]
fn sections_are_used_in_their_order_and_by_every_visible_field() {
    let template = salesforce();
    let mut order: Vec<&str> = Vec::new();
    for property in &template.properties {
        match property.group {
            Some(group) if !order.contains(&group) => order.push(group),
            Some(_) => {}
            None => assert_eq!(property.kind, FieldType::Hidden, "{}", property.id),
        }
    }
    let groups: Vec<&str> = template.groups.iter().map(|group| group.id).collect();
    assert_eq!(order, groups);
}

#[test]
fn patterns_are_anchored_and_an_optional_field_may_match_nothing() {
    for property in &salesforce().properties {
        if let Some(pattern) = &property.constraints.pattern {
            let allowed = if property.optional { "^$|^" } else { "^" };
            assert!(pattern.value.starts_with(allowed) && pattern.value.ends_with('$'), "{}", property.id);
            assert!(pattern.message.starts_with("must "), "{}: it stands behind the label", property.id);
        }
    }
}

#[test]
fn every_visible_field_has_a_label_and_help() {
    for property in &salesforce().properties {
        if property.kind != FieldType::Hidden {
            assert!(property.label.as_ref().is_some_and(|label| !label.is_empty()), "{}", property.id);
            let tooltip = property.tooltip.clone().unwrap_or_default();
            assert!(tooltip.ends_with('.') && !tooltip.contains('<'), "{}: {tooltip}", property.id);
        }
    }
}

#[test]
fn an_operation_shows_its_own_fields_in_the_order_of_its_descriptor() {
    let template = salesforce();
    for operation in operations::ALL {
        let mut choices = HashMap::from([("operation", operation.name)]);
        let ids: HashMap<_, _> =
            template.properties.iter().map(|property| (target(property), &*property.id)).collect();
        for (field, value) in operation.inputs.iter().filter_map(|input| input.kind.depends_on()) {
            choices.insert(ids[&Some(&*format!("salesforceRequest.operation.{field}"))], value);
        }
        let prefix = "salesforceRequest.operation.";
        let shown: Vec<&str> = active(&template, &choices)
            .into_iter()
            .filter_map(|property| target(property)?.strip_prefix(prefix))
            .collect();
        let described =
            operation.inputs.iter().filter(|input| input.kind.is_general()).map(|input| input.name);
        assert_eq!(shown, std::iter::once("type").chain(described).collect::<Vec<_>>());
    }
}

#[test]
fn an_operation_offers_exactly_the_contents_that_it_can_give() {
    let template = salesforce();
    for operation in operations::ALL {
        let choices = HashMap::from([("operation", operation.name), ("resultVariable", "any")]);
        let active = active(&template, &choices);
        let key = Binding::Header { key: "resultContent" };
        let contents = active.iter().find(|property| property.binding == key).unwrap();
        let offered: Vec<&str> = contents.choices.iter().map(|choice| &*choice.value).collect();
        let given: Vec<&str> = operation.contents.iter().map(|content| content.name()).collect();
        assert_eq!(offered, given, "{}", operation.name);
        assert_eq!(contents.value.as_ref().unwrap(), given[0], "{}", operation.name);
    }
}

#[test]
fn every_operation_is_an_entry_of_the_search() {
    let template = salesforce();
    let presets: Vec<&str> = template.presets.iter().map(|preset| preset.id).collect();
    let steps: Vec<&str> =
        template.steps.iter().flat_map(|group| &group.steps).map(|step| step.preset_id).collect();
    let names: Vec<&str> = operations::ALL.iter().map(|operation| operation.name).collect();
    assert_eq!(presets, names);
    assert_eq!(steps, names);
    for preset in &template.presets {
        assert_eq!(preset.properties["operation"], preset.id);
    }
}

#[test]
fn the_api_version_that_is_suggested_is_the_one_that_is_used() {
    let json = super::element_templates().remove(0).1;
    let placeholder = format!("\"placeholder\": \"{}\"", crate::salesforce::ApiVersion::DEFAULT);
    assert!(json.contains(&placeholder), "{placeholder}");
}
