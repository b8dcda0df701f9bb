//! Holds the plan of the house (ARCHITECTURE.md): dependencies point down, rooms stay small, the wings never meet.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const FOUNDATION: &[&str] = &["backoff", "metrics", "redactor", "spans", "tls", "token_cache"];
const WINGS: &[&str] = &["salesforce", "zeebe"];
const HALL: &[&str] = &["connector"];

/// Lines of a file without its tests, and with them.
const MOST_LINES: usize = 400;
const MOST_LINES_WITH_TESTS: usize = 600;
const MOST_LINES_OF_A_FUNCTION: usize = 50;

struct Source {
    /// Below the package's folder, such as `src/zeebe/worker.rs`.
    path: String,
    text: String,
}

impl Source {
    /// The module directly below the crate, such as `zeebe`.
    fn room(&self) -> &str {
        let below = self.path.trim_start_matches("src/");
        below.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests") || self.path.starts_with("tests/") || self.path.ends_with("_tests.rs")
    }

    /// The text before the tests at the bottom of the file.
    fn without_tests(&self) -> &str {
        self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
    }

    /// The rooms that the code names with `crate::`.
    fn dependencies(&self) -> BTreeSet<&str> {
        let code = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut found = BTreeSet::new();
        let (mut in_group, mut depth) = (false, 0_usize);
        for line in code {
            for part in line.split("crate::").skip(1) {
                found.insert(
                    part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default(),
                );
            }
            if line.trim_start().starts_with("use crate::{")
                || line.trim_start().starts_with("pub use crate::{")
            {
                in_group = true;
                depth = 0;
            }
            if in_group {
                if depth == 1 || line.contains("crate::{") {
                    let names = line.rsplit("crate::{").next().unwrap_or_default();
                    let name = names.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
                    found.insert(name.unwrap_or_default());
                }
                depth = (depth + line.matches('{').count()).saturating_sub(line.matches('}').count());
                in_group = depth > 0;
            }
        }
        found.remove("");
        found
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

fn complain(problems: &[String]) {
    assert!(problems.is_empty(), "\n  {}\n", problems.join("\n  "));
}

#[test]
fn dependencies_point_down_and_the_wings_never_see_each_other() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let room = source.room();
        let allowed: Vec<&str> = match room {
            room if FOUNDATION.contains(&room) => FOUNDATION.to_vec(),
            room if WINGS.contains(&room) => [FOUNDATION, &[room]].concat(),
            room if HALL.contains(&room) => [FOUNDATION, WINGS, HALL].concat(),
            _ => continue,
        };
        for dependency in source.dependencies() {
            if !allowed.contains(&dependency) {
                problems
                    .push(format!("{} looks up at {dependency}; it may only see {allowed:?}", source.path));
            }
        }
    }
    complain(&problems);
}

#[test]
fn a_wing_has_never_heard_of_the_other_side() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let unheard: &[&str] = match source.room() {
            "salesforce" => &["zeebe", "camunda", "bpmn"],
            "zeebe" => &["salesforce", "soql", "sobject"],
            _ => continue,
        };
        for (number, line) in source.text.lines().enumerate() {
            // The foundation's prefix and the room's own first sentence may name the other side.
            let line = line.to_lowercase();
            if line.starts_with("//!")
                || line.contains("salesforce-connector")
                || line.contains("salesforce_connector")
            {
                continue;
            }
            if let Some(word) = unheard.iter().find(|word| line.contains(**word)) {
                problems.push(format!("{}:{} speaks of {word}", source.path, number + 1));
            }
        }
    }
    complain(&problems);
}

#[test]
fn generated_types_stay_in_the_east_wing_and_http_types_in_their_rooms() {
    let mut problems = Vec::new();
    for source in sources("src") {
        let zeebe = source.room() == "zeebe";
        if source.text.contains("gateway_protocol") && !zeebe {
            problems.push(format!("{} names generated types", source.path));
        }
        let may_speak_http = zeebe
            || matches!(source.room(), "salesforce" | "admin")
            || source.path == "src/cli/health.rs"
            || source.path.starts_with("src/connector/secrets/vault/");
        if ["reqwest::", "hyper::", "axum::", "tonic::"].iter().any(|name| source.text.contains(name))
            && !may_speak_http
        {
            problems.push(format!("{} names HTTP types", source.path));
        }
    }
    complain(&problems);
}

#[test]
fn rooms_stay_small() {
    let mut problems = Vec::new();
    for source in ["src", "dev/src", "benches", "tests"].into_iter().flat_map(sources) {
        let (code, all) = (source.without_tests().lines().count(), source.text.lines().count());
        if code > MOST_LINES && !source.is_test() {
            problems
                .push(format!("{} has {code} lines without its tests; at most {MOST_LINES}", source.path));
        }
        if all > MOST_LINES_WITH_TESTS {
            problems.push(format!("{} has {all} lines; at most {MOST_LINES_WITH_TESTS}", source.path));
        }
        if source.path.matches('/').count() > 4 {
            problems.push(format!("{} is too deep", source.path));
        }
    }
    complain(&problems);
}

#[test]
fn functions_stay_short() {
    let mut problems = Vec::new();
    for source in ["src", "dev/src", "benches"].into_iter().flat_map(sources) {
        let lines: Vec<&str> = source.without_tests().lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let is_function = line.contains("fn ")
                && line.trim_end().ends_with('{')
                && !line.trim_start().starts_with("//");
            if !is_function {
                continue;
            }
            let end = format!("{}}}", " ".repeat(indent));
            let length = lines[start..].iter().position(|line| **line == end).unwrap_or_default();
            if length > MOST_LINES_OF_A_FUNCTION && !source.is_test() {
                problems.push(format!("{}:{} has a function of {length} lines", source.path, start + 1));
            }
        }
    }
    complain(&problems);
}

#[test]
fn the_workshop_knows_only_the_wire() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("dev/Cargo.toml")).unwrap();
    assert!(!manifest.contains("path = \"..\""), "dev depends on the product");
    for source in sources("dev/src") {
        assert!(!source.text.contains("salesforce_connector::"), "{} uses the product", source.path);
    }
}
