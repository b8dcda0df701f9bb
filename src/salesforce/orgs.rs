//! What is known of each org that is called, whatever connection leads to it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use url::{Position, Url};

use super::Response;
use super::budget::Usage;
use super::clock;
use super::error::{Error, ErrorClass};
use super::failure::Failure;
use super::load::Load;
use super::status::{CircuitState, CircuitStatus, LastError, OrgStatus};

/// How many orgs are remembered. Beyond it the one that was not called for longest is forgotten.
const REMEMBERED_ORGS: usize = 256;

/// One org, or a host where tokens come from.
#[derive(Debug)]
pub(super) struct Org {
    host: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    load: Load,
    usage: Option<Usage>,
    last_error: Option<LastError>,
}

/// A call that is under way; whoever is dropped in the middle of it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Pass {
    org: Arc<Org>,
    began: Instant,
}

impl Org {
    fn new(host: &str) -> Self {
        Self { host: host.to_owned(), state: Mutex::default() }
    }

    /// Begins a call.
    pub(super) fn enter(self: &Arc<Self>) -> Pass {
        self.state().load.begun();
        Pass { org: Arc::clone(self), began: Instant::now() }
    }

    pub(super) fn failed(&self, error: &LastError) {
        self.state().last_error = Some(error.clone());
    }

    pub(super) fn status(&self) -> OrgStatus {
        let state = self.state();
        OrgStatus {
            host: self.host.clone(),
            last_error: state.last_error.clone(),
            api_usage: state.usage.as_ref().map(Usage::status),
            circuit: CircuitStatus { state: CircuitState::Closed, reason: None, retry_in_seconds: None },
            calls_in_flight: state.load.in_flight(),
            latency_ms: state.load.latency().map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// Notes what became of the call.
    pub(super) fn settle(&self, result: &Result<Response, Failure>) {
        let mut state = self.org.state();
        if let Ok(answer) = result {
            state.load.answered(self.began);
            state.usage = Usage::told_by(answer).or(state.usage);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.org.state().load.ended();
    }
}

impl LastError {
    /// `None` for what a rule of the org refused: that is about data, and the data is in the words.
    pub(super) fn of(error: &Error) -> Option<Self> {
        if error.class() == ErrorClass::Business {
            return None;
        }
        let (code, message) = (error.code().to_owned(), error.to_string());
        Some(Self { code, message, at: clock::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string() })
    }
}

/// All orgs, the one called last at the end.
#[derive(Debug, Default)]
pub(super) struct Orgs {
    orgs: Mutex<Vec<Arc<Org>>>,
}

impl Orgs {
    /// The org that this address belongs to.
    pub(super) fn at(&self, url: &Url) -> Arc<Org> {
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let mut orgs = self.orgs();
        let known = orgs.iter().rposition(|org| org.host == host);
        let org = known.map_or_else(|| Arc::new(Org::new(host)), |index| orgs.remove(index));
        if orgs.len() >= REMEMBERED_ORGS {
            orgs.remove(0);
        }
        orgs.push(Arc::clone(&org));
        org
    }

    pub(super) fn status(&self) -> Vec<OrgStatus> {
        self.orgs().iter().map(|org| org.status()).collect()
    }

    fn orgs(&self) -> MutexGuard<'_, Vec<Arc<Org>>> {
        self.orgs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(orgs: &Orgs, url: &str) -> Arc<Org> {
        orgs.at(&Url::parse(url).unwrap())
    }

    #[test]
    fn an_org_is_known_by_its_host_and_port_whatever_the_path() {
        let orgs = Orgs::default();
        let one = at(&orgs, "https://acme.my.salesforce.com/services/data");
        assert!(Arc::ptr_eq(&one, &at(&orgs, "https://ACME.my.salesforce.com:443/x?y")));
        assert!(!Arc::ptr_eq(&one, &at(&orgs, "https://acme.my.salesforce.com:8443/")));
        assert_eq!(one.status().host, "acme.my.salesforce.com");
    }

    #[test]
    fn the_org_not_called_for_longest_is_forgotten() {
        let orgs = Orgs::default();
        let first = at(&orgs, "https://first.salesforce.com");
        let second = at(&orgs, "https://second.salesforce.com");
        for number in 2..REMEMBERED_ORGS {
            at(&orgs, &format!("https://org{number}.salesforce.com"));
        }
        at(&orgs, "https://first.salesforce.com");
        at(&orgs, "https://one-more.salesforce.com");
        assert_eq!(orgs.status().len(), REMEMBERED_ORGS);
        assert!(Arc::ptr_eq(&first, &at(&orgs, "https://first.salesforce.com")));
        assert!(!Arc::ptr_eq(&second, &at(&orgs, "https://second.salesforce.com")));
    }

    #[test]
    fn a_call_that_is_dropped_in_the_middle_is_no_longer_under_way() {
        let orgs = Orgs::default();
        let org = at(&orgs, "https://acme.my.salesforce.com");
        let pass = org.enter();
        assert_eq!(org.status().calls_in_flight, 1);
        drop(pass);
        assert_eq!(org.status().calls_in_flight, 0);
    }
}
