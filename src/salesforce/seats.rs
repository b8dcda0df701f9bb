//! The seats that the calls to one org take, so that a slow org leaves room for others.
//!
//! There are as many as the share that a slow org may have of all jobs. A call takes one for all its attempts, and for the
//! login that it waits for. While there is one org only, and it has answered, calls beyond the seats stand.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Whether there is more than one org. Once there was, it is taken for granted.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// The hosts that configured connections name.
    named: Mutex<BTreeSet<String>>,
    /// How many orgs were called.
    called: AtomicUsize,
    is_one: AtomicBool,
}

impl Crowd {
    /// A configured connection leads to this host.
    pub(super) fn name(&self, host: &str) {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        if named.contains(host) {
            return;
        }
        named.insert(host.to_owned());
        if named.len() > 1 {
            self.is_one.store(true, Ordering::Relaxed);
        }
    }

    fn call(&self) {
        if self.called.fetch_add(1, Ordering::Relaxed) > 0 {
            self.is_one.store(true, Ordering::Relaxed);
        }
    }

    fn is_one(&self) -> bool {
        self.is_one.load(Ordering::Relaxed)
    }
}

/// A seat, or leave to stand. It is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    _taken: Option<OwnedSemaphorePermit>,
}

/// The seats of one org.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    crowd: Arc<Crowd>,
    is_called: AtomicBool,
    has_answered: AtomicBool,
    answered: Notify,
}

impl Seats {
    pub(super) fn new(count: usize, crowd: Arc<Crowd>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(count)),
            crowd,
            is_called: AtomicBool::new(false),
            has_answered: AtomicBool::new(false),
            answered: Notify::new(),
        }
    }

    /// A seat, if one is free or none is needed.
    pub(super) fn take(&self) -> Option<Seat> {
        if !self.is_called.swap(true, Ordering::Relaxed) {
            self.crowd.call();
        }
        match Arc::clone(&self.free).try_acquire_owned() {
            Ok(seat) => Some(Seat { _taken: Some(seat) }),
            Err(_) => self.may_stand().then_some(Seat { _taken: None }),
        }
    }

    /// Waits so long for a seat, or until none is needed; `None`: in vain.
    pub(super) async fn wait(&self, most: Duration) -> Option<Seat> {
        let seat = async {
            tokio::select! {
                seat = Arc::clone(&self.free).acquire_owned() => seat.ok(),
                () = self.may_stand_some_day() => None,
            }
        };
        timeout(most, seat).await.ok().map(|taken| Seat { _taken: taken })
    }

    /// The org has answered a call; a login says nothing about how quick the rest is.
    pub(super) fn answered(&self) {
        if !self.has_answered.swap(true, Ordering::Relaxed) {
            self.answered.notify_waiters();
        }
    }

    fn may_stand(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed) && !self.crowd.is_one()
    }

    async fn may_stand_some_day(&self) {
        loop {
            // Made before the look: an answer in between wakes it too.
            let answered = self.answered.notified();
            if self.may_stand() {
                return;
            }
            answered.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::*;

    const MOST: Duration = Duration::from_secs(5);

    fn two_orgs() -> (Arc<Crowd>, Arc<Seats>, Seats) {
        let crowd = Arc::<Crowd>::default();
        let seats = || Seats::new(2, Arc::clone(&crowd));
        (Arc::clone(&crowd), Arc::new(seats()), seats())
    }

    fn fill(seats: &Seats) -> [Seat; 2] {
        [seats.take().unwrap(), seats.take().unwrap()]
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_first_answer_calls_beyond_the_seats_wait_for_it_and_then_go() {
        let (_, seats, _) = two_orgs();
        let _taken = fill(&seats);
        let waiting = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.wait(MOST).await.is_some() }
        });
        tokio::task::yield_now().await;
        advance(MOST / 2).await;
        assert!(!waiting.is_finished());
        seats.answered();
        assert!(waiting.await.unwrap());
        assert!(seats.take().is_some(), "the only org may have all");
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_answer_they_wait_in_vain() {
        let (_, seats, _) = two_orgs();
        let _taken = fill(&seats);
        let started = Instant::now();
        assert!(seats.take().is_none() && seats.wait(MOST).await.is_none());
        assert_eq!(started.elapsed(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn where_another_org_is_called_or_named_an_org_has_its_seats_and_no_more() {
        for is_named in [true, false] {
            let (crowd, one, other) = two_orgs();
            one.answered();
            let taken = fill(&one);
            crowd.name("one");
            assert!(one.take().is_some(), "it is still the only one");
            if is_named {
                crowd.name("other");
            } else {
                other.take().unwrap();
            }
            assert!(one.take().is_none() && one.wait(MOST).await.is_none());
            drop(taken);
            assert!(one.take().is_some());
        }
    }
}
