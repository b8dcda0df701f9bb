//! What is in `deploy/` names only metrics and keys that there are.

use std::{fs, path::Path, time::Duration};

use salesforce_connector::{
    config::{Config, Environment},
    metrics::{Kind, METRICS, NAMESPACE},
};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// Whether there is such a metric; a histogram is asked for by its parts.
fn is_metric(name: &str) -> bool {
    METRICS.iter().any(|metric| {
        let rest = name.strip_prefix(metric.name);
        match metric.kind {
            Kind::Counter | Kind::Gauge => rest == Some(""),
            Kind::Seconds | Kind::Counts => matches!(rest, Some("_bucket" | "_sum" | "_count")),
        }
    })
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() {
    serde_json::from_str::<serde_json::Value>(&read("grafana-dashboard.json")).unwrap();
    for (file, fewest) in [("grafana-dashboard.json", 12), ("prometheus-alerts.yaml", 8)] {
        let text = read(file);
        let prefix = format!("{NAMESPACE}_");
        let names = text.split(&prefix).skip(1).map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
        });
        let names: Vec<&str> = names.collect();
        assert!(names.len() >= fewest, "{file} asks for {} metrics", names.len());
        for name in names {
            assert!(is_metric(name), "{file} asks for {prefix}{name}, which docs/metrics.md does not have");
        }
    }
    assert!(!is_metric("jobs_ended") && !is_metric("job_total_seconds"), "the check cannot fail");
}

/// The variables that a file sets: `NAME: value`, or `{ name: NAME, value: value }`.
fn environment(text: &str) -> Environment {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| match line.strip_prefix("- { name: ") {
        Some(entry) => entry.trim_end_matches(" }").split_once(", value: "),
        None => line.split_once(": "),
    });
    let own = pairs.filter(|(name, _)| {
        name.starts_with("SALESFORCE_CONNECTOR_") && *name != "SALESFORCE_CONNECTOR_CONFIG"
            || name.starts_with("CAMUNDA_GRPC")
    });
    own.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

#[test]
fn the_manifests_are_configurations_and_give_a_stop_its_time() {
    // Longer than the grace, what must not be cut after it, and the closing of the connections.
    let closing = Duration::from_secs(18);
    for (file, key) in
        [("kubernetes.yaml", "terminationGracePeriodSeconds: "), ("compose.yaml", "stop_grace_period: ")]
    {
        let text = read(file);
        let toml = text
            .split_once("connector.toml: |\n")
            .map_or("", |(_, rest)| rest.split_once("\n---").map_or(rest, |(block, _)| block));
        let toml: Vec<&str> = toml.lines().map(str::trim).collect();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("connector.toml");
        fs::write(&path, toml.join("\n")).unwrap();
        let environment = environment(&text);
        assert!(environment.len() >= 2, "{file} sets {environment:?}");
        let config =
            Config::load(Some(&path), &environment).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(config.connector.connections.contains_key("production"), file == "kubernetes.yaml");

        let given = text.split_once(key).unwrap().1;
        let given = given.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!(Duration::from_secs(given) > config.worker.shutdown_grace + closing, "{file}: {given} s");
    }
}
