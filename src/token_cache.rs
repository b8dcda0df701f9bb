//! A cache for one access token, shared by everyone who logs in with the same credentials.
//!
//! - One fetch at a time; whoever comes meanwhile waits for it and gets its result, also its error.
//! - [`TokenCache::invalidate`] takes the token that failed, and clears the cache only while it still holds that one:
//!   of a hundred calls that fail with one token, the first clears it and the others find its successor.
//! - A failed fetch is remembered for 1, 5, 30, then 60 seconds, so that a wrong secret does not become a login per call.
//! - A caller that is dropped in the middle of a fetch leaves nothing behind; the next in line fetches.

use std::{
    future::Future,
    sync::{Arc, Mutex as StateMutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex, TryLockError},
    time::Instant,
};

/// How long the first, second, third and every further failure in a row is remembered.
const MEMORY: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30), Duration::from_mins(1)];

/// A token that was good for longer than this ends a row of failures.
const PROVEN: Duration = Duration::from_mins(1);

/// What a fetch brings: a token, and how long it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched<T> {
    token: T,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

impl<T> Fetched<T> {
    /// A token of unknown lifetime: kept until it is invalidated.
    pub fn until_invalidated(token: T) -> Self {
        Self { token, refresh_at: None, expires_at: None }
    }

    /// A token that is used until `expires_at`; from `refresh_at` on, one caller at a time tries to replace it.
    pub fn expiring(token: T, refresh_at: Instant, expires_at: Instant) -> Self {
        Self { token, refresh_at: Some(refresh_at), expires_at: Some(expires_at) }
    }
}

/// One token, or the memory of why there is none. `E` is what a failed fetch yields; it is cloned for each who waited.
pub struct TokenCache<T, E> {
    state: StateMutex<State<T, E>>,
    /// Held while a fetch is under way.
    flight: Mutex<()>,
}

struct State<T, E> {
    entry: Option<Entry<T>>,
    failure: Option<Failure<E>>,
    /// Counts fetches that ended, so that a waiter knows whether one ended while it waited.
    fetches: u64,
    /// Failures in a row; stays through a success until the token has proven itself.
    row: usize,
}

struct Entry<T> {
    token: Arc<T>,
    fetched_at: Instant,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
}

struct Failure<E> {
    error: E,
    until: Instant,
    /// The number of the fetch that failed; a rejected token has none.
    fetch: Option<u64>,
}

enum Found<T, E> {
    Fresh(Arc<T>),
    /// Still good, but somebody should fetch the next one.
    Aging(Arc<T>),
    Failed(E),
    Nothing,
}

impl<T> Entry<T> {
    fn is_expired(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    fn is_aging(&self, now: Instant) -> bool {
        self.refresh_at.is_some_and(|at| at <= now)
    }
}

impl<T, E: Clone> State<T, E> {
    /// `waiting_since` is the number of fetches that had ended when the caller came.
    fn find(&self, now: Instant, waiting_since: u64) -> Found<T, E> {
        let failure = self.failure.as_ref().filter(|failure| {
            now < failure.until || failure.fetch.is_some_and(|number| number > waiting_since)
        });
        match (self.entry.as_ref().filter(|entry| !entry.is_expired(now)), failure) {
            (Some(entry), None) if entry.is_aging(now) => Found::Aging(Arc::clone(&entry.token)),
            (Some(entry), _) => Found::Fresh(Arc::clone(&entry.token)),
            (None, Some(failure)) => Found::Failed(failure.error.clone()),
            (None, None) => Found::Nothing,
        }
    }

    fn store(&mut self, fetched: Fetched<T>) -> Arc<T> {
        let token = Arc::new(fetched.token);
        let (refresh_at, expires_at) = (fetched.refresh_at, fetched.expires_at);
        self.entry =
            Some(Entry { token: Arc::clone(&token), fetched_at: Instant::now(), refresh_at, expires_at });
        // A login that works ends a row of failed logins; one whose token was rejected at once does not count.
        if self.failure.take().is_some_and(|failure| failure.fetch.is_some()) {
            self.row = 0;
        }
        self.fetches += 1;
        token
    }

    fn remember(&mut self, error: E, fetch: Option<u64>) {
        let window = MEMORY[self.row.min(MEMORY.len() - 1)];
        self.row += 1;
        self.failure = Some(Failure { error, until: Instant::now() + window, fetch });
    }

