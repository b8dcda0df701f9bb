//! The jobs that could be activated, in the order in which a poll gets them.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::subscription::Subscription;

/// Activatable jobs per type, tenant and "leased before": highest priority first, then oldest key.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    types: HashMap<String, Vec<Queue>>,
}

/// Few per type: tenants × leased. So a scan over them is short whatever the number of jobs.
#[derive(Debug)]
struct Queue {
    tenant: String,
    leased: bool,
    jobs: BTreeSet<(Reverse<i32>, i64)>,
}

/// Where a job stands in the backlog.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) job_type: &'a str,
    pub(super) tenant: &'a str,
    pub(super) leased: bool,
    pub(super) priority: i32,
    pub(super) key: i64,
}

impl Backlog {
    pub(super) fn insert(&mut self, place: &Place<'_>) {
        let queues = self.types.entry(place.job_type.to_owned()).or_default();
        let found = queues.iter().position(|queue| queue.holds(place));
        let at = found.unwrap_or_else(|| {
            let (tenant, leased) = (place.tenant.to_owned(), place.leased);
            queues.push(Queue { tenant, leased, jobs: BTreeSet::new() });
            queues.len() - 1
        });
        queues[at].jobs.insert((Reverse(place.priority), place.key));
    }

    pub(super) fn remove(&mut self, place: &Place<'_>) {
        if let Some(queues) = self.types.get_mut(place.job_type)
            && let Some(queue) = queues.iter_mut().find(|queue| queue.holds(place))
        {
            queue.jobs.remove(&(Reverse(place.priority), place.key));
        }
    }

    /// The next job for this worker, left where it is.
    pub(super) fn first_for(&self, wanted: &Subscription) -> Option<i64> {
        let queues = self.types.get(&wanted.job_type)?;
        let matching = queues.iter().filter(|queue| wanted.accepts(&queue.tenant, queue.leased));
        matching.filter_map(|queue| queue.jobs.first()).min().map(|(_, key)| *key)
    }
}

impl Queue {
    fn holds(&self, place: &Place<'_>) -> bool {
        self.tenant == place.tenant && self.leased == place.leased
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn worker(tenants: &[&str], with_lease: bool) -> Subscription {
        Subscription {
            job_type: "t".into(),
            worker: "w".into(),
            timeout: Duration::from_secs(1),
            fetch: Vec::new(),
            tenants: tenants.iter().map(ToString::to_string).collect(),
            with_lease,
        }
    }

    fn place(key: i64, tenant: &str) -> Place<'_> {
        Place { job_type: "t", tenant, leased: false, priority: 0, key }
    }

    #[test]
    fn the_highest_priority_comes_first_and_then_the_oldest_key() {
        let mut backlog = Backlog::default();
        backlog.insert(&place(1, "a"));
        backlog.insert(&place(2, "a"));
        let urgent = Place { priority: 50, ..place(3, "a") };
        backlog.insert(&urgent);
        assert_eq!(backlog.first_for(&worker(&["a"], false)), Some(3));
        backlog.remove(&urgent);
        assert_eq!(backlog.first_for(&worker(&["a"], false)), Some(1));
    }

    #[test]
    fn a_worker_sees_only_the_jobs_of_its_tenants() {
        let mut backlog = Backlog::default();
        backlog.insert(&place(1, "a"));
        backlog.insert(&place(2, "b"));
        assert_eq!(backlog.first_for(&worker(&["b"], false)), Some(2));
        assert_eq!(backlog.first_for(&worker(&["a", "b"], false)), Some(1));
        assert_eq!(backlog.first_for(&worker(&["c"], false)), None);
    }

    #[test]
    fn a_job_that_was_leased_is_hidden_from_workers_without_leases() {
        let mut backlog = Backlog::default();
        backlog.insert(&Place { leased: true, ..place(1, "a") });
        assert_eq!(backlog.first_for(&worker(&["a"], false)), None);
        assert_eq!(backlog.first_for(&worker(&["a"], true)), Some(1));
    }
}
