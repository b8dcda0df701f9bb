//! Which API versions each org has, asked for once: a call with a version that the org lacks is not sent.
//!
//! `GET /services/data` needs no token and counts against no limit. It is asked before the first call to an org in the
//! life of the process. Where it cannot be asked, calls go on as if it had said yes: the org has the last word.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;
use tokio::time::{Instant, timeout};
use url::Url;

use super::about::Versions as Answer;
use super::error::{Error, ErrorClass};
use super::transport::Transport;
use super::{ApiVersion, clock, codes};

/// How long the question may take; longer, and the call goes on without an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// After which time an org is asked again that did not answer, or that lacked the version: it may have it by now.
const RECONSIDERED: Duration = Duration::from_mins(1);

/// Orgs that are remembered; beyond it all are forgotten, which costs each one question more.
const REMEMBERED_ORGS: usize = 256;

/// The list of an org is about 4 KB.
const LARGEST_LIST: usize = 256 * 1024;

/// What the orgs answered, by scheme, host and port.
#[derive(Debug, Default)]
pub(super) struct Versions {
    orgs: Mutex<HashMap<String, Arc<Org>>>,
    /// For tests with servers that know no versions.
    pub(super) unasked: bool,
}

/// The lock is held while the question is under way: whoever else needs the answer waits for it.
type Org = tokio::sync::Mutex<Option<Asked>>;

#[derive(Debug)]
struct Asked {
    at: Instant,
    versions: Option<Vec<ApiVersion>>,
}

#[derive(Deserialize)]
struct Entry {
    version: String,
}

impl Asked {
    fn has(&self, wanted: ApiVersion) -> bool {
        self.versions.as_ref().is_some_and(|versions| versions.contains(&wanted))
    }
}

impl Versions {
    /// Refuses a version that the org is known to lack.
    pub(super) async fn check(
        &self,
        transport: &Transport,
        (org, wanted): (&Url, ApiVersion),
        time: Duration,
    ) -> Result<(), Error> {
        if self.unasked {
            return Ok(());
        }
        // Whoever waits too long goes on: the call itself then says that no time was left.
        let versions = timeout(time, self.of(transport, (org, wanted), time)).await.ok().flatten();
        match versions {
            Some(versions) if !versions.contains(&wanted) => Err(unsupported(org, wanted, &versions)),
            _ => Ok(()),
        }
    }

    /// Asks the org anew, and remembers the answer for the calls that follow, or that wait for it meanwhile.
    pub(super) async fn ask(
        &self,
        transport: &Transport,
        org: &Url,
        time: Duration,
    ) -> Result<Answer, Error> {
        let entry = self.entry(org);
        let mut asked = entry.lock().await;
        let answer = ask(transport, org, time).await;
        let versions = answer.as_ref().ok().map(|answer| answer.versions.clone());
        *asked = Some(Asked { at: Instant::now(), versions });
        answer
    }

    async fn of(
        &self,
        transport: &Transport,
        (org, wanted): (&Url, ApiVersion),
        time: Duration,
    ) -> Option<Vec<ApiVersion>> {
        let entry = self.entry(org);
        let mut asked = entry.lock().await;
        let is_settled = |asked: &Asked| asked.has(wanted) || asked.at.elapsed() < RECONSIDERED;
        if !asked.as_ref().is_some_and(is_settled) {
            let versions = match ask(transport, org, time.min(PATIENCE)).await {
                Ok(answer) => Some(answer.versions),
                Err(error) => {
                    tracing::debug!(%error, "the org's API versions are not known; calls go on");
                    None
                }
            };
            *asked = Some(Asked { at: Instant::now(), versions });
        }
        asked.as_ref()?.versions.clone()
    }

    fn entry(&self, org: &Url) -> Arc<Org> {
        let mut orgs = self.orgs.lock().unwrap_or_else(PoisonError::into_inner);
        if orgs.len() >= REMEMBERED_ORGS && !orgs.contains_key(org.as_str()) {
            orgs.clear();
        }
        Arc::clone(orgs.entry(org.as_str().to_owned()).or_default())
    }
}

/// Asks an org; without a token.
async fn ask(transport: &Transport, org: &Url, time: Duration) -> Result<Answer, Error> {
    let url = org.join("/services/data").expect("a path joins an address with a host");
    let call = format!("GET {url}");
    let failed = |code: &str, class, detail: &str| Error::new(code, class, format!("{call}: {detail}"));
    let request = transport.http(&url).get(url.clone()).header("accept", "application/json").build();
    let request = request.map_err(|error| {
        failed(codes::INVALID_REQUEST, ErrorClass::Permanent, &error.without_url().to_string())
    })?;
    let response = transport
        .exchange(request, time, LARGEST_LIST)
        .await
        .map_err(|failure| failed(codes::CONNECTION_FAILED, ErrorClass::Transient, &failure.detail))?;
    let clock_skew = clock::skew(&response).map(|skew| skew.as_secs());
    let status = response.status;
    let entries = serde_json::from_value::<Vec<Entry>>(response.body).unwrap_or_default();
    // Those below what the parser takes are retired.
    let mut versions: Vec<ApiVersion> =
        entries.iter().filter_map(|entry| entry.version.parse().ok()).collect();
    versions.sort_unstable();
    if versions.is_empty() {
        let detail = format!("expected the list of API versions, found something else (status {status})");
        return Err(failed("INVALID_RESPONSE", ErrorClass::Permanent, &detail));
    }
    Ok(Answer { versions, clock_skew })
}

fn unsupported(org: &Url, wanted: ApiVersion, versions: &[ApiVersion]) -> Error {
    let host = org.host_str().unwrap_or_default();
    let message = format!("the org {host} does not have the API version {wanted}; it has {}", told(versions));
    Error::new(codes::UNSUPPORTED_API_VERSION, ErrorClass::Permanent, message)
}

/// Versions in words: a run without gaps as its ends.
pub(super) fn told(versions: &[ApiVersion]) -> String {
    let has_no_gap = versions.windows(2).all(|pair| pair[0].next() == Some(pair[1]));
    match versions {
        [first, .., last] if has_no_gap => format!("{first} to {last}"),
        versions => versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(texts: &[&str]) -> Vec<ApiVersion> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_run_is_told_by_its_ends_and_gaps_one_by_one() {
        assert_eq!(told(&versions(&["66.0", "67.0", "68.0"])), "v66.0 to v68.0");
        assert_eq!(told(&versions(&["60.0", "67.0"])), "v60.0, v67.0");
        assert_eq!(told(&versions(&["67.0"])), "v67.0");
    }

    #[test]
    fn a_refusal_names_the_org_and_what_it_has() {
        let org = Url::parse("https://acme.my.salesforce.com").unwrap();
        let error = unsupported(&org, ApiVersion::DEFAULT, &versions(&["60.0", "61.0"]));
        let expected =
            "the org acme.my.salesforce.com does not have the API version v67.0; it has v60.0 to v61.0";
        assert_eq!((error.code(), error.to_string().as_str()), ("UNSUPPORTED_API_VERSION", expected));
    }
}
