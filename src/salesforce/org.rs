//! One org: what is known of it, and who may call it now.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::metrics::{Metrics, OrgState};

use super::budget::Budget;
use super::circuit::{Cause, Change, Circuit, Outage, Word};
use super::codes;
use super::failure::Failure;
use super::load::{Load, SLOW};
use super::outage::Signal;
use super::request::{CallClass, Request};
use super::seats::{Seat, Seats};
use super::status::{CircuitState, CircuitStatus, LastError, OrgStatus};

/// One org, or a host where tokens come from.
#[derive(Debug)]
pub(super) struct Org {
    host: String,
    state: Mutex<State>,
    /// So many calls it has in hand at most while it is slow.
    share: usize,
    seats: Seats,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    /// For all calls.
    calls: Circuit,
    /// For writes: an org in maintenance may still answer reads.
    writes: Circuit,
    budget: Budget,
    load: Load,
    /// Whether the host has answered anything yet: else it may not be one.
    has_answered: bool,
    last_error: Option<LastError>,
}

/// What kind of call asks to go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errand {
    /// Whether it changes something.
    pub(super) writes: bool,
    /// Whether it is held back to leave the last of the budget to others.
    pub(super) can_wait: bool,
    /// Logins are few, and everybody waits for them: a slow org does not turn them away.
    pub(super) login: bool,
}

impl Errand {
    pub(super) const LOGIN: Self = Self { writes: false, can_wait: false, login: true };

    pub(super) fn of(request: &Request) -> Self {
        let writes = request.class != CallClass::Read;
        let can_wait = request.class == CallClass::UnsafeWrite || request.is_bulk();
        Self { writes, can_wait, login: false }
    }
}

/// What holds for the calls of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The share of the API budget that is left to others.
    pub(super) reserve: f64,
    /// Whether an operator named the host: then jobs wait for it though it has never answered.
    pub(super) is_configured: bool,
}

/// A call in hand; whoever is dropped in the middle of it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Pass {
    org: Arc<Org>,
    errand: Errand,
    /// Of which circuits it is the probe.
    probes: Probes,
    came: Instant,
    sent: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Probes {
    calls: bool,
    writes: bool,
}

impl Org {
    pub(super) fn new(host: &str, (share, seats): (usize, Seats), metrics: Arc<Metrics>) -> Self {
        Self { host: host.to_owned(), state: Mutex::default(), share, seats, metrics }
    }

    /// Waits so long until one more call may be in hand here; keep it for all attempts of the call.
    pub(super) async fn seat(&self, most: Duration) -> Result<Seat, Failure> {
        if let Some(seat) = self.seats.take() {
            return Ok(seat);
        }
        {
            let mut state = self.state();
            if state.load.is_slow() {
                let detail = self.slow();
                return Err(self.turned_away(&mut state, detail));
            }
        }
        self.seats.wait(most).await.ok_or_else(|| {
            let (host, share, waited) = (&self.host, self.share, most.as_secs_f64());
            let detail = format!(
                "{host} has {share} calls in hand, and for {waited:.1} s none was done; the rest is kept for other orgs"
            );
            self.turned_away(&mut self.state(), detail)
        })
    }

    /// Begins a call, or says why it must not go out now; nothing has left then.
    pub(super) fn enter(self: &Arc<Self>, errand: Errand, rules: Rules) -> Result<Pass, Failure> {
        let mut state = self.state();
        if !errand.login && state.load.is_full(self.share) {
            let detail = self.slow();
            return Err(self.turned_away(&mut state, detail));
        }
        let probes = state.ask(errand).map_err(|wait| self.paused(&state, errand, rules, wait))?;
        if errand.can_wait
            && let Some(held) = state.budget.ask(rules.reserve)
        {
            state.release(probes);
            let (used, max) = held.usage.numbers();
            let detail = format!(
                "{} has used {used} of {max} API requests of the day; what is left below the reserve of {} % is kept for \
                 others",
                self.host,
                rules.reserve * 100.0
            );
            if held.is_first {
                tracing::warn!(
                    org = self.host,
                    used,
                    max,
                    "creates and bulk work wait: the API budget is down to its reserve"
                );
            }
            self.metrics.call_held("budget");
            return Err(Failure::held(codes::API_BUDGET_RESERVED, detail, Some(held.after)));
        }
        state.load.came();
        drop(state);
        Ok(Pass { org: Arc::clone(self), errand, probes, came: Instant::now(), sent: None })
    }

