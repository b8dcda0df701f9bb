//! What is in `deploy/` names only metrics and keys that there are.

use std::{fs, path::Path, time::Duration};

use salesforce_connector::{
    config::{Config, Environment},
    metrics::{Kind, METRICS, NAMESPACE},
};
use yaml_rust2::{Yaml, YamlLoader};

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

/// The documents of a file in YAML.
fn documents(name: &str) -> Vec<Yaml> {
    YamlLoader::load_from_str(&read(name)).unwrap_or_else(|error| panic!("deploy/{name}: {error}"))
}

/// The document of this kind.
fn of_kind<'a>(documents: &'a [Yaml], kind: &str) -> &'a Yaml {
    documents.iter().find(|document| document["kind"].as_str() == Some(kind)).unwrap()
}

fn text(yaml: &Yaml) -> String {
    yaml.as_str()
        .unwrap_or_else(|| panic!("a text, which numbers and booleans are only in quotes: {yaml:?}"))
        .to_owned()
}

/// Reads a configuration as the program in the container does.
fn config(file: &str, toml: &str, environment: Vec<(String, String)>) -> Config {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("connector.toml");
    fs::write(&path, toml).unwrap();
    let own = environment.into_iter().filter(|(name, _)| name != "SALESFORCE_CONNECTOR_CONFIG");
    let environment: Environment = own.collect();
    Config::load(Some(&path), &environment).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The grace, what must not be cut after it, and the closing of the connections.
fn stop_of(config: &Config) -> Duration {
    config.worker.shutdown_grace + Duration::from_secs(18)
}

#[test]
fn the_manifest_is_a_configuration_and_what_it_names_is_there() {
    let documents = documents("kubernetes.yaml");
    let pod = &of_kind(&documents, "Deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let map = of_kind(&documents, "ConfigMap");
    let variables = container["env"].as_vec().unwrap().iter();
    let variables: Vec<_> = variables.map(|one| (text(&one["name"]), text(&one["value"]))).collect();
    let of = |name: &str| variables.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let config =
        config("kubernetes.yaml", map["data"]["connector.toml"].as_str().unwrap(), variables.clone());
    assert_eq!(config.connector.connections.keys().collect::<Vec<_>>(), ["production"]);

    let given = pod["terminationGracePeriodSeconds"].as_i64().unwrap().try_into().unwrap();
    assert!(Duration::from_secs(given) > stop_of(&config), "{given} s");
    let port = i64::from(config.admin_listen.unwrap().port());
    assert_eq!(container["ports"][0]["containerPort"].as_i64(), Some(port));
    for (probe, path) in [("startupProbe", "/live"), ("livenessProbe", "/live"), ("readinessProbe", "/ready")]
    {
        let asked = &container[probe]["httpGet"];
        assert_eq!(
            (asked["path"].as_str(), asked["port"].as_str()),
            (Some(path), container["ports"][0]["name"].as_str())
        );
    }
    // Each file and folder that a variable names is below a mount, and each mount is of a volume.
    for mount in container["volumeMounts"].as_vec().unwrap() {
        let volumes = pod["volumes"].as_vec().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let of_map = volume["configMap"]["name"].as_str();
        assert!(of_map.is_none() || of_map == map["metadata"]["name"].as_str(), "{of_map:?}");
        let place = text(&mount["mountPath"]);
        let named = [of("SALESFORCE_CONNECTOR_CONFIG"), of("SALESFORCE_CONNECTOR_SECRETS__DIRECTORY")];
        assert!(named.iter().any(|path| path.starts_with(&place)), "{place} is of no use");
    }
}

#[test]
fn the_composition_is_a_configuration_and_gives_a_stop_its_time() {
    let documents = documents("compose.yaml");
    let worker = &documents[0]["services"]["worker"];
    let variables = worker["environment"].as_hash().unwrap().iter();
    let variables = variables.map(|(name, value)| (text(name), text(value))).collect();
    let config = config("compose.yaml", "", variables);
    assert!(config.gateway.address.ends_with(":26500"), "{}", config.gateway.address);
    let given = text(&worker["stop_grace_period"]);
    let given = given.strip_suffix('s').unwrap().parse().unwrap();
    assert!(Duration::from_secs(given) > stop_of(&config), "{given} s");
    for service in worker["depends_on"].as_vec().unwrap() {
        assert!(!documents[0]["services"][service.as_str().unwrap()].is_badvalue(), "{service:?}");
    }
}
