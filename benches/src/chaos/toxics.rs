//! toxiproxy: a proxy on each wire, and what goes wrong in it, from a seed.

use std::{collections::BTreeMap, net::TcpListener, path::Path, time::Duration};

use anyhow::Context as _;
use fastrand::Rng;
use reqwest::{Client, Method};
use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::process::Measured;

/// How long toxiproxy may take to start.
const START: Duration = Duration::from_secs(10);

/// A proxy.
struct Wire {
    name: &'static str,
    listen: String,
    upstream: String,
}

/// A running toxiproxy with its proxies.
pub(super) struct Toxics {
    api: String,
    http: Client,
    random: Rng,
    wires: Vec<Wire>,
    counts: BTreeMap<&'static str, usize>,
    _server: Measured,
}

impl Toxics {
    /// Starts toxiproxy on a free port.
    pub(super) async fn start(program: &Path, seed: u64) -> anyhow::Result<Self> {
        salesforce_connector::tls::use_ring();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let arguments = ["-host", "127.0.0.1", "-port", &port.to_string()].map(str::to_owned);
        let environment = [("LOG_LEVEL".to_owned(), "fatal".to_owned())];
        let server = Measured::start(program, &arguments, &environment, None)?;
        let toxics = Self {
            api: format!("http://127.0.0.1:{port}"),
            http: Client::builder().no_proxy().build()?,
            random: Rng::with_seed(seed),
            wires: Vec::new(),
            counts: BTreeMap::new(),
            _server: server,
        };
        let began = Instant::now();
        while let Err(error) = toxics.call(Method::GET, "/version", &Value::Null).await {
            anyhow::ensure!(began.elapsed() < START, "toxiproxy does not start: {error:#}");
            sleep(Duration::from_millis(50)).await;
        }
        Ok(toxics)
    }

    /// A proxy on a free port before this address; where it listens.
    pub(super) async fn proxy(&mut self, name: &'static str, upstream: &str) -> anyhow::Result<String> {
        let proxy = json!({"name": name, "listen": "127.0.0.1:0", "upstream": upstream, "enabled": true});
        let answer = self.call(Method::POST, "/proxies", &proxy).await?;
        let listen = answer["listen"].as_str().context("toxiproxy names no address")?.to_owned();
        self.wires.push(Wire { name, listen: listen.clone(), upstream: upstream.to_owned() });
        Ok(listen)
    }

    /// Lets a proxy lead to another address.
    pub(super) async fn lead(&mut self, name: &str, upstream: &str) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/proxies/{name}"), &json!({"upstream": upstream})).await?;
        let wire = self.wires.iter_mut().find(|wire| wire.name == name).context("no such proxy")?;
        upstream.clone_into(&mut wire.upstream);
        Ok(())
    }

    /// Faults on every wire, each for a while and with a pause after it, and tokens revoked now and then; how often
    /// they were.
    pub(super) async fn strike(&mut self, until: Instant, org: &DevOrg) -> anyhow::Result<usize> {
        let mut revocations = 0;
        let mut next_revocation = Instant::now() + self.seconds(8.0, 20.0);
        while Instant::now() < until {
            let wire = self.random.usize(..self.wires.len());
            let (fault, lasting) = self.poison(wire).await?;
            sleep_until(until.min(Instant::now() + lasting)).await;
            self.end(wire, fault).await?;
            if Instant::now() > next_revocation {
                org.revoke_tokens();
                revocations += 1;
                *self.counts.entry("tokens revoked").or_default() += 1;
                next_revocation = Instant::now() + self.seconds(8.0, 20.0);
            }
            let pause = self.seconds(0.4, 1.6);
            sleep_until(until.min(Instant::now() + pause)).await;
        }
        Ok(revocations)
    }

    /// Ends the fault of a wire. A toxic that holds connections up cannot be taken out of them: toxiproxy waits for them
    /// while it goes on. So the proxy is replaced, which cuts them; what only slows is taken out.
    async fn end(&self, wire: usize, fault: &str) -> anyhow::Result<()> {
        let Wire { name, listen, upstream } = &self.wires[wire];
        let path = format!("/proxies/{name}");
        match fault {
            "down" => self.call(Method::POST, &path, &json!({"enabled": true})).await.map(drop),
            "latency" | "slow" | "crumbs" => {
                self.call(Method::DELETE, &format!("{path}/toxics/fault"), &Value::Null).await.map(drop)
            }
            _ => {
                self.call(Method::DELETE, &path, &Value::Null).await?;
                let proxy = json!({"name": name, "listen": listen, "upstream": upstream, "enabled": true});
                self.call(Method::POST, "/proxies", &proxy).await.map(drop)
            }
        }
    }

    /// `fault 12, fault 7, …`
    pub(super) fn told(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        counts.join(", ")
    }

    /// Puts a fault on a wire; its name, and how long it is to last. What loses answers is a moment: in half a second of it, eight
    /// creates are lost. Camunda's runtime was measured under faults of the same kinds, of which only the outcome is known:
    /// of 827 creates, 30 were done twice and 4 became incidents. How dense its faults were is not stated.
    async fn poison(&mut self, wire: usize) -> anyhow::Result<(&'static str, Duration)> {
        let (name, toxic, attributes) = match self.random.u8(..10) {
            0 | 1 => {
                let latency = self.random.u32(100..2000);
                ("latency", "latency", json!({"latency": latency, "jitter": latency / 4}))
            }
            2 | 3 => ("slow", "bandwidth", json!({"rate": self.random.u32(1..20)})),
            4 => {
                let delay = self.random.u32(500..20_000);
                ("crumbs", "slicer", json!({"average_size": 40, "size_variation": 20, "delay": delay}))
            }
            5 => ("down", "", Value::Null),
            6 => ("cut", "timeout", json!({"timeout": self.random.u32(1..100)})),
            7 => ("reset", "reset_peer", json!({"timeout": self.random.u32(0..100)})),
            8 => ("half answers", "limit_data", json!({"bytes": self.random.u32(50..3000)})),
            _ => ("silence", "timeout", json!({"timeout": 0})),
        };
        *self.counts.entry(name).or_default() += 1;
        let lasting = match name {
            "cut" | "reset" | "half answers" => self.seconds(0.05, 0.2),
            "silence" => self.seconds(0.1, 0.4),
            _ => self.seconds(0.5, 3.0),
        };
        let path = format!("/proxies/{}", self.wires[wire].name);
        if toxic.is_empty() {
            self.call(Method::POST, &path, &json!({"enabled": false})).await?;
            return Ok((name, lasting));
        }
        let stream = if self.random.bool() { "upstream" } else { "downstream" };
        let toxic = json!({"name": "fault", "type": toxic, "stream": stream, "toxicity": 1.0, "attributes": attributes});
        self.call(Method::POST, &format!("{path}/toxics"), &toxic).await?;
        Ok((name, lasting))
    }

    fn seconds(&mut self, least: f64, most: f64) -> Duration {
        Duration::from_secs_f64(least + self.random.f64() * (most - least))
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut request = self.http.request(method, format!("{}{path}", self.api));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "toxiproxy: {path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
