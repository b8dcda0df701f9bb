//! Faults by script: what the org does to a request instead of, or beside, carrying it out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use tokio::sync::watch;

/// A reply that stands in for the org's own.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A reply with a JSON content type.
    ///
    /// # Panics
    /// If `status` is outside 100..=999.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(super::error::JSON));
        let status = StatusCode::from_u16(status).expect("an HTTP status has three digits");
        Self { status, headers, body: body.into() }
    }

    /// A Salesforce error: an array with one `{message, errorCode}`.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, serde_json::json!([{ "message": message, "errorCode": code }]).to_string())
    }

    /// A success whose body is small on the wire and so many MiB of spaces when it is unpacked: a thousand times as large.
    pub fn gzip_bomb(mebibytes: usize) -> Self {
        let mebibyte = vec![b' '; 1024 * 1024];
        let mut block = Vec::with_capacity(mebibyte.len());
        let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
        // A full flush ends at a byte and forgets what was before, so that the same bytes do again (RFC 1951).
        let packed = compress.compress_vec(&mebibyte, &mut block, flate2::FlushCompress::Full);
        packed.expect("spaces can be packed");
        let (mut one, mut sum) = (flate2::Crc::new(), flate2::Crc::new());
        one.update(&mebibyte);
        (0..mebibytes).for_each(|_| sum.combine(&one));
        // The head and the tail of a gzip file (RFC 1952, section 2.3), with an empty last block between them.
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
        let tail = [&[3, 0][..], &sum.sum().to_le_bytes(), &sum.amount().to_le_bytes()].concat();
        let body = [&head[..], &block.repeat(mebibytes), &tail].concat();
        Self::new(200, body).header("content-encoding", "gzip")
    }

    /// Sets a header, in place of one of the same name.
    ///
    /// # Panics
    /// If name or value are not allowed in HTTP.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name is a token");
        self.headers.insert(name, HeaderValue::from_str(value).expect("a header value is visible text"));
        self
    }
}

/// What happens to a matching request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Answer with this instead of carrying the request out.
    Respond(Reply),
    /// Carry the request out, then answer with this: a success that looks like a failure.
    RespondAfter(Reply),
    /// Wait, then carry the request out.
    Delay(Duration),
    /// Carry the request out when the gate opens.
    Hold(Gate),
    /// Carry the request out, and answer when the gate opens.
    HoldAfter(Gate),
    /// Close the connection without carrying the request out.
    CloseBefore,
    /// Carry the request out, then close the connection without an answer.
    CloseAfter,
    /// Carry the request out, send half of the answer's body, then close the connection.
    CutAnswer,
    /// Carry the request out, and announce a body of so many bytes, whatever it has. If it has fewer, the connection is
    /// closed after them; if it has more, they are not sent.
    Announce(u64),
    /// Carry the request out, and send the answer's body a byte at a time, with this pause before each.
    Drip(Duration),
}

/// Holds requests until a test lets them go.
#[derive(Debug, Clone)]
pub struct Gate {
    open: watch::Sender<bool>,
    held: watch::Sender<usize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self { open: watch::Sender::new(false), held: watch::Sender::new(0) }
    }

    /// Lets all held requests go, and all that come later.
    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Resolves once at least `count` requests have arrived at the gate since it was made.
    pub async fn held(&self, count: usize) {
        let mut arrivals = self.held.subscribe();
        // The sender lives in `self`, so the wait can only end by reaching the count.
        let _ = arrivals.wait_for(|held| *held >= count).await;
    }

    pub(crate) async fn pass(&self) {
        self.held.send_modify(|held| *held += 1);
        let mut opened = self.open.subscribe();
        let _ = opened.wait_for(|open| *open).await;
    }
}

/// Which requests a fault strikes. By default the very next one, whatever it is.
#[derive(Debug, Clone)]
pub struct FaultRule {
    method: Option<String>,
    path: String,
    skip: usize,
    times: usize,
    fault: Fault,
}

impl FaultRule {
    /// Strikes the next request.
    pub fn new(fault: Fault) -> Self {
        Self { method: None, path: String::new(), skip: 0, times: 1, fault }
    }

    /// Only requests with this method, for example `"POST"`.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Only requests whose path contains this text; case is ignored. The query is not looked at.
    pub fn path(mut self, part: &str) -> Self {
        part.to_ascii_lowercase().clone_into(&mut self.path);
        self
    }

    /// Lets the first `count` matching requests pass.
    pub fn skip(mut self, count: usize) -> Self {
        self.skip = count;
        self
    }

    /// Strikes `count` matching requests; `usize::MAX` for all.
    pub fn times(mut self, count: usize) -> Self {
        self.times = count;
        self
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method) && path.contains(&self.path)
    }
}

/// The script: rules in the order in which they were added; the first that matches strikes.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    /// Adds a rule at the end of the script.
    pub fn add(&self, rule: FaultRule) {
        self.lock().push(rule);
    }

    /// Forgets the whole script. Requests already held stay held.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many rules have not struck as often as they should.
    pub fn pending(&self) -> usize {
        self.lock().len()
    }

    /// The fault for a request, if any; uses up one strike.
    pub(crate) fn next(&self, method: &str, path: &str) -> Option<Fault> {
        let path = path.to_ascii_lowercase();
        let mut rules = self.lock();
        for index in 0..rules.len() {
            let rule = &mut rules[index];
            if !rule.matches(method, &path) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            let fault = rule.fault.clone();
            if rule.times != usize::MAX {
                rule.times = rule.times.saturating_sub(1);
            }
            if rule.times == 0 {
                rules.remove(index);
            }
            return Some(fault);
        }
        None
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<FaultRule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> FaultRule {
        FaultRule::new(Fault::CloseBefore)
    }

    #[test]
    fn a_rule_strikes_after_skipping_and_as_often_as_it_should() {
        let faults = Faults::default();
        faults.add(rule().method("post").path("/sObjects/Account").skip(1).times(2));
        let hit = |method, path| faults.next(method, path).is_some();
        assert!(!hit("GET", "/services/data/v67.0/sobjects/account"));
        assert!(!hit("POST", "/services/data/v67.0/sobjects/account"));
        assert!(hit("POST", "/services/data/v67.0/sobjects/account"));
        assert!(hit("POST", "/services/data/v67.0/sobjects/Account/"));
        assert!(!hit("POST", "/services/data/v67.0/sobjects/Account"));
        assert_eq!(faults.pending(), 0);
    }

    #[test]
    fn a_rule_for_all_requests_stays() {
        let faults = Faults::default();
        faults.add(rule().times(usize::MAX));
        assert!(faults.next("GET", "/a").is_some() && faults.next("GET", "/b").is_some());
        faults.clear();
        assert!(faults.next("GET", "/a").is_none());
    }

    #[tokio::test]
    async fn a_gate_tells_who_waits_and_lets_them_go() {
        let gate = Gate::new();
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        });
        gate.held(1).await;
        assert!(!waiting.is_finished());
        gate.open();
        waiting.await.unwrap();
    }
}
