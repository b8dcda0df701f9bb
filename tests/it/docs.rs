//! Generated pages are what their sources say; `UPDATE_DOCS=1 cargo test --test it docs` writes them anew. Written pages keep
//! what they promise.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use salesforce_connector::{
    connector::{CODES, operations::ALL},
    metrics::{Kind, METRICS, Metric, Values},
};

fn errors_page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         <!-- Generated from src/connector/codes.rs: UPDATE_DOCS=1 cargo test --test it docs -->\n\n\
         Where Salesforce names an `errorCode` (`DUPLICATE_VALUE`, `UNABLE_TO_LOCK_ROW`, …), that is the code; Salesforce's own \
         documentation lists them. What else can go wrong has one of the codes below.\n\n\
         A job that failed holds the variable `error`: `code`, `message`, `type`, `status` (where there was an answer), `errors` \
         (each with `errorCode`, `message`, `fields`) and `variables.response`; with DUPLICATES_DETECTED also `duplicates` (each \
         with `id`, `type` and the `record`, which has more fields where the task asks for them). With the header `bpmnErrors` set to `business`, \
         failures of the type `business` are thrown as BPMN errors with their code; a list of codes throws exactly those.\n\n\
         A type is tried again while the job has retries if it is `transient` or `throttled`. Every other type ends in an \
         incident at once, because a second try would fail in the same way or do harm.\n\n\
         | Code | Type | Tried again | Meaning | What to do |\n|---|---|---|---|---|\n",
    );
    for code in CODES {
        let again = if code.error_type.is_repeated() { "yes" } else { "no" };
        let (name, error_type) = (code.name, code.error_type.name());
        writeln!(page, "| `{name}` | {error_type} | {again} | {} | {} |", code.meaning, code.advice).unwrap();
    }
    page
}

#[test]
fn the_page_of_error_codes_is_what_the_table_says() {
    is_what_the_source_says("docs/errors.md", &errors_page());
}

fn is_what_the_source_says(path: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, page).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(committed, page, "{path} is stale; UPDATE_DOCS=1 cargo test --test it docs writes it anew");
}

fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\n\
         <!-- Generated from src/metrics/table.rs: UPDATE_DOCS=1 cargo test --test it docs -->\n\n\
         `GET /metrics` on the admin port (`admin.listen`, 9464) gives them in Prometheus' text format, or in OpenMetrics' for a \
         scraper that asks for it.\n\n\
         Every name begins with `salesforce_connector_`. A histogram has the suffixes `_bucket`, `_sum` and `_count`. Labels take \
         values from small sets only; no series belongs to one job, record or message. What can be counted from the start is shown \
         as 0 from the start, so that the first failure is seen as a rise.\n\n\
         | Name | Kind | Unit | Labels | Meaning | What to look at it for |\n|---|---|---|---|---|---|\n",
    );
    for Metric { name, kind, unit, labels, meaning, watch } in METRICS {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Seconds | Kind::Counts => "histogram",
        };
        let labels: Vec<String> = labels.iter().map(|label| format!("`{}`", label.name)).collect();
        let labels = labels.join(", ");
        writeln!(page, "| `{name}` | {kind} | {unit} | {labels} | {meaning}. | {watch} |").unwrap();
    }
    page.push_str("\n## Labels\n\n| Label | Of | Values |\n|---|---|---|\n");
    for (metric, label) in
        METRICS.iter().flat_map(|metric| metric.labels.iter().map(move |label| (metric, label)))
    {
        let values = match &label.values {
            Values::OneOf(values) => {
                values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
            }
            Values::Operation => {
                "the name of an operation (`query`, `createRecord`, …), or `unknown`".to_owned()
            }
            Values::Configured(what) => (*what).to_owned(),
        };
        let values = if label.name == "version" { "the version of the program".to_owned() } else { values };
        writeln!(page, "| `{}` | `{}` | {values} |", label.name, metric.name).unwrap();
    }
    page
}

#[test]
fn the_page_of_metrics_is_what_the_table_says() {
    is_what_the_source_says("docs/metrics.md", &metrics_page());
}

/// The cells of each row of a page's tables.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_comparison_names_operations_that_there_are_and_leaves_no_cell_empty() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/comparison.md")).unwrap();
    let rows = rows(&page);
    assert!(rows.len() > 50);
    let known = |name: &str| ALL.iter().any(|operation| operation.name == name);
    for row in &rows {
        assert!(row.len() == 11 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        let named = row[1].split_once(": `").map_or("", |(_, names)| names);
        let named = named.split(';').next().unwrap_or_default().split(", `");
        for name in named.filter_map(|name| name.split('`').next()).filter(|name| !name.is_empty()) {
            assert!(known(name), "{}: there is no operation {name}", row[0]);
        }
    }
}

/// All code below these folders.
fn code(folders: &[&str]) -> String {
    let mut code = String::new();
    let mut folders: Vec<_> =
        folders.iter().map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                code += &fs::read_to_string(path).unwrap();
            }
        }
    }
    code
}

/// The names of the tests in some code.
fn tests(code: &str) -> BTreeSet<&str> {
    let attributes = code.split("#[tokio::test").skip(1).chain(code.split("#[test]").skip(1));
    let names = attributes.filter_map(|rest| rest.split_once("fn ")?.1.split('(').next());
    names.collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_of_faults_names_tests_metrics_and_log_lines_that_there_are_and_every_test_of_a_fault() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/faults.md")).unwrap();
    let (code, product) = (code(&["tests/it", "tests/e2e", "src"]), code(&["src"]));
    let known = tests(&code);
    let mut named = BTreeSet::new();
    for row in rows(&page).iter().filter(|row| row[0] != "Fault") {
        let [fault, _, seen, tests] = row[..] else { panic!("{row:?} has not four cells") };
        assert!(quoted(tests).count() > 0, "{fault}: no test");
        for test in quoted(tests) {
            assert!(known.contains(test), "{fault}: there is no test {test}");
            named.insert(test);
        }
        for what in quoted(seen).map(|what| what.split(['{', ' ']).next().unwrap_or_default()) {
            let is_metric = METRICS.iter().any(|metric| metric.name == what);
            let is_label = what.contains('=');
            assert!(is_metric || is_label || product.contains(what), "{fault}: nothing is called {what}");
        }
    }
    for file in [
        "tests/it/faults.rs",
        "tests/it/zeebe_worker/faults.rs",
        "src/salesforce/tests/losses.rs",
        "src/salesforce/tests/statuses.rs",
    ] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        for test in tests(&text) {
            assert!(named.contains(test), "docs/faults.md does not name {test} of {file}");
        }
    }
}
