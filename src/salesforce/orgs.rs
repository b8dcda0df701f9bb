//! The orgs that are called, whatever connection leads to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::{Position, Url};

use crate::metrics::Metrics;

use super::org::Org;
use super::status::OrgStatus;

/// How many orgs are remembered. Beyond it the one that was not called for longest is forgotten.
pub(super) const REMEMBERED_ORGS: usize = 256;

/// All orgs, the one called last at the end.
#[derive(Debug)]
pub(super) struct Orgs {
    orgs: Mutex<Vec<Arc<Org>>>,
    metrics: Arc<Metrics>,
}

impl Orgs {
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { orgs: Mutex::default(), metrics }
    }

    /// The org that this address belongs to.
    pub(super) fn at(&self, url: &Url) -> Arc<Org> {
        let host = &url[Position::BeforeHost..Position::AfterPort];
        let mut orgs = self.orgs();
        let known = orgs.iter().rposition(|org| org.host() == host);
        let org = match known {
            Some(index) => orgs.remove(index),
            None => Arc::new(Org::new(host, Arc::clone(&self.metrics))),
        };
        if orgs.len() >= REMEMBERED_ORGS {
            self.metrics.org_forgotten(orgs.remove(0).host());
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