    /// Removes the entry if it holds `used`, and tells when it was fetched.
    fn clear(&mut self, used: &Arc<T>) -> Option<Instant> {
        let entry = self.entry.take_if(|entry| Arc::ptr_eq(&entry.token, used))?;
        if entry.fetched_at.elapsed() > PROVEN {
            self.row = 0;
        }
        Some(entry.fetched_at)
    }
}

impl<T, E> Default for TokenCache<T, E> {
    fn default() -> Self {
        let state = State { entry: None, failure: None, fetches: 0, row: 0 };
        Self { state: StateMutex::new(state), flight: Mutex::new(()) }
    }
}

impl<T, E> std::fmt::Debug for TokenCache<T, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

impl<T, E: Clone> TokenCache<T, E> {
    /// An empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    /// The token, from the cache or by `fetch`; the error of a fetch that failed a moment ago, without another try.
    ///
    /// An aging token is refreshed by one caller; if that fails it stays in use until it expires.
    /// The future may be dropped at any time. Bound the time that `fetch` may take: others wait for it.
    pub async fn get_or_fetch<F, R>(&self, fetch: F) -> Result<Arc<T>, E>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<Fetched<T>, E>>,
    {
        let (found, since) = {
            let state = self.state();
            (state.find(Instant::now(), u64::MAX), state.fetches)
        };
        let (_flight, old) = match found {
            Found::Fresh(token) => return Ok(token),
            Found::Failed(error) => return Err(error),
            Found::Aging(token) => match self.flight.try_lock() {
                Ok(flight) => (flight, Some(token)),
                Err(TryLockError { .. }) => return Ok(token),
            },
            Found::Nothing => (self.flight.lock().await, None),
        };
        // Somebody else's fetch may have ended between the look above and the lock.
        match self.state().find(Instant::now(), since) {
            Found::Fresh(token) => return Ok(token),
            Found::Failed(error) => return Err(error),
            Found::Aging(_) | Found::Nothing => {}
        }
        let result = fetch().await;
        let mut state = self.state();
        match (result, old) {
            (Ok(fetched), _) => Ok(state.store(fetched)),
            (Err(error), old) => {
                state.fetches += 1;
                let number = state.fetches;
                state.remember(error.clone(), Some(number));
                old.filter(|token| state.holds(token)).ok_or(error)
            }
        }
    }

    /// Forgets `used` after it failed; whether it did. It does nothing when the cache holds another token by now.
    pub fn invalidate(&self, used: &Arc<T>) -> bool {
        self.state().clear(used).is_some()
    }

    /// Forgets `used` although it was just fetched, and remembers `error` as after a failed fetch.
    ///
    /// For tokens that are issued and then not accepted: without it, each call would cost a login.
    pub fn reject(&self, used: &Arc<T>, error: E) {
        let mut state = self.state();
        if state.clear(used).is_some() {
            state.remember(error, None);
        }
    }

    /// The token in the cache and how long ago it was fetched; `None` when there is none that is still good.
    pub fn current(&self) -> Option<(Arc<T>, Duration)> {
        let state = self.state();
        let entry = state.entry.as_ref().filter(|entry| !entry.is_expired(Instant::now()))?;
        Some((Arc::clone(&entry.token), entry.fetched_at.elapsed()))
    }

