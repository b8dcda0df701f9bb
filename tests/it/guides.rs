//! What the guides for modelers promise: every code has advice, every link and picture is there, the incident reads as shown.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;

use crate::handler::Bench;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What is written by hand in Markdown: the pages at the root and all below `docs`.
fn pages() -> Vec<PathBuf> {
    let folders = [root().to_owned(), root().join("docs"), root().join("docs/recipes")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let found: Vec<_> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// The anchor that a heading gets where Markdown is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// What stands between `](` and `)` outside of code.
fn links(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
    prose.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn no_link_and_no_picture_is_broken() {
    let mut problems = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for link in links(&page).into_iter().filter(|link| !link.starts_with("http")) {
            let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let is_there = target.exists()
                && (fragment.is_empty()
                    || fs::read_to_string(&target).is_ok_and(|text| {
                        text.lines().any(|line| line.starts_with('#') && anchor(line) == fragment)
                    }));
            if !is_there {
                problems.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// The codes of the table of what Salesforce's codes mean.
fn known_codes() -> BTreeSet<String> {
    let source = read("src/salesforce/error_codes.rs");
    let table = source.split("const TABLE").nth(1).and_then(|rest| rest.split("];").next()).unwrap();
    let quoted = table.split('"').skip(1).step_by(2).map(str::to_owned);
    let codes: BTreeSet<_> = quoted.collect();
    assert!(codes.len() > 60, "{codes:?}");
    codes
}

#[test]
fn the_guide_says_what_to_do_about_every_code_of_salesforce_that_the_worker_knows() {
    let guide = read("docs/modeling.md");
    let rows: Vec<Vec<&str>> = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let advised: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.len() == 3 && row[2].ends_with('.'))
        .flat_map(|row| row[0].split(", ").map(|code| code.trim_matches('`').to_owned()))
        .collect();
    let known = known_codes();
    let missing: Vec<_> = known.difference(&advised).collect();
    let unknown: Vec<_> = advised.difference(&known).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing: {missing:?}, not known: {unknown:?}");
}

#[tokio::test]
async fn an_incident_reads_as_the_guide_shows_it() {
    let bench = Bench::start().await;
    let create = json!({"type": "createRecord", "objectType": "Contact", "body": {"FirstName": "Ada"}});
    let failure = bench.failure(create, &[]).await;
    let guide = read("docs/modeling.md");
    let quoted: Vec<&str> = guide.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert_eq!(quoted.join(" "), failure.message);
}

#[test]
fn every_recipe_has_a_page_in_the_guide_and_a_process() {
    let guide = read("docs/modeling.md");
    let names: Vec<String> = fs::read_dir(root().join("docs/recipes"))
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".md")?.to_owned()))
        .collect();
    assert_eq!(names.len(), 7);
    for name in names {
        assert!(guide.contains(&format!("](recipes/{name}.md)")), "the guide does not lead to {name}");
        assert!(root().join(format!("examples/{name}.bpmn")).exists(), "there is no process {name}");
    }
}
