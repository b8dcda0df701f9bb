//! What an org says of itself: who is logged in, which org it is, what it has left.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::client::TimeLimit;
use super::error::{Error, ErrorClass};
use super::{ApiVersion, CallClass, Path, Request, Response, SalesforceClient, clock, versions};

/// Who a token belongs to, as the userinfo endpoint says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The user's name, such as `integration@acme.com`.
    #[serde(rename = "preferred_username")]
    pub username: String,
    /// The id of the user, `005…`.
    #[serde(rename = "user_id")]
    pub id: String,
    /// The id of the org, `00D…`.
    pub organization_id: String,
}

/// Which org it is: its record `Organization`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Organization {
    /// `00D…`.
    pub id: String,
    /// The company's name.
    pub name: String,
    /// Where Salesforce runs it, such as `DEU46`.
    pub instance_name: Option<String>,
    /// Whether it is a sandbox.
    pub is_sandbox: bool,
}

/// API calls in the last 24 hours, of all who call the org.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DailyRequests {
    /// How many are left.
    pub left: u64,
    /// How many the org may have.
    pub most: u64,
}

/// The API versions of an org, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versions {
    /// From 31 on.
    pub versions: Vec<ApiVersion>,
    /// How far this machine's clock is ahead of the org's, in seconds (negative: behind), where it is a minute or more.
    pub clock_skew: Option<i64>,
}

impl Versions {
    /// In words, such as `v31.0 to v68.0`.
    pub fn told(&self) -> String {
        versions::told(&self.versions)
    }

    /// The difference of the clocks in words, such as `2 h 0 min ahead of Salesforce's`, where there is one.
    pub fn told_skew(&self) -> Option<String> {
        self.clock_skew.map(|seconds| clock::told(jiff::SignedDuration::from_secs(seconds)))
    }
}

impl Request {
    /// `GET /services/oauth2/userinfo`: who the token belongs to.
    pub fn userinfo() -> Self {
        Self { path: Path::Absolute("/services/oauth2/userinfo".to_owned()), ..Self::read("") }
    }

    /// `GET /limits`: what the org may have and has left.
    pub fn limits() -> Self {
        Self::read("/limits")
    }

    fn read(path: &str) -> Self {
        Self::new(reqwest::Method::GET, path.to_owned(), CallClass::Read)
    }
}

impl SalesforceClient {
    /// Who is logged in. Apps without the scope `openid` or `id` are refused this.
    pub async fn user(&self, limit: TimeLimit) -> Result<User, Error> {
        let request = Request::userinfo();
        read("userinfo", self.send(&request, limit).await?.body)
    }

    /// Which org it is, and what is left of its calls as the answer's `Sforce-Limit-Info` says.
    pub async fn organization(
        &self,
        limit: TimeLimit,
    ) -> Result<(Organization, Option<DailyRequests>), Error> {
        let soql = "SELECT Id, Name, InstanceName, IsSandbox FROM Organization";
        let mut response = self.send(&Request::query(soql), limit).await?;
        let left = usage(&response);
        let record = response.body.pointer_mut("/records/0").map(Value::take).unwrap_or_default();
        Ok((read("Organization", record)?, left))
    }

    /// What is left of the org's calls. Users without the permission "View Setup and Configuration" are refused this.
    pub async fn daily_requests(&self, limit: TimeLimit) -> Result<DailyRequests, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Limit {
            max: u64,
            remaining: u64,
        }
        let mut body = self.send(&Request::limits(), limit).await?.body;
        let value = body.get_mut("DailyApiRequests").map(Value::take).unwrap_or_default();
        let Limit { max, remaining } = read("limits", value)?;
        Ok(DailyRequests { left: remaining, most: max })
    }
}

/// Reads an answer's JSON; the error repeats nothing of it.
fn read<T: DeserializeOwned>(what: &str, body: Value) -> Result<T, Error> {
    serde_json::from_value(body).map_err(|_| {
        let message = format!("expected the JSON of {what}, found something else");
        Error::new("INVALID_RESPONSE", ErrorClass::Permanent, message)
    })
}

/// `Sforce-Limit-Info: api-usage=25/5000; per-app-api-usage=17/250(appName=x)`.
fn usage(response: &Response) -> Option<DailyRequests> {
    let header = response.header("sforce-limit-info")?;
    let usage = header.split([';', ',']).find_map(|part| part.trim().strip_prefix("api-usage="))?;
    let (used, most) = usage.split_once('/')?;
    let (used, most): (u64, u64) = (used.trim().parse().ok()?, most.trim().parse().ok()?);
    Some(DailyRequests { left: most.saturating_sub(used), most })
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn with_header(text: &str) -> Response {
        let headers = Map::from_iter([("sforce-limit-info".to_owned(), json!(text))]);
        Response { status: 200, reason: String::new(), headers, body: Value::Null }
    }

    #[test]
    fn the_header_tells_what_is_left() {
        for (text, left) in [
            ("api-usage=25/5000", Some(4975)),
            ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)", Some(4975)),
            ("per-app-api-usage=17/250(appName=x), api-usage=5001/5000", Some(0)),
            ("api-usage=many", None),
            ("", None),
        ] {
            assert_eq!(usage(&with_header(text)).map(|usage| usage.left), left, "{text}");
        }
    }

    #[test]
    fn an_answer_of_another_shape_is_not_repeated() {
        let error = read::<User>("userinfo", json!({"preferred_username": "s3cret"})).unwrap_err();
        assert_eq!(error.to_string(), "expected the JSON of userinfo, found something else");
    }
}
