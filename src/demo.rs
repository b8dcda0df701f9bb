//! `demo`: an org and a gateway in memory, a handful of jobs through the real worker, told as a story.

mod scenes;
mod story;

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::Context as _;
use salesforce_connector_dev::{
    gateway::{DevGateway, JobRecord},
    org::DevOrg,
};
use serde_json::{Map, Value, json};

use crate::{
    app::App,
    config::{Config, Environment},
    connector::{ConnectionAuthentication, NamedConnection},
    salesforce::AllowedHosts,
    zeebe::StopSignal,
};
use scenes::{Ending, SCENES, Scene};

/// The doubles and the worker between them.
struct Stage {
    org: DevOrg,
    gateway: DevGateway,
    job_type: String,
    /// The variables of the imagined process, which later scenes use.
    process: Map<String, Value>,
}

/// Plays every scene and hands each paragraph of the story to `tell`.
///
/// # Errors
/// Where a scene ends otherwise than it should, which makes the demo a test of the whole house.
pub async fn play(
    mut tell: impl FnMut(&str) -> anyhow::Result<()>,
    serve: Option<StopSignal>,
) -> anyhow::Result<()> {
    let org = DevOrg::start().await.context("the org does not start")?;
    let gateway = DevGateway::start().await.context("the gateway does not start")?;
    let mut config = config(&org, &gateway)?;
    // Somebody may look for a while; the usual port may be that of a real worker.
    config.admin_listen = serve.as_ref().map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let job_type = config.worker.job_type.clone();
    let app = App::build(config).await?;
    let admin = app.admin_address().map(|address| format!("http://{address}/")).unwrap_or_default();
    let (status, stop) = (app.status(), StopSignal::default());
    let running = tokio::spawn(app.run_until(stop.clone()));
    status.ready().await;

    tell(&story::prologue(&org, &gateway))?;
    let mut stage = Stage { org, gateway, job_type, process: Map::new() };
    for (index, scene) in SCENES.iter().enumerate() {
        tell(&stage.play(index + 1, scene).await?)?;
    }
    tell(&story::epilogue(&stage.org, &stage.gateway))?;
    if let Some(signal) = serve {
        tell(&story::serving(&stage.org, &stage.gateway, &admin))?;
        signal.drain.cancelled().await;
    }
    stop.drain.cancel();
    running.await?;
    stage.gateway.stop().await;
    stage.org.stop().await;
    Ok(())
}

fn config(org: &DevOrg, gateway: &DevGateway) -> anyhow::Result<Config> {
    let mut config = Config::load(None, &Environment::new())?;
    config.gateway.address = gateway.url();
    config.admin_listen = None;
    config.connector.transport.hosts = AllowedHosts::new(&[], true, true).map_err(anyhow::Error::msg)?;
    let authentication = ConnectionAuthentication::client_credentials("dev-client", "dev-secret");
    let connection = NamedConnection::new(org.base_url(), authentication);
    config.connector.connections = BTreeMap::from([("demo".to_owned(), connection)]);
    Ok(config)
}

impl Stage {
    async fn play(&mut self, number: usize, scene: &Scene) -> anyhow::Result<String> {
        (scene.before)(&self.org);
        let seen = self.org.requests().len();
        let request = json!({"connection": {"name": "demo"}, "operation": (scene.operation)(&self.process)});
        let job = salesforce_connector_dev::gateway::NewJob::new(self.job_type.as_str())
            .element_id(scene.element_id)
            .bpmn_process_id("demo")
            .variables(json!({"salesforceRequest": request.clone()}))
            .headers(scene.headers.iter().copied());
        let key = self.gateway.create_job(job);
        let record = self.gateway.finished(key).await;
        check(scene, &record)?;
        self.process.extend(record.result.clone().unwrap_or_default());
        let calls = &self.org.requests()[seen..];
        Ok(story::scene(number, scene, &request["operation"], calls, &record))
    }
}

fn check(scene: &Scene, record: &JobRecord) -> anyhow::Result<()> {
    let as_meant = match scene.ending {
        Ending::Completed => record.state == salesforce_connector_dev::gateway::JobState::Completed,
        Ending::ErrorThrown(code) => record.error_code.as_deref() == Some(code),
        Ending::Incident(part) => {
            record.incident_key.is_some()
                && record.error_message.as_deref().is_some_and(|text| text.contains(part))
        }
    };
    anyhow::ensure!(as_meant, "the scene \"{}\" ended otherwise than it should: {record:#?}", scene.title);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_demo_tells_every_scene_and_ends_by_itself() {
        let mut told = String::new();
        let told_so_far = &mut told;
        play(
            |paragraph| {
                told_so_far.push_str(paragraph);
                Ok(())
            },
            None,
        )
        .await
        .unwrap();
        for scene in SCENES {
            assert!(told.contains(scene.title), "{} is missing in:\n{told}", scene.title);
        }
        assert!(!told.contains("dev-secret"), "{told}");
    }
}
