//! `getUserInfo`: as whom does the connection call Salesforce?

use serde::Deserialize;

use super::{
    Operate,
    descriptor::{Area, Descriptor, Examples, ResultContent},
};
use crate::{
    connector::InvalidInput,
    salesforce::{CallClass, Request},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getUserInfo",
    area: Area::Other,
    label: "Get the user of the connection",
    summary: "Tells as whom the connection calls Salesforce: user, org, language and time zone.",
    keywords: &["user", "userinfo", "who am i", "identity", "organization id", "current user"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /services/oauth2/userinfo`. The app needs one of the scopes `openid`, `id`, `profile` or `full`.",
    body: "`user_id`, `organization_id`, `preferred_username`, `name`, `email`, `language`, `zoneinfo`, `urls` and more.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[],
    examples: Examples {
        answer: (
            200,
            r#"{"user_id": "005Hp00000aaaAAAAA", "organization_id": "00DHp0000000001AAA", "preferred_username":
            "integration@acme.com", "name": "Integration User", "email": "integration@acme.com", "zoneinfo": "UTC"}"#,
        ),
        refusal: (403, r#"[{"errorCode": "INVALID_SESSION_ID", "message": "Bad_OAuth_Token"}]"#),
        result: "={me: body.user_id}",
        error: "=if error.status = 403 then bpmnError(\"not allowed\", error.message) else null",
    },
};

/// The input of `getUserInfo`: nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetUserInfo {}

impl Operate for GetUserInfo {
    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::userinfo())
    }
}
