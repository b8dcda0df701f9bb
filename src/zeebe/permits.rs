//! The one pool of permits that stream and poll share: one job, one permit, from before it is read until
//! after its report.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

use crate::metrics::Metrics;

/// A poll that has waited this long for a permit is starving.
const STARVING_AFTER: Duration = Duration::from_secs(1);

/// The pool. Waiters are served in their order, so that neither side can overtake the other for ever.
pub(super) struct PermitPool {
    gauge: Gauge,
    /// What a starving poll may claim: a quarter of the pool.
    reserve: u32,
    starving: watch::Sender<bool>,
    contended: Notify,
}

/// The right to hold some jobs, mostly one. Returned when dropped.
#[must_use = "a dropped permit is free again"]
pub(super) struct Permit {
    held: Option<OwnedSemaphorePermit>,
    gauge: Gauge,
}

#[derive(Clone)]
struct Gauge {
    pool: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl PermitPool {
    pub(super) fn new(permits: usize, metrics: Arc<Metrics>) -> Self {
        let most = Semaphore::MAX_PERMITS.min(usize::try_from(i32::MAX).unwrap_or(usize::MAX));
        let permits = permits.clamp(1, most);
        metrics.set_permits_limit(permits);
        let gauge = Gauge { pool: Arc::new(Semaphore::new(permits)), metrics };
        gauge.update();
        let reserve = u32::try_from(permits / 4).unwrap_or(u32::MAX).max(1);
        Self { gauge, reserve, starving: watch::Sender::new(false), contended: Notify::new() }
    }

    /// One permit for the stream, once no poll is starving.
    pub(super) async fn for_push(&self) -> Permit {
        let mut starving = self.starving.subscribe();
        // The sender is part of this pool and outlives the wait.
        let _ = starving.wait_for(|starving| !starving).await;
        if let Some(permit) = self.free(1) {
            return permit;
        }
        self.contended.notify_one();
        self.acquire(1).await
    }

    /// All free permits but `spare` for the poll; waits until there is at least one.
    ///
    /// A poll that found none for a second claims a quarter of the pool before the stream gets any more.
    pub(super) async fn for_poll(&self, share: Share) -> Permit {
        if let Some(permit) = self.free_share(share) {
            return permit;
        }
        if let Ok(permit) = timeout(STARVING_AFTER, self.acquire(1)).await {
            return self.top_up(permit, share);
        }
        let _starving = Starving::begin(&self.starving);
        match timeout(STARVING_AFTER, self.acquire(self.reserve)).await {
            Ok(permit) => permit,
            Err(_) => self.acquire(1).await,
        }
    }

    /// Completes when a poll is starving: who holds a permit without a job should return it.
    pub(super) async fn poll_starves(&self) {
        let mut starving = self.starving.subscribe();
        let _ = starving.wait_for(|starving| *starving).await;
    }

    /// Completes when the stream had to wait for a permit since the last time: the gateway may have put
    /// aside jobs that only a poll finds.
    pub(super) async fn contended(&self) {
        self.contended.notified().await;
    }

    fn free_share(&self, share: Share) -> Option<Permit> {
        let free = u32::try_from(self.gauge.pool.available_permits()).unwrap_or(u32::MAX);
        let wanted = match share {
            Share::All => free,
            Share::Half => free.div_ceil(2),
        };
        // Others may have been faster; then fewer will do.
        (0..wanted).rev().map(|less| less + 1).find_map(|count| self.free(count))
    }

    fn top_up(&self, mut permit: Permit, share: Share) -> Permit {
        if let (Some(mut more), Some(held)) = (self.free_share(share), &mut permit.held)
            && let Some(more) = more.held.take()
        {
            held.merge(more);
        }
        permit
    }

    fn free(&self, count: u32) -> Option<Permit> {
        let held = Arc::clone(&self.gauge.pool).try_acquire_many_owned(count).ok()?;
        Some(self.permit(held))
    }

    async fn acquire(&self, count: u32) -> Permit {
        let held = Arc::clone(&self.gauge.pool).acquire_many_owned(count).await;
        self.permit(held.expect("the pool is never closed"))
    }

    fn permit(&self, held: OwnedSemaphorePermit) -> Permit {
        self.gauge.update();
        Permit { held: Some(held), gauge: self.gauge.clone() }
    }
}

/// How much of what is free a poll may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    All,
    /// Half, rounded up, where a stream may open at any moment.
    Half,
}

