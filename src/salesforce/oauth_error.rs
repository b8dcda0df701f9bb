//! What the token endpoint's refusals most likely mean, in words for whoever set the connection up.

use jiff::SignedDuration;

use super::grant::Flow;
use super::{clock, codes};

/// A known refusal: the first row that fits counts.
///
/// Source: Salesforce's "OAuth 2.0 Authorization Errors", and what its clients have met. New apps are External Client
/// Apps since Spring '26, so the causes speak of them first.
#[derive(Clone, Copy)]
struct Row {
    /// Part of the grant type; empty: any.
    grant: &'static str,
    error: &'static str,
    /// A part of `error_description` in lower case; empty: any.
    part: &'static str,
    code: &'static str,
    /// With the next step each, the most likely first.
    causes: &'static [&'static str],
}

const fn row(
    grant: &'static str,
    error: &'static str,
    part: &'static str,
    causes: &'static [&'static str],
) -> Row {
    Row { grant, error, part, code: codes::AUTHENTICATION_FAILED, causes }
}

const fn coded(code: &'static str, row: Row) -> Row {
    Row { code, ..row }
}

const NO_RUN_AS: &str = "the app has no run-as user: in the External Client App's OAuth policies, enable the client \
                         credentials flow and choose one";
const OWN_DOMAIN: &str = "the client credentials flow works on the My Domain host only: use https://<your \
                          domain>.my.salesforce.com, not login. or test.salesforce.com";
const ADDRESS: &str = "the user's profile or the app's policy does not allow this machine's address: add it to the \
                       trusted ranges, or relax the app's IP policy";
const LOGIN_HISTORY: &str = "the user may not log in (frozen, restricted by address or hours, or the flow is blocked): \
                             see the user's Login History in Setup";
const APPROVE: &str = "the user is not approved for the app: in the External Client App's (or Connected App's) \
                       policies set permitted users to \"admin approved users are pre-authorized\" and assign the app \
                       to the user by profile or permission set";
const WRONG_AUDIENCE: &str = "the audience does not fit the org: https://login.salesforce.com for production, \
                              https://test.salesforce.com for sandboxes; set audience or environment";
const WRONG_KEY: &str = "the private key does not belong to the certificate that was uploaded to the External Client \
                         App, or that certificate has expired: upload the key's certificate again";
const WRONG_ISSUER: &str =
    "the client id or the username is not of this org: a sandbox's usernames end in its name";
const CLOCK: &str = "this machine's clock is wrong: compare it with a time server";
const DEAD_REFRESH: &str = "the refresh token has expired, was revoked, or was replaced by a newer one (Salesforce \
                            keeps about five for a user and an app): log in again and store the new token; it is not \
                            tried again";
const OTHER_APP: &str = "the refresh token was issued to another app or by another org: check the client id and the login address";
const SECRET: &str = "client id and client secret do not fit: copy both again from the External Client App; a new app \
                      or a rotated secret needs up to 10 minutes";
const PASSWORD: &str =
    "the password is wrong, or the security token is missing or old (a new password makes a new one)";
const PASSWORD_OFF: &str = "the username-password flow is blocked in this org, as it is in all made since Summer '23 \
                            (Setup > OAuth and OpenID Connect Settings)";
const PASSWORD_ECA: &str = "the app is an External Client App, which does not have this flow: use client credentials \
                            or JWT bearer";
const PASSWORD_ADDRESS: &str = "the user needs multi-factor authentication, or may not log in from this address: see \
                                the user's Login History in Setup";
const OLD_CODE: &str = "the code was used before or is older than a few minutes: log in again";
const CALLBACK: &str =
    "the app does not list exactly this callback URL: add it to the External Client App's OAuth settings";
