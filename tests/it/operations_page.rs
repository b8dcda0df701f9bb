//! docs/operations.md is what the descriptors say; `UPDATE_DOCS=1 cargo test --test it operations_page` writes it anew.

use std::{fmt::Write as _, fs, path::Path};

use salesforce_connector::{
    connector::{
        operations::{ALL, Area, Descriptor, Input, InputKind},
        sample_response,
    },
    salesforce::CallClass,
};

const HEAD: &str = "# Operations\n\n\
    <!-- Generated from src/connector/operations: UPDATE_DOCS=1 cargo test --test it operations_page -->\n\n\
    What a task can do. Each operation has a *class* that decides what happens when a call was sent and no answer came: a \
    *read* and an *idempotent write* are sent again, an *unsafe write* ends in an incident `OUTCOME_UNKNOWN`, because a second \
    call could do its work a second time. What each error code means is in [errors.md](errors.md), what expressions see in \
    [expressions.md](expressions.md).\n\n\
    Field names are those of the variable `salesforceRequest.operation`; the element template shows the labels. A field that \
    is left empty is not sent. Beside the operation, `salesforceRequest.options` may hold `timeout`, an ISO 8601 duration for \
    each call, and `callOptions`: `client`, the caller's name in the org's logs, and `defaultNamespace`, the managed package \
    whose prefix names may then leave out; the template shows the timeout.\n\n\
    | Operation | What it does | Class |\n|---|---|---|\n";

fn class(class: CallClass) -> &'static str {
    match class {
        CallClass::Read => "read",
        CallClass::IdempotentWrite => "idempotent write",
        CallClass::UnsafeWrite => "unsafe write",
    }
}

/// A cell of a table may not hold its borders.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn field(input: &Input) -> String {
    let default = match *input.kind.plain() {
        InputKind::Boolean { default } => format!(" Default: {default}."),
        InputKind::Choice { choices } => {
            let words: Vec<_> = choices.iter().map(|(word, label)| format!("`{word}` ({label})")).collect();
            format!(" One of {}; default: the first.", words.join(", "))
        }
        _ => String::new(),
    };
    let must = match (input.required, input.kind.depends_on()) {
        (true, Some((name, value))) => format!("with `{name}` `{value}`, else not there"),
        (true, None) => "yes".to_owned(),
        (false, _) => String::new(),
    };
    let kind = input.kind.expected();
    format!("| `{}` | {} | {kind} | {must} | {}{default} |\n", input.name, input.label, cell(input.tooltip))
}

fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).expect("the examples of operations are JSON");
    serde_json::to_string_pretty(&value).expect("it was JSON")
}

/// The task as it stands in a diagram, with the fields that must be filled.
fn snippet(operation: &Descriptor) -> String {
    let mut xml = String::from(
        "<bpmn:serviceTask id=\"Task\">\n  <bpmn:extensionElements>\n    \
         <zeebe:taskDefinition type=\"salesforce-connector:1\" retries=\"3\" />\n    <zeebe:ioMapping>\n",
    );
    let mut input = |source: &str, target: &str| {
        let source = source.replace('&', "&amp;").replace('"', "&#34;").replace('<', "&lt;");
        writeln!(xml, "      <zeebe:input source=\"{source}\" target=\"salesforceRequest.{target}\" />")
            .unwrap();
    };
    input("production", "connection.name");
    input(operation.name, "operation.type");
    for field in operation.inputs.iter().filter(|field| field.required) {
        input(field.placeholder, &format!("operation.{}", field.name));
    }
    let header = operation.examples.result.replace('&', "&amp;").replace('"', "&#34;").replace('<', "&lt;");
    xml.push_str("    </zeebe:ioMapping>\n    <zeebe:taskHeaders>\n");
    writeln!(xml, "      <zeebe:header key=\"resultExpression\" value=\"{header}\" />").unwrap();
    xml.push_str("    </zeebe:taskHeaders>\n  </bpmn:extensionElements>\n</bpmn:serviceTask>");
    xml
}

fn section(operation: &Descriptor) -> String {
    let Descriptor { name, label, summary, calls, body, examples, .. } = operation;
    let contents: Vec<_> = operation.contents.iter().map(|content| format!("`{}`", content.name())).collect();
    let fields: String = operation.inputs.iter().map(field).collect();
    let fields = match fields.as_str() {
        "" => "It has no fields.\n".to_owned(),
        rows => format!("| Field | Label | Is | Must be filled | |\n|---|---|---|---|---|\n{rows}"),
    };
    let with = operation
        .class_with
        .map_or_else(String::new, |(field, safer)| format!("; {} with `{field}`", class(safer)));
    let (status, answer) = (sample_response(operation)["status"].clone(), pretty(examples.answer.1));
    let (refused, refusal) = (examples.refusal.0, pretty(examples.refusal.1));
    format!(
        "### {name}\n\n{label}. {summary}\n\n\
         Class: {}{with}. API calls: {calls}\n\n{fields}\n\
         `body` of the response: {body} `resultContent` may be {}.\n\n\
         An answer, status {status}:\n\n```json\n{answer}\n```\n\n\
         with the result expression `{}`. A refusal, status {refused}:\n\n```json\n{refusal}\n```\n\n\
         with the error expression `{}`. In a diagram:\n\n```xml\n{}\n```\n\n",
        class(operation.class),
        contents.join(", "),
        examples.result,
        examples.error,
        snippet(operation),
    )
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let in_area = |area| ALL.iter().filter(move |operation| operation.area == area);
    for operation in Area::ALL.into_iter().flat_map(in_area) {
        let (name, label) = (operation.name, operation.label);
        writeln!(page, "| [`{name}`](#{}) | {label} | {} |", name.to_lowercase(), class(operation.class))
            .unwrap();
    }
    page.push('\n');
    for area in Area::ALL.into_iter().filter(|area| in_area(*area).next().is_some()) {
        writeln!(page, "## {}\n", area.label()).unwrap();
        page.extend(in_area(area).map(|operation| section(operation)));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

#[test]
fn the_page_of_operations_is_what_the_descriptors_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/operations.md is stale; UPDATE_DOCS=1 cargo test --test it operations_page writes it anew"
    );
}

#[test]
fn operations_stand_in_the_order_of_their_areas() {
    let place = |operation: &&Descriptor| Area::ALL.iter().position(|area| *area == operation.area);
    assert!(ALL.is_sorted_by_key(place), "template and reference list them in one order");
}