    fn state(&self) -> MutexGuard<'_, State<T, E>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, E> State<T, E> {
    fn holds(&self, token: &Arc<T>) -> bool {
        let now = Instant::now();
        self.entry.as_ref().is_some_and(|entry| Arc::ptr_eq(&entry.token, token) && !entry.is_expired(now))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::{join_all, pending};
    use tokio::{
        sync::Notify,
        time::{advance, sleep, timeout},
    };

    use super::*;

    type Cache = TokenCache<u32, String>;

    /// Issues 1, 2, 3 … after a second of work, or refuses.
    #[derive(Default)]
    struct Issuer {
        fetches: AtomicU32,
        refuses: std::sync::atomic::AtomicBool,
    }

    impl Issuer {
        fn count(&self) -> u32 {
            self.fetches.load(Ordering::SeqCst)
        }

        fn refuse(&self, refuses: bool) {
            self.refuses.store(refuses, Ordering::SeqCst);
        }

        async fn issue(&self) -> Result<u32, String> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(Duration::from_millis(100)).await;
            if self.refuses.load(Ordering::SeqCst) { Err(format!("refusal {number}")) } else { Ok(number) }
        }

        async fn get(&self, cache: &Cache) -> Result<Arc<u32>, String> {
            cache.get_or_fetch(|| async { self.issue().await.map(Fetched::until_invalidated) }).await
        }

        /// Refreshed after 60 s, expired after 90 s.
        async fn get_expiring(&self, cache: &Cache) -> Result<Arc<u32>, String> {
            let fetch = || async {
                let token = self.issue().await?;
                let now = Instant::now();
                Ok(Fetched::expiring(token, now + secs(60), now + secs(90)))
            };
            cache.get_or_fetch(fetch).await
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_concurrent_callers_share_one_fetch() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        let tokens = join_all((0..100).map(|_| issuer.get(&cache))).await;
        assert!(tokens.iter().all(|token| **token.as_ref().unwrap() == 1));
        assert_eq!(issuer.count(), 1);
        assert_eq!(*issuer.get(&cache).await.unwrap(), 1, "and whoever comes later finds it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_concurrent_callers_share_one_error() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        issuer.refuse(true);
        let errors = join_all((0..100).map(|_| issuer.get(&cache))).await;
        assert!(errors.iter().all(|error| error.as_ref().unwrap_err() == "refusal 1"));
        assert_eq!(issuer.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_failed_with_one_token_share_one_refresh() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        let used = issuer.get(&cache).await.unwrap();
        let renewals = (0..100).map(|_| async {
            cache.invalidate(&used);
            issuer.get(&cache).await
        });
        for token in join_all(renewals).await {
            assert_eq!(*token.unwrap(), 2);
        }
        assert_eq!(issuer.count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_token_invalidates_nothing() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        let old = issuer.get(&cache).await.unwrap();
        cache.invalidate(&old);
        let new = issuer.get(&cache).await.unwrap();
        cache.invalidate(&old);
        cache.reject(&old, "late".to_owned());
        cache.invalidate(&Arc::new(*new));
        assert!(Arc::ptr_eq(&issuer.get(&cache).await.unwrap(), &new));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_remembered_for_longer_and_longer_until_a_success() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        issuer.refuse(true);
        for (round, window) in [1, 5, 30, 60, 60].into_iter().enumerate() {
            let error = issuer.get(&cache).await.unwrap_err();
            assert_eq!(error, format!("refusal {}", round + 1));
            advance(Duration::from_millis(window * 1000 - 1)).await;
            assert_eq!(issuer.get(&cache).await.unwrap_err(), error, "still remembered");
            advance(Duration::from_millis(1)).await;
        }
        issuer.refuse(false);
        let token = issuer.get(&cache).await.unwrap();
        issuer.refuse(true);
        cache.invalidate(&token);
        assert_eq!(issuer.get(&cache).await.unwrap_err(), "refusal 7");
        advance(secs(1)).await;
        assert_eq!(issuer.get(&cache).await.unwrap_err(), "refusal 8", "the window is short again");
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_get_the_error_even_when_they_come_to_run_after_its_window() {
        let cache = Cache::new();
        let (started, finish) = (Notify::new(), Notify::new());
        let leader = cache.get_or_fetch(|| async {
            started.notify_one();
            finish.notified().await;
            Err("refused".to_owned())
        });
        let follower = async {
            started.notified().await;
            let mut waiting = Box::pin(cache.get_or_fetch(|| async { unreachable!("one fetch for both") }));
            assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
            finish.notify_one();
            advance(secs(3)).await;
            waiting.await
        };
        let (first, second) = tokio::join!(leader, follower);
        assert_eq!(first, Err("refused".to_owned()));
        assert_eq!(second, Err("refused".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_dropped_in_the_middle_wedges_nobody() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        let hangs = cache.get_or_fetch(|| async { pending().await });
        let (dropped, waiter) = tokio::join!(timeout(secs(1), hangs), issuer.get(&cache));
        assert!(dropped.is_err());
        assert_eq!(*waiter.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_aging_token_is_refreshed_by_one_caller_while_the_others_go_on() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        issuer.get_expiring(&cache).await.unwrap();
        advance(secs(61)).await;
        let tokens = join_all((0..10).map(|_| issuer.get_expiring(&cache))).await;
        let tokens: Vec<u32> = tokens.into_iter().map(|token| *token.unwrap()).collect();
        assert_eq!(tokens, [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(issuer.count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_aging_token_outlives_failed_refreshes_until_it_expires() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        issuer.get_expiring(&cache).await.unwrap();
        advance(secs(61)).await;
        issuer.refuse(true);
        assert_eq!(*issuer.get_expiring(&cache).await.unwrap(), 1);
        assert_eq!(*issuer.get_expiring(&cache).await.unwrap(), 1);
        assert_eq!(issuer.count(), 2, "the failed refresh is remembered");
        advance(secs(30)).await;
        assert_eq!(issuer.get_expiring(&cache).await.unwrap_err(), "refusal 3");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_are_rejected_at_once_do_not_cost_a_login_each() {
        let (cache, issuer) = (Cache::new(), Issuer::default());
        for (round, window) in (1..).zip([1, 5, 30, 60, 60]) {
            let token = issuer.get(&cache).await.unwrap();
            cache.reject(&token, "rejected".to_owned());
            advance(Duration::from_millis(window * 1000 - 1)).await;
            assert_eq!(issuer.get(&cache).await.unwrap_err(), "rejected");
            assert_eq!(issuer.count(), round);
            advance(Duration::from_millis(1)).await;
        }
        let token = issuer.get(&cache).await.unwrap();
        advance(secs(61)).await;
        cache.reject(&token, "rejected".to_owned());
        advance(secs(1)).await;
        assert!(issuer.get(&cache).await.is_ok(), "a token that was good for a minute ends the row");
    }
}