const FLOW_OFF: &str = "this flow is off for the app: enable it in the External Client App's OAuth settings";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("client_credentials", "invalid_grant", "no client credentials user", &[NO_RUN_AS]),
    row("client_credentials", "invalid_grant", "not supported on this domain", &[OWN_DOMAIN]),
    row("", "invalid_grant", "ip restricted", &[ADDRESS]),
    row("client_credentials", "invalid_grant", "authentication failure", &[LOGIN_HISTORY, NO_RUN_AS]),
    row("client_credentials", "invalid_grant", "", &[
        "the run-as user or the client credentials flow is not set up for this app: see the External Client App's OAuth policies and the user's Login History in Setup",
        OWN_DOMAIN,
    ]),
    coded(codes::USER_NOT_APPROVED, row("", "invalid_grant", "hasn't approved this consumer", &[APPROVE, WRONG_ISSUER])),
    row("jwt-bearer", "invalid_grant", "audience", &[WRONG_AUDIENCE, WRONG_ISSUER]),
    row("jwt-bearer", "invalid_grant", "expired", &[CLOCK, WRONG_KEY]),
    row("jwt-bearer", "invalid_grant", "assertion", &[WRONG_KEY, WRONG_AUDIENCE, CLOCK]),
    row("jwt-bearer", "invalid_grant", "", &[WRONG_KEY, WRONG_AUDIENCE, APPROVE, WRONG_ISSUER, CLOCK]),
    coded(codes::REFRESH_TOKEN_EXPIRED, row("refresh_token", "invalid_grant", "expired", &[DEAD_REFRESH])),
    coded(codes::REFRESH_TOKEN_EXPIRED, row("refresh_token", "invalid_grant", "revoked", &[DEAD_REFRESH])),
    row("refresh_token", "invalid_grant", "", &[DEAD_REFRESH, OTHER_APP, LOGIN_HISTORY]),
    row("password", "invalid_grant", "", &[PASSWORD, PASSWORD_OFF, PASSWORD_ECA, PASSWORD_ADDRESS]),
    row("jwt-bearer", "invalid_client_id", "", &["the client id is not known here: copy the consumer key again, check the login address; a new app needs up to 10 minutes"]),
    row("authorization_code", "invalid_grant", "", &[OLD_CODE, CALLBACK]),
    row("", "redirect_uri_mismatch", "", &[CALLBACK]),
    row("", "invalid_client_id", "", &["the client id is not known here: copy the consumer key again, check that the login address is that of the app's org; a new app needs up to 10 minutes"]),
    row("jwt-bearer", "invalid_client", "", &[WRONG_KEY, "the client id is wrong, or the app was made less than 10 minutes ago: copy the consumer key again"]),
    row("", "invalid_client", "", &[SECRET]),
    coded(codes::USER_NOT_APPROVED, row("", "invalid_app_access", "", &[APPROVE])),
    row("password", "unsupported_grant_type", "", &[PASSWORD_ECA, PASSWORD_OFF]),
    row("", "unsupported_grant_type", "", &[FLOW_OFF]),
    row("", "unauthorized_client", "", &[FLOW_OFF]),
    row("", "inactive_user", "", &["the user is inactive: activate it or choose another"]),
    row("", "inactive_org", "", &["the org is locked, suspended or closed: ask its owner"]),
    row("", "org_locked", "", &["the org is locked: ask its owner or Salesforce support"]),
    row("", "invalid_scope", "", &["the app lacks a scope: add \"Manage user data via APIs (api)\" to it"]),
];

const UNKNOWN: &[&str] = &[
    "the login address, the client id or one of the credentials is wrong: check them against the app in Setup",
];

/// Refusals that pass by themselves.
const TRANSIENT: &[&str] = &["unknown_error", "server_error", "temporarily_unavailable"];

/// Refusals that pass with time.
const THROTTLED: &[&str] = &["rate_limit_exceeded", "login_rate_exceeded", "slow_down"];

/// Whether a refusal passes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Final,
    Transient,
    Throttled,
}

/// A refusal in our words.
#[derive(Debug, PartialEq)]
pub(super) struct Explanation {
    pub(super) code: &'static str,
    /// The likely causes, each with the next step.
    pub(super) text: String,
}

pub(super) fn refusal(error: &str, description: &str) -> Refusal {
    let error = error.to_ascii_lowercase();
    let description = description.to_ascii_lowercase();
    if THROTTLED.contains(&error.as_str()) || description.contains("login rate exceeded") {
        Refusal::Throttled
    } else if TRANSIENT.contains(&error.as_str()) {
        Refusal::Transient
    } else {
        Refusal::Final
    }
}

