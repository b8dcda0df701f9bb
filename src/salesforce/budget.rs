//! How much of its API budget an org has used, as its answers tell in the header `Sforce-Limit-Info`.

use tokio::time::Instant;

use super::Response;
use super::status::ApiUsage;

/// One word of the org about its budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usage {
    used: u64,
    max: u64,
    at: Instant,
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

    pub(super) fn status(&self) -> ApiUsage {
        ApiUsage { used: self.used, max: self.max, age_seconds: self.at.elapsed().as_secs() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(info: &str) -> Option<(u64, u64)> {
        let headers = json!({ "sforce-limit-info": info }).as_object().unwrap().clone();
        let answer = Response { status: 200, reason: String::new(), headers, body: serde_json::Value::Null };
        Usage::told_by(&answer).map(|usage| (usage.used, usage.max))
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
}