impl Permit {
    /// For how many jobs.
    pub(super) fn count(&self) -> usize {
        self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// One of several, for one job; `None` when all are given away.
    pub(super) fn split_one(&mut self) -> Option<Self> {
        let held = self.held.as_mut()?.split(1)?;
        Some(Self { held: Some(held), gauge: self.gauge.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.held.take().is_some() {
            self.gauge.update();
        }
    }
}

impl Gauge {
    fn update(&self) {
        self.metrics.set_permits_free(self.pool.available_permits());
    }
}

/// Ends the starvation when the poll is served, or given up.
struct Starving<'a>(&'a watch::Sender<bool>);

impl<'a> Starving<'a> {
    fn begin(sender: &'a watch::Sender<bool>) -> Self {
        sender.send_replace(true);
        Self(sender)
    }
}

impl Drop for Starving<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::Instant;

    use super::*;

    fn pool(permits: usize) -> PermitPool {
        PermitPool::new(permits, Arc::default())
    }

    #[tokio::test]
    async fn a_poll_takes_all_that_is_free_or_half_of_it() {
        let pool = pool(9);
        assert_eq!(pool.for_poll(Share::Half).await.count(), 5);
        let pushed = pool.for_push().await;
        let mut polled = pool.for_poll(Share::All).await;
        assert_eq!((pushed.count(), polled.count()), (1, 8));
        assert!(pool.for_push().now_or_never().is_none());

        let one = polled.split_one().unwrap();
        assert_eq!((one.count(), polled.count()), (1, 7));
        drop(polled);
        assert_eq!(pool.for_poll(Share::All).await.count(), 7);
    }

    #[tokio::test]
    async fn a_permit_splits_into_as_many_as_it_has() {
        let pool = pool(2);
        let mut batch = pool.for_poll(Share::All).await;
        let jobs: Vec<_> = std::iter::from_fn(|| batch.split_one()).collect();
        assert_eq!(jobs.len(), 2);
        drop(batch);
        assert_eq!(pool.gauge.pool.available_permits(), 0);
        drop(jobs);
        assert_eq!(pool.gauge.pool.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_starving_poll_claims_a_quarter_before_the_stream_gets_more() {
        let pool = Arc::new(pool(8));
        let mut all = pool.for_poll(Share::All).await;
        let starved = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.for_poll(Share::All).await.count() }
        });
        let began = Instant::now();
        pool.poll_starves().await;
        assert_eq!(began.elapsed(), STARVING_AFTER);

        let push = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.for_push().await }
        });
        drop(all.split_one());
        tokio::task::yield_now().await;
        assert!(!starved.is_finished() && !push.is_finished());
        drop(all.split_one());
        assert_eq!(starved.await.unwrap(), 2);
        assert_eq!(push.await.unwrap().count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_starving_poll_takes_one_when_a_quarter_does_not_come_free() {
        let pool = Arc::new(pool(8));
        let mut all = pool.for_poll(Share::All).await;
        let starved = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.for_poll(Share::All).await.count() }
        });
        pool.poll_starves().await;
        drop(all.split_one());
        assert_eq!(starved.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_waits_is_noticed() {
        let pool = pool(1);
        assert!(pool.contended().now_or_never().is_none());
        let permit = pool.for_push().await;
        assert!(pool.for_push().now_or_never().is_none());
        assert!(pool.contended().now_or_never().is_some());
        drop(permit);
    }

    #[tokio::test]
    async fn the_gauge_follows_the_pool() {
        let metrics = Arc::new(Metrics::new());
        let pool = PermitPool::new(3, Arc::clone(&metrics));
        let permit = pool.for_push().await;
        assert!(metrics.encode().contains("permits_free 2"));
        drop(permit);
        assert!(metrics.encode().contains("permits_free 3"));
    }
}
