//! The orgs that are called, whatever connection leads to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::{Position, Url};

use crate::metrics::Metrics;

use super::org::Org;
use super::seats::{Crowd, Seats};
use super::status::OrgStatus;

/// How many orgs are remembered. Beyond it the one that was not called for longest is forgotten.
pub(super) const REMEMBERED_ORGS: usize = 256;

/// All orgs, the one called last at the end.
#[derive(Debug)]
pub(super) struct Orgs {
    known: Mutex<Vec<Arc<Org>>>,
    crowd: Arc<Crowd>,
    /// So many calls a slow one has in hand at most.
    share: usize,
    metrics: Arc<Metrics>,
}

impl Orgs {
    pub(super) fn new(share: usize, metrics: Arc<Metrics>) -> Self {
        Self { known: Mutex::default(), crowd: Arc::default(), share, metrics }
    }

    /// The org that this address belongs to.
    pub(super) fn at(&self, url: &Url) -> Arc<Org> {
        let host = host(url);
        let mut orgs = self.orgs();
        let org = if let Some(index) = orgs.iter().rposition(|org| org.host() == host) {
            orgs.remove(index)
        } else {
            let seats = Seats::new(self.share, Arc::clone(&self.crowd));
            Arc::new(Org::new(host, (self.share, seats), Arc::clone(&self.metrics)))
        };
        if orgs.len() >= REMEMBERED_ORGS {
            self.metrics.org_forgotten(orgs.remove(0).host());
        }
        orgs.push(Arc::clone(&org));
        org
    }

    /// A configured connection leads to this address.
    pub(super) fn name(&self, url: &Url) {
        self.crowd.name(host(url));
    }

    pub(super) fn status(&self) -> Vec<OrgStatus> {
        self.orgs().iter().map(|org| org.status()).collect()
    }

    fn orgs(&self) -> MutexGuard<'_, Vec<Arc<Org>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}
