//! How much of its API budget an org has used, as its answers tell in the header `Sforce-Limit-Info`.
//!
//! The budget is the org's: all its clients live on it, for a rolling day. Below a reserve, work that can wait is held
//! back, so that the last requests are left to others. What the org said ten minutes ago may be wrong by now: then one
//! call goes through and learns anew.

use std::time::Duration;

use tokio::time::Instant;

use super::Response;
use super::status::ApiUsage;

/// From this share on, people are told.
const HIGH: f64 = 0.8;

/// Below this share, they are told again when it is high once more.
const HIGH_NO_MORE: f64 = 0.75;

/// After this, what the org said is not relied on.
const STALE: Duration = Duration::from_mins(10);

/// A job that is held back rests so long at least, and up to three times as long.
const REST: Duration = Duration::from_mins(1);

/// One word of the org about its budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    used: u64,
    max: u64,
    at: Instant,
}

/// What is known of an org's budget.
#[derive(Debug, Default)]
pub(super) struct Budget {
    told: Option<Usage>,
    /// When a call was let through to learn anew.
    probed: Option<Instant>,
    /// Whether people know that it is high.
    is_high: bool,
    /// Whether the last call that asked was held back.
    is_held: bool,
}

impl Usage {
    /// What the answer says: `api-usage=25/5000`, perhaps with more beside it.
    pub(super) fn told_by(answer: &Response) -> Option<Self> {
        let info = answer.header("sforce-limit-info")?;
        let usage = info.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
        let (used, max) = usage.split_once('/')?;
        let (used, max) = (used.trim().parse().ok()?, max.trim().parse().ok()?);
        (max > 0).then_some(Self { used, max, at: Instant::now() })
    }

    /// Requests made and allowed.
    pub(super) fn numbers(&self) -> (u64, u64) {
        (self.used, self.max)
    }

    #[allow(clippy::cast_precision_loss, reason = "a share does not need the last of sixteen digits")]
    fn share(&self) -> f64 {
        self.used as f64 / self.max as f64
    }

    fn status(&self) -> ApiUsage {
        ApiUsage { used: self.used, max: self.max, age_seconds: self.at.elapsed().as_secs() }
    }
}

impl Budget {
    /// Keeps what the org says; true when it is high and was not before.
    pub(super) fn learn(&mut self, usage: Usage) -> bool {
        let share = usage.share();
        let crossed = share >= HIGH && !self.is_high;
        self.is_high = share >= HIGH || (self.is_high && share >= HIGH_NO_MORE);
        self.told = Some(usage);
        crossed
    }

    /// Whether a call that can wait should; `reserve` is the share that is left to others, from 0 to 1.
    pub(super) fn ask(&mut self, reserve: f64) -> Option<Held> {
        let Some(usage) = self.told.filter(|usage| (1.0 - usage.share()).max(0.0) < reserve) else {
            self.is_held = false;
            return None;
        };
        let known = self.probed.map_or(usage.at, |probed| probed.max(usage.at));
        if known.elapsed() >= STALE {
            self.probed = Some(Instant::now());
            return None;
        }
        let is_first = !std::mem::replace(&mut self.is_held, true);
        Some(Held { usage, after: REST + REST.mul_f64(2.0 * fastrand::f64()), is_first })
    }

    pub(super) fn status(&self) -> Option<ApiUsage> {
        self.told.as_ref().map(Usage::status)
    }
}

/// Why a call has to wait, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) usage: Usage,
    pub(super) after: Duration,
    /// Whether the one before it did not have to.
    pub(super) is_first: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::advance;

    use super::*;

    fn told(info: &str) -> Option<(u64, u64)> {
        let headers = json!({ "sforce-limit-info": info }).as_object().unwrap().clone();
        let answer = Response { status: 200, reason: String::new(), headers, body: serde_json::Value::Null };
        Usage::told_by(&answer).map(|usage| usage.numbers())
    }

    fn used(used: u64) -> Usage {
        Usage { used, max: 1000, at: Instant::now() }
    }

    #[test]
    fn the_orgs_usage_is_read_and_that_of_a_single_app_is_not() {
        for (info, expected) in [
            ("api-usage=25/5000", Some((25, 5000))),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", Some((25, 5000))),
            ("per-app-api-usage=17/250(appName=x), api-usage=5001/5000", Some((5001, 5000))),
            ("per-app-api-usage=17/250(appName=x)", None),
            ("api-usage=25", None),
            ("api-usage=25/0", None),
            ("api-usage=-1/5000", None),
            ("", None),
        ] {
            assert_eq!(told(info), expected, "{info}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn people_are_told_once_for_each_time_it_goes_above_four_fifths() {
        let mut budget = Budget::default();
        let told: Vec<_> = [799, 800, 801, 790, 800, 749, 800].map(|n| budget.learn(used(n))).into();
        assert_eq!(told, [false, true, false, false, false, false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn below_the_reserve_calls_wait_for_minutes_and_not_all_equally_long() {
        let mut budget = Budget::default();
        assert!(budget.ask(0.05).is_none(), "nothing is known yet");
        budget.learn(used(950));
        assert!(budget.ask(0.05).is_none() && budget.ask(0.0).is_none());
        budget.learn(used(951));
        let mut rests: Vec<_> = (0..100).map(|_| budget.ask(0.05).unwrap().after).collect();
        rests.sort_unstable();
        assert!(rests[0] >= REST && rests[99] <= 3 * REST && rests[90] > rests[10] + REST, "{rests:?}");
        assert!(budget.ask(0.04).is_none(), "each connection has its own reserve");
        budget.learn(used(1200));
        assert!(budget.ask(0.05).is_some() && budget.ask(0.0).is_none(), "0 holds nothing back");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_said_long_ago_lets_one_call_through_every_ten_minutes() {
        let mut budget = Budget::default();
        budget.learn(used(999));
        advance(Duration::from_secs(STALE.as_secs() - 1)).await;
        assert!(budget.ask(0.05).is_some());
        advance(Duration::from_secs(1)).await;
        assert!(budget.ask(0.05).is_none() && budget.ask(0.05).is_some(), "one, then none");
        advance(STALE).await;
        assert!(budget.ask(0.05).is_none());
        budget.learn(used(10));
        assert!(budget.ask(0.05).is_none() && budget.ask(0.05).is_none());
    }
}
