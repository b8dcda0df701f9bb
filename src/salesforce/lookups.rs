//! Names that are being looked up: what many ask for at once is looked up once.
//!
//! A hundred jobs that begin together open a hundred connections to one org. The machine's resolver takes a thread for
//! each question, so that without this they would be a hundred threads with the same question. Nothing is kept: how
//! long an address is good is the resolver's business.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt, Shared};

type Answer = Result<Arc<[SocketAddr]>, Arc<io::Error>>;
type Lookup = Shared<BoxFuture<'static, Answer>>;

/// Lookups under way, by name; clones share them.
#[derive(Clone, Default)]
pub(super) struct Lookups {
    under_way: Arc<Mutex<HashMap<String, Lookup>>>,
}

impl std::fmt::Debug for Lookups {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lookups").finish_non_exhaustive()
    }
}

impl Lookups {
    /// The addresses of a name, each with port 0.
    pub(super) async fn addresses(&self, host: &str) -> Answer {
        self.join(host, |host| async move { Ok(tokio::net::lookup_host((host, 0)).await?.collect()) }).await
    }

    async fn join<F>(&self, host: &str, look_up: impl FnOnce(String) -> F) -> Answer
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let answer = {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            // One that nobody waited for to its end is not in the way: polled again, it goes on.
            under_way.retain(|_, lookup| lookup.peek().is_none());
            let begin = || {
                let found = look_up(host.to_owned());
                async move { found.await.map(Arc::from).map_err(Arc::new) }.boxed().shared()
            };
            under_way.entry(host.to_owned()).or_insert_with(begin).clone()
        };
        answer.await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use futures_util::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    const ADDRESS: &str = "192.0.2.1:0";

    #[tokio::test]
    async fn what_many_ask_at_once_is_looked_up_once_and_the_next_time_anew() {
        let (lookups, asked, go) =
            (Lookups::default(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let ask = |host: &'static str| {
            let (lookups, asked, go) = (lookups.clone(), Arc::clone(&asked), Arc::clone(&go));
            async move {
                let look_up = |_| async move {
                    asked.fetch_add(1, Relaxed);
                    go.notified().await;
                    Ok(vec![ADDRESS.parse().unwrap()])
                };
                lookups.join(host, look_up).await.unwrap().to_vec()
            }
        };
        let all = join_all((0..100).map(|_| ask("acme.my.salesforce.com")));
        let (answers, ()) = tokio::join!(all, async { go.notify_one() });
        assert!(answers.iter().all(|answer| *answer == [ADDRESS.parse().unwrap()]));
        assert_eq!(asked.load(Relaxed), 1);
        go.notify_one();
        ask("acme.my.salesforce.com").await;
        assert_eq!(asked.load(Relaxed), 2, "nothing is kept");
    }

    #[tokio::test]
    async fn a_failure_is_told_to_all_and_not_kept() {
        let lookups = Lookups::default();
        let fail = || lookups.join("nowhere", |_| async { Err(io::Error::other("no such name")) });
        for answer in join_all([fail(), fail()]).await {
            assert_eq!(answer.unwrap_err().to_string(), "no such name");
        }
        let found = lookups.join("nowhere", |_| async { Ok(vec![ADDRESS.parse().unwrap()]) }).await;
        assert_eq!(found.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_lookup_whose_first_asker_went_away_goes_on_for_the_others() {
        let (lookups, go) = (Lookups::default(), Arc::new(Notify::new()));
        let look_up = |go: Arc<Notify>| {
            move |_| async move {
                go.notified().await;
                Ok(vec![ADDRESS.parse().unwrap()])
            }
        };
        let mut first = Box::pin(lookups.join("acme", look_up(Arc::clone(&go))));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = lookups.join("acme", look_up(Arc::clone(&go)));
        drop(first);
        go.notify_one();
        assert_eq!(second.await.unwrap().len(), 1);
    }
}
