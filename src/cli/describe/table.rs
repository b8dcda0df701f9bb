//! The tables of `describe`.

use std::fmt::Write as _;

use crate::connector::described::{Choice, Field, Object, Summary, plain};

/// No column is wider; a longer name pushes its own line only.
const MOST_WIDE: usize = 44;

/// So many values of a picklist are shown.
const MOST_CHOICES: usize = 30;

/// So many objects that a reference may point to are shown.
const MOST_TARGETS: usize = 4;

/// Unicode's marks around a text whose direction is its own (FSI and PDI); they take no room.
const ISOLATE: char = '\u{2068}';
const END_OF_ISOLATE: char = '\u{2069}';

/// How long lines of values get.
const WIDTH: usize = 110;

/// All objects, a line each.
pub(super) fn objects(objects: &[Summary]) -> String {
    let mut lines = vec![["OBJECT", "LABEL", "IDS", "THE USER MAY"].map(str::to_owned).to_vec()];
    lines.extend(objects.iter().map(|object| {
        vec![
            cell(&object.name),
            cell(&object.label),
            object.key_prefix.clone().unwrap_or_default(),
            rights(object),
        ]
    }));
    aligned(&lines, 0) + &format!("\n{} objects\n", objects.len())
}

fn rights(object: &Summary) -> String {
    let all = [
        (object.queryable, "read"),
        (object.createable, "create"),
        (object.updateable, "update"),
        (object.deletable, "delete"),
    ];
    let rights: Vec<&str> = all.into_iter().filter(|(may, _)| *may).map(|(_, word)| word).collect();
    if rights.is_empty() { "nothing".to_owned() } else { rights.join(", ") }
}

/// The fields of an object, a line each, those that a new record must have first; then its relationships.
pub(super) fn object(object: &Object) -> String {
    let Object { summary, fields, child_relationships, .. } = object;
    let mut text =
        format!("{} ({}): the user may {}\n\n", cell(&summary.name), cell(&summary.label), rights(summary));
    let mut ordered: Vec<&Field> = fields.iter().collect();
    ordered.sort_by_key(|field| !field.required);
    let mut lines = vec![["FIELD", "LABEL", "TYPE", ""].map(str::to_owned).to_vec()];
    lines.extend(
        ordered.iter().map(|field| vec![cell(&field.name), cell(&field.label), kind(field), marks(field)]),
    );
    if fields.is_empty() {
        text.push_str("The connection's user sees none of its fields: field-level security hides them.\n");
    } else {
        text.push_str(&aligned(&lines, 0));
    }
    for field in ordered.iter().filter(|field| !field.picklist_values.is_empty()) {
        let _ = write!(text, "\n{}: {}", cell(&field.name), choices(&field.picklist_values));
    }
    if !child_relationships.is_empty() {
        let mut lines = vec![["RELATIONSHIP", "TO"].map(str::to_owned).to_vec()];
        lines.extend(child_relationships.iter().map(|child| {
            vec![
                cell(child.relationship_name.as_deref().unwrap_or_default()),
                format!("{}.{}", cell(&child.object), cell(&child.field)),
            ]
        }));
        let _ = write!(text, "\n{}", aligned(&lines, 0));
    }
    let _ = writeln!(text, "\n{} fields, {} relationships", fields.len(), child_relationships.len());
    text
}

fn kind(field: &Field) -> String {
    let kind = cell(&field.kind);
    match field.kind.as_str() {
        "reference" => format!("{kind} to {}", targets(&field.reference_to)),
        "picklist" | "multipicklist" | "combobox" => {
            format!("{kind}, {} values", field.picklist_values.len())
        }
        "double" | "currency" | "percent" => format!("{kind}({},{})", field.precision, field.scale),
        "id" | "boolean" | "date" | "datetime" | "int" => kind,
        _ if field.length > 0 => format!("{kind}({})", field.length),
        _ => kind,
    }
}

fn targets(objects: &[String]) -> String {
    let names: Vec<String> = objects.iter().take(MOST_TARGETS).map(|name| cell(name)).collect();
    let more = objects.len().saturating_sub(MOST_TARGETS);
    if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") }
}