/// The code of a final refusal and its likely causes, the most likely first.
///
/// `skew` is how far this machine's clock is ahead; it can only hurt an assertion, which has a time in it.
pub(super) fn explain(
    flow: &Flow,
    (error, description): (&str, &str),
    skew: Option<SignedDuration>,
) -> Explanation {
    let description = description.to_ascii_lowercase().replace('\u{2019}', "'");
    let row = ROWS.iter().find(|row| {
        let is_flow = flow.grant_type().ends_with(row.grant);
        is_flow && error.eq_ignore_ascii_case(row.error) && description.contains(row.part)
    });
    let mut code = row.map_or(codes::AUTHENTICATION_FAILED, |row| row.code);
    let mut causes: Vec<String> =
        row.map_or(UNKNOWN, |row| row.causes).iter().map(|&cause| cause.to_owned()).collect();
    if let Flow::JwtBearer { username, audience, .. } = flow {
        if let Some(skew) = skew
            .filter(|_| code == codes::AUTHENTICATION_FAILED && error.eq_ignore_ascii_case("invalid_grant"))
        {
            code = codes::CLOCK_SKEW;
            causes.retain(|cause| cause != CLOCK);
            causes.insert(0, format!("this machine's clock is {}: correct it (NTP)", clock::told(skew)));
        }
        let asked = format!(" (asked for the user {username:?} with the audience {audience:?})");
        return Explanation { code, text: causes.join("; or ") + &asked };
    }
    Explanation { code, text: causes.join("; or ") }
}

#[cfg(test)]
mod tests {
    use super::super::grant::Secret;
    use super::*;

    fn flows() -> [Flow; 4] {
        let secret = || Secret("s3cret".into());
        [
            Flow::ClientCredentials,
            Flow::JwtBearer {
                username: "u@acme.com".to_owned(),
                private_key: secret(),
                audience: "aud".to_owned(),
            },
            Flow::RefreshToken { token: secret(), state_file: None },
            Flow::Password { username: "u".to_owned(), password: secret(), security_token: None },
        ]
    }

    #[test]
    #[allow(clippy::too_many_lines, reason = "a table of cases")]
    fn a_known_refusal_has_a_code_causes_in_order_and_a_next_step() {
        let [client, jwt, refresh, password] = flows();
        for (flow, error, description, code, words) in [
            (
                &client,
                "invalid_grant",
                "no client credentials user enabled",
                "AUTHENTICATION_FAILED",
                &["run-as user"][..],
            ),
            (
                &client,
                "invalid_grant",
                "request not supported on this domain",
                "AUTHENTICATION_FAILED",
                &["My Domain"],
            ),
            (
                &client,
                "invalid_grant",
                "authentication failure - Invalid Password",
                "AUTHENTICATION_FAILED",
                &["Login History", "run-as"],
            ),
            (&client, "invalid_grant", "", "AUTHENTICATION_FAILED", &["OAuth policies", "My Domain"]),
            (
                &client,
                "invalid_client",
                "invalid client credentials",
                "AUTHENTICATION_FAILED",
                &["client secret"],
            ),
            (
                &client,
                "invalid_client_id",
                "client identifier invalid",
                "AUTHENTICATION_FAILED",
                &["consumer key"],
            ),
            (
                &client,
                "unsupported_grant_type",
                "grant type not supported",
                "AUTHENTICATION_FAILED",
                &["enable"],
            ),
            (
                &client,
                "invalid_app_access",
                "user is not admin approved",
                "USER_NOT_APPROVED",
                &["pre-authorized"],
            ),
            (
                &jwt,
                "invalid_grant",
                "user hasn't approved this consumer",
                "USER_NOT_APPROVED",
                &["pre-authorized", "username"],
            ),
            (
                &jwt,
                "invalid_grant",
                "user hasn\u{2019}t approved this consumer",
                "USER_NOT_APPROVED",
                &["pre-authorized"],
            ),
            (
                &jwt,
                "invalid_grant",
                "audience validation failed",
                "AUTHENTICATION_FAILED",
                &["audience", "\"aud\""],
            ),
            (
                &jwt,
                "invalid_grant",
                "invalid assertion",
                "AUTHENTICATION_FAILED",
                &["certificate", "audience", "clock"],
            ),
            (&jwt, "invalid_grant", "", "AUTHENTICATION_FAILED", &["certificate", "approved", "u@acme.com"]),
            (
                &refresh,
                "invalid_grant",
                "expired access/refresh token",
                "REFRESH_TOKEN_EXPIRED",
                &["log in again"],
            ),
            (&refresh, "invalid_grant", "", "AUTHENTICATION_FAILED", &["log in again", "another app"]),
            (
                &password,
                "invalid_grant",
                "authentication failure",
                "AUTHENTICATION_FAILED",
                &["security token", "blocked", "External Client App", "multi-factor"],
            ),
            (&jwt, "invalid_client_id", "", "AUTHENTICATION_FAILED", &["consumer key", "10 minutes"]),
            (&jwt, "invalid_client", "invalid client credentials", "AUTHENTICATION_FAILED", &["certificate"]),
            (
                &password,
                "invalid_client",
                "",
                "AUTHENTICATION_FAILED",
                &["client secret", "External Client App"],
            ),
            (
                &password,
                "unsupported_grant_type",
                "",
                "AUTHENTICATION_FAILED",
                &["External Client App", "blocked"],
            ),
            (&refresh, "invalid_grant", "token revoked", "REFRESH_TOKEN_EXPIRED", &["log in again"]),
            (&client, "inactive_user", "", "AUTHENTICATION_FAILED", &["inactive", "activate"]),
            (&client, "inactive_org", "", "AUTHENTICATION_FAILED", &["org", "owner"]),
            (&client, "org_locked", "", "AUTHENTICATION_FAILED", &["org is locked", "owner"]),
            (&jwt, "invalid_grant", "ip restricted", "AUTHENTICATION_FAILED", &["address", "trusted ranges"]),
            (&password, "brand_new_error", "", "AUTHENTICATION_FAILED", &["check"]),
        ] {
            let told = explain(flow, (error, description), None);
            assert_eq!(told.code, code, "{error}, {description}");
            let mut rest = told.text.as_str();
            for word in words {
                let at = rest.find(word).unwrap_or_else(|| panic!("{word} is not next in {}", told.text));
                rest = &rest[at..];
            }
            assert!(!told.text.contains("s3cret"), "{}", told.text);
        }
    }

