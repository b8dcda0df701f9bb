//! Generated pages are what their sources say; `UPDATE_DOCS=1 cargo test --test it docs` writes them anew.

use std::{fmt::Write as _, fs, path::Path};

use salesforce_connector::connector::CODES;

fn errors_page() -> String {
    let mut page = String::from(
        "# Error codes\n\n\
         <!-- Generated from src/connector/codes.rs: UPDATE_DOCS=1 cargo test --test it docs -->\n\n\
         Where Salesforce names an `errorCode` (`DUPLICATE_VALUE`, `UNABLE_TO_LOCK_ROW`, …), that is the code; Salesforce's own \
         documentation lists them. What else can go wrong has one of the codes below.\n\n\
         A job that failed holds the variable `error`: `code`, `message`, `type`, `status` (where there was an answer), `errors` \
         (each with `errorCode`, `message`, `fields`) and `variables.response`. With the header `bpmnErrors` set to `business`, \
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md");
    let page = errors_page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, page,
        "docs/errors.md is stale; UPDATE_DOCS=1 cargo test --test it docs writes it anew"
    );
}