fn marks(field: &Field) -> String {
    let all = [
        (field.required, "required"),
        (!field.createable && !field.updateable, "read only"),
        (field.createable && !field.updateable, "on create only"),
        (!field.createable && field.updateable, "on update only"),
        (field.external_id, "external id"),
        (field.unique, "unique"),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

/// The values, with a label where it is another, in lines.
fn choices(choices: &[Choice]) -> String {
    let shown = choices.iter().take(MOST_CHOICES).map(|choice| match choice.label.as_deref() {
        Some(label) if label != choice.value => format!("{} ({})", cell(&choice.value), cell(label)),
        _ => cell(&choice.value),
    });
    let mut words: Vec<String> = shown.collect();
    if choices.len() > MOST_CHOICES {
        words.push(format!("and {} more (all of them with --json)", choices.len() - MOST_CHOICES));
    }
    let (mut text, mut column) = (String::new(), WIDTH);
    for (number, word) in words.iter().enumerate() {
        let length = width(word) + 2;
        if column + length > WIDTH {
            text.push_str("\n    ");
            column = 4;
        }
        text.push_str(word);
        text.push_str(if number + 1 < words.len() { "; " } else { "" });
        column += length;
    }
    text.push('\n');
    text
}

/// How many columns a text takes, as far as its characters are one column wide each.
fn width(text: &str) -> usize {
    text.chars().filter(|c| !matches!(*c, ISOLATE | END_OF_ISOLATE)).count()
}

/// A text as a cell: one that is written from right to left keeps to itself, so that it does not turn its neighbours around.
fn cell(text: &str) -> String {
    let text = plain(text);
    let is_turned = |c: char| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}')
    };
    if text.contains(is_turned) { format!("{ISOLATE}{text}{END_OF_ISOLATE}") } else { text }
}

/// Columns side by side; nothing after the last filled one.
fn aligned(lines: &[Vec<String>], indent: usize) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column)).map(|cell| width(cell));
        cells.filter(|width| *width <= MOST_WIDE).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut text = String::new();
    for line in lines {
        let mut row = " ".repeat(indent);
        for (cell, most) in line.iter().zip(&widths) {
            row.push_str(cell);
            row.push_str(&" ".repeat(most.saturating_sub(width(cell)) + 2));
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn invoice() -> Object {
        let values: Vec<_> = (0..32)
            .map(|n| json!({"active": n != 1, "value": format!("v{n}"), "label": format!("v{n}")}))
            .collect();
        let object = json!({"name": "Invoice__c", "label": "Invoice", "createable": true, "queryable": true, "fields": [
            {"name": "Id", "label": "Record\nID", "type": "id", "nillable": false, "defaultedOnCreate": true},
            {"name": "Stage__c", "label": "Stage", "type": "picklist", "nillable": true, "createable": true,
             "updateable": true, "picklistValues": values},
            {"name": "Key__c", "label": "\u{202e}yeK", "type": "string", "length": 40, "createable": true, "updateable": true,
             "externalId": true, "unique": true, "nillable": false},
            {"name": "Account__c", "label": "Account", "type": "reference", "referenceTo": ["Account", "Lead"], "createable": true,
             "nillable": true}],
            "childRelationships": [{"relationshipName": "Lines__r", "childSObject": "Line__c", "field": "Invoice__c"},
                                   {"relationshipName": null, "childSObject": "Other", "field": "Parent"}]});
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn a_table_has_what_a_new_record_must_have_first_and_no_label_breaks_it() {
        let mut invoice = invoice();
        invoice.keep("");
        let table = object(&invoice);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(
            lines[..7],
            [
                "Invoice__c (Invoice): the user may read, create",
                "",
                "FIELD       LABEL      TYPE                        ",
                "Key__c      yeK        string(40)                  required, external id, unique",
                "Id          Record ID  id                          read only",
                "Stage__c    Stage      picklist, 31 values",
                "Account__c  Account    reference to Account, Lead  on create only",
            ]
            .map(str::trim_end)
        );
        assert!(table.contains("\nStage__c: \n    v0; v2; "), "{table}");
        assert!(table.contains("and 1 more (all of them with --json)\n"), "{table}");
        assert!(table.contains("\nRELATIONSHIP  TO\nLines__r      Line__c.Invoice__c\n"), "{table}");
        assert!(table.ends_with("\n4 fields, 1 relationships\n"), "{table}");
    }

    #[test]
    fn a_label_from_right_to_left_keeps_to_itself_and_its_column() {
        let lines = [["A", "שם", "x"], ["Bcd", "Name", "y"]].map(|line| line.map(cell).to_vec());
        assert_eq!(aligned(&lines, 0), "A    \u{2068}שם\u{2069}    x\nBcd  Name  y\n");
    }

    #[test]
    fn what_a_terminal_would_carry_out_is_shown_instead() {
        assert_eq!(cell("a\u{1b}[31mred\u{7}\r\n\tb"), "a\\u{1b}[31mred\\u{7}   b");
    }

    #[test]
    fn a_search_keeps_names_and_labels_in_any_case() {
        let mut invoice = invoice();
        invoice.keep("acc");
        assert_eq!(
            invoice.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>(),
            ["Account__c"]
        );
        invoice.keep("zzz");
        assert!(invoice.is_empty());
    }
}