    #[test]
    fn a_wrong_clock_comes_first_where_an_assertion_is_refused_and_nowhere_else() {
        let [client, jwt, ..] = flows();
        let skew = Some(SignedDuration::from_hours(-2));
        let told = explain(&jwt, ("invalid_grant", "invalid assertion"), skew);
        assert_eq!(told.code, "CLOCK_SKEW");
        assert!(
            told.text.starts_with("this machine's clock is 2 h 0 min behind Salesforce's"),
            "{}",
            told.text
        );
        assert_eq!(
            explain(&jwt, ("invalid_grant", "user hasn't approved this consumer"), skew).code,
            "USER_NOT_APPROVED"
        );
        assert_eq!(explain(&jwt, ("invalid_client", ""), skew).code, "AUTHENTICATION_FAILED");
        assert!(!explain(&client, ("invalid_grant", ""), skew).text.contains("clock"));
    }

    #[test]
    fn a_general_row_never_hides_a_special_one() {
        for (index, row) in ROWS.iter().enumerate() {
            let hides = |other: &Row| {
                row.grant.ends_with(other.grant) && row.error == other.error && row.part.contains(other.part)
            };
            assert_eq!(ROWS.iter().position(hides), Some(index), "{} {} {}", row.grant, row.error, row.part);
        }
    }

    #[test]
    fn refusals_that_pass_are_told_apart() {
        for (error, description, kind) in [
            ("unknown_error", "retry your request", Refusal::Transient),
            ("server_error", "", Refusal::Transient),
            ("temporarily_unavailable", "", Refusal::Transient),
            ("rate_limit_exceeded", "", Refusal::Throttled),
            ("invalid_grant", "login rate exceeded", Refusal::Throttled),
            ("invalid_grant", "authentication failure", Refusal::Final),
            ("invalid_client", "invalid client credentials", Refusal::Final),
            ("invalid_client_id", "client identifier invalid", Refusal::Final),
            ("inactive_org", "", Refusal::Final),
        ] {
            assert_eq!(refusal(error, description), kind, "{error}");
        }
    }
}