    /// How long a job rests whose call was not carried out, while the org answers nobody; `None`: it has failed.
    pub(super) fn rest(&self, errand: Errand, rules: Rules) -> Option<Duration> {
        let state = self.state();
        let circuit = state.blocking(errand)?;
        circuit.outage().filter(|outage| state.waits_for(outage, rules)).and_then(|_| circuit.rest())
    }

    /// Whether another attempt now would be turned away.
    pub(super) fn is_paused(&self, errand: Errand) -> bool {
        self.state().blocking(errand).is_some()
    }

    fn slow(&self) -> String {
        let (host, share, long) = (&self.host, self.share, SLOW.as_secs());
        format!(
            "{host} has {share} calls in hand already, each of which takes more than {long} s with its wait; the rest is kept \
             for other orgs"
        )
    }

    fn turned_away(&self, state: &mut State, detail: String) -> Failure {
        self.metrics.call_held("busy");
        Failure::held(codes::ORG_BUSY, detail, Some(state.load.turn_away()))
    }

    fn paused(&self, state: &State, errand: Errand, rules: Rules, wait: Duration) -> Failure {
        let outage = state.blocking(errand).and_then(Circuit::outage);
        let (what, reason) = match outage {
            Some(outage) if outage.cause == Cause::ReadOnly => ("takes no writes", outage.reason.as_str()),
            Some(outage) => ("is not called", outage.reason.as_str()),
            None => ("is not called", "a call was refused"),
        };
        let detail = format!("{} {what} for now: {reason}", self.host);
        let after = outage.filter(|outage| state.waits_for(outage, rules)).map(|_| wait);
        self.metrics.call_held("circuit");
        Failure::held(codes::ORG_PAUSED, detail, after)
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn failed(&self, error: &LastError) {
        self.state().last_error = Some(error.clone());
    }

    pub(super) fn status(&self) -> OrgStatus {
        let state = self.state();
        OrgStatus {
            host: self.host.clone(),
            last_error: state.last_error.clone(),
            api_usage: state.budget.status(),
            circuit: state.circuit(),
            calls_in_flight: state.load.in_flight(),
            calls_waiting: state.load.waiting(),
            latency_ms: state.load.latency().map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Tells people and meters what became of a circuit.
    fn tell(&self, state: &State, change: Change, outage: Option<&Outage>) {
        let org = self.host.as_str();
        let reason = outage.map_or("", |outage| outage.reason.as_str());
        match change {
            Change::None => return,
            Change::Opened(pause) => {
                tracing::warn!(
                    org,
                    reason,
                    pause_s = pause.as_secs(),
                    "calls to the org pause; its jobs wait"
                );
            }
            Change::Reopened(pause) => {
                let lasted_s = outage.map_or(0, |outage| outage.lasted().as_secs());
                tracing::warn!(org, reason, lasted_s, pause_s = pause.as_secs(), "the org is still not well");
            }
            Change::Closed => tracing::info!(org, "the org is well again"),
        }
        self.meter(state);
    }

    fn meter(&self, state: &State) {
        self.metrics.org_state(
            &self.host,
            match state.circuit().state {
                CircuitState::Closed => OrgState::Closed,
                CircuitState::ReadOnly => OrgState::ReadOnly,
                CircuitState::Open | CircuitState::HalfOpen => OrgState::Open,
            },
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Asks the circuits; the longer wait counts.
    fn ask(&mut self, errand: Errand) -> Result<Probes, Duration> {
        let calls = match self.calls.ask() {
            Word::Wait(wait) => return Err(wait),
            word => word == Word::Probe,
        };
        let mut probes = Probes { calls, writes: false };
        if errand.writes {
            match self.writes.ask() {
                Word::Wait(wait) => {
                    self.release(probes);
                    return Err(wait);
                }
                word => probes.writes = word == Word::Probe,
            }
        }
        Ok(probes)
    }

    fn release(&mut self, probes: Probes) {
        if probes.calls {
            self.calls.released();
        }
        if probes.writes {
            self.writes.released();
        }
    }

    /// The circuit that such a call does not get through.
    fn blocking(&self, errand: Errand) -> Option<&Circuit> {
        let is_open = |circuit: &&Circuit| circuit.outage().is_some();
        Some(&self.calls)
            .filter(is_open)
            .or_else(|| Some(&self.writes).filter(is_open).filter(|_| errand.writes))
    }

    fn waits_for(&self, outage: &Outage, rules: Rules) -> bool {
        let is_known = outage.cause != Cause::Unanswered || self.has_answered || rules.is_configured;
        is_known && outage.is_waited_out()
    }

    fn circuit(&self) -> CircuitStatus {
        let (circuit, state) = match (&self.calls, &self.writes) {
            (Circuit::Closed { .. }, Circuit::Closed { .. }) => (&self.calls, CircuitState::Closed),
            (Circuit::Closed { .. }, writes) => (writes, CircuitState::ReadOnly),
            (calls @ Circuit::HalfOpen { .. }, _) => (calls, CircuitState::HalfOpen),
            (calls, _) => (calls, CircuitState::Open),
        };
        CircuitStatus {
            state,
            reason: circuit.outage().map(|outage| outage.reason.clone()),
            retry_in_seconds: circuit.left().map(|left| left.as_secs()),
        }
    }
}

impl Pass {
    /// The call goes out now.
    pub(super) fn sent(&mut self) {
        self.org.state().load.sent();
        self.sent = Some(Instant::now());
    }

    /// The call waited here for so long that its job is better given back.
    pub(super) fn waited(&self, detail: String) -> Failure {
        self.org.turned_away(&mut self.org.state(), detail)
    }

    /// What became of the call.
    pub(super) fn settle(mut self, signal: &Signal) {
        let org = Arc::clone(&self.org);
        let probes = std::mem::take(&mut self.probes);
        let mut state = org.state();
        match (signal.is_answer(), self.sent) {
            (true, Some(sent)) => state.load.answered(self.came, sent),
            _ => state.load.unanswered(self.came),
        }
        if signal.is_answer() && !self.errand.login {
            org.seats.answered();
        }
        if let Some(usage) = signal.usage {
            let (used, max) = usage.numbers();
            if state.budget.learn(usage) {
                tracing::warn!(
                    org = org.host,
                    used,
                    max,
                    "four fifths of the org's API requests of the day are used"
                );
            }
            org.metrics.org_api_usage(&org.host, used, max);
        }
        if signal.is_answer() && !std::mem::replace(&mut state.has_answered, true) {
            org.meter(&state);
        }
        let changes = match &signal.outage {
            _ if signal.is_silent() => {
                state.release(probes);
                return;
            }
            None => [
                state.calls.answered(probes.calls),
                if probes.writes { state.writes.answered(true) } else { Change::None },
            ],
            Some((Cause::ReadOnly, reason)) => [
                state.calls.answered(probes.calls),
                state.writes.failed(probes.writes, (Cause::ReadOnly, reason), signal.asked),
            ],
            Some((cause, reason)) => {
                let calls = state.calls.failed(probes.calls, (*cause, reason), signal.asked);
                if probes.writes {
                    state.writes.released();
                }
                [calls, Change::None]
            }
        };
        for (change, circuit) in changes.into_iter().zip([&state.calls, &state.writes]) {
            org.tell(&state, change, circuit.outage());
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.org.state();
        state.load.ended(self.sent.is_some());
        state.release(self.probes);
    }
}
