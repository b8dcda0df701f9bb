//! Random faults on both wires, from a seed.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use salesforce_connector_dev::{
    gateway::Rpc,
    org::{Fault, FaultRule, Reply},
};
use tonic::Status;

use super::Doubles;

/// Faults that wait to be met, at most.
const MOST_PENDING: usize = 20;

/// The same of polls: there are few, and each that is lost takes a hundred jobs with it until their locks end.
const MOST_PENDING_POLLS: usize = 1;

/// How many of a hundred requests meet a fault, about.
const PER_HUNDRED: f64 = 5.0;

/// Where API calls go, logins not among them.
const API: &str = "/services/data";

/// The draw of faults, and a count of them by name.
pub(super) struct Strikes {
    random: Rng,
    counts: BTreeMap<&'static str, usize>,
    /// Faults that leave the outcome of a create unknown, drawn so far.
    pub(super) unclear: usize,
    /// Ticks until the gateway comes up again.
    down_for: usize,
    /// Requests that the org had met at the last tick.
    requests: u64,
}

impl Strikes {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), counts: BTreeMap::new(), unclear: 0, down_for: 0, requests: 0 }
    }

    /// Perhaps a fault on each wire.
    pub(super) async fn draw(&mut self, doubles: &Doubles) -> anyhow::Result<()> {
        if self.down_for > 0 {
            self.down_for -= 1;
            if self.down_for == 0 {
                doubles.gateway.come_up().await?;
            }
        }
        let (faults, requests) = (doubles.org.faults(), doubles.org.counters().api_requests);
        let met = requests - std::mem::replace(&mut self.requests, requests);
        if met == 0 {
            // Faults are for traffic: what piles up behind a worker that rests would meet each of its probes.
            faults.clear();
        } else if self.chance(met as f64 * PER_HUNDRED / 100.0) && faults.pending() < MOST_PENDING {
            self.on_the_org(doubles);
        }
        if self.chance(0.2) {
            self.on_a_command(doubles);
        }
        if self.chance(0.005) {
            self.on_the_gateway(doubles).await;
        }
        if self.chance(0.003) {
            self.count("tokens revoked");
            doubles.org.revoke_tokens();
            // The login that follows is met as well now and then.
            if met > 0 && self.chance(0.5) {
                self.count("login cut");
                doubles.org.faults().add(FaultRule::new(Fault::CloseAfter).path("/oauth2/token"));
            }
        }
        Ok(())
    }

    /// `fault 12, fault 7, …`
    pub(super) fn told(&self) -> String {
        let counts: Vec<String> = self.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        counts.join(", ")
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.f64() < share
    }

    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    fn milliseconds(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.random.u64(1..most))
    }

    fn on_the_org(&mut self, doubles: &Doubles) {
        let unavailable = || Reply::error(503, "SERVER_UNAVAILABLE", "the server is unavailable");
        let html = |status| {
            Reply::new(status, "<html><body>Down for maintenance</body></html>")
                .header("content-type", "text/html")
        };
        let unknown = || Reply::error(500, "UNKNOWN_EXCEPTION", "an unexpected error occurred");
        let (name, fault) = match self.random.u8(..14) {
            0 | 1 => ("org slow", Fault::Delay(self.milliseconds(3000))),
            2 => ("cut before", Fault::CloseBefore),
            3 => ("cut after", Fault::CloseAfter),
            4 => ("503", Fault::Respond(unavailable())),
            5 => ("503, Retry-After", Fault::Respond(unavailable().header("retry-after", "1"))),
            6 => ("row locked", Fault::Respond(Reply::error(400, "UNABLE_TO_LOCK_ROW", "row locked"))),
            7 => ("429", Fault::Respond(Reply::new(429, "").header("retry-after", "1"))),
            8 => ("500", Fault::Respond(unknown())),
            9 => ("500 after the work", Fault::RespondAfter(unknown())),
            10 => ("half an answer", Fault::CutAnswer),
            11 => ("answer cut short by its length", Fault::Announce(1_000_000)),
            12 => ("answer drips", Fault::Drip(self.milliseconds(10))),
            _ => ("502 in HTML", Fault::Respond(html(502))),
        };
        self.count(name);
        let method = ["POST", "PATCH", "GET", "GET"][self.random.usize(..4)];
        let unclear = [
            "half an answer",
            "answer cut short by its length",
            "cut before",
            "cut after",
            "500",
            "500 after the work",
            "502 in HTML",
        ];
        if method == "POST" && unclear.contains(&name) {
            self.unclear += 1;
        }
        doubles.org.faults().add(FaultRule::new(fault).method(method).path(API));
    }

    fn on_a_command(&mut self, doubles: &Doubles) {
        let faults = doubles.gateway.faults();
        let rpcs = [Rpc::CompleteJob, Rpc::CompleteJob, Rpc::ActivateJobs, Rpc::FailJob, Rpc::SetVariables];
        let rpc = rpcs[self.random.usize(..rpcs.len())];
        let most = if rpc == Rpc::ActivateJobs { MOST_PENDING_POLLS } else { MOST_PENDING };
        if faults.pending(rpc) >= most {
            return;
        }
        match self.random.u8(..6) {
            0 => {
                self.count("command refused: unavailable");
                faults.refuse(rpc, 1, &Status::unavailable("no leader"));
            }
            1 => {
                self.count("command refused: overload");
                faults.refuse(rpc, self.random.usize(1..4), &Status::resource_exhausted("backpressure"));
            }
            2 | 3 => {
                self.count("command's reply lost");
                faults.lose_reply(rpc, 1, &Status::deadline_exceeded("no answer from the broker"));
            }
            4 => {
                self.count("command slow");
                faults.delay(rpc, 1, self.milliseconds(2000));
            }
            _ => {
                self.count("job sent twice");
                faults.duplicate_deliveries(1);
            }
        }
    }

    async fn on_the_gateway(&mut self, doubles: &Doubles) {
        let gateway = &doubles.gateway;
        match self.random.u8(..5) {
            0 => {
                self.count("streams closed");
                gateway.close_streams(&Status::unavailable("HTTP status code 504"));
            }
            1 => {
                self.count("stream silent");
                gateway.faults().silence(1);
                gateway.close_streams(&Status::unavailable("the gateway moves"));
            }
            2 | 3 => {
                self.count("gateway connections reset");
                gateway.reset_connections();
            }
            _ => {
                self.count("gateway down");
                gateway.go_down().await;
                self.down_for = self.random.usize(5..60);
            }
        }
    }
}
