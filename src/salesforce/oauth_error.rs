//! What the token endpoint's refusals most likely mean, in words for whoever set the connection up.

/// `error`, a part of `error_description` in lower case (empty: any), the likely cause and the next step.
///
/// The first row that fits counts. Source: what Salesforce answers to the client credentials grant.
#[rustfmt::skip]
const CAUSES: &[(&str, &str, &str)] = &[
    ("invalid_grant", "no client credentials user", "the app has no run-as user: in the External Client App's OAuth policies, enable the client credentials flow and choose one"),
    ("invalid_grant", "not supported on this domain", "the client credentials flow works on the My Domain host only: use https://<your domain>.my.salesforce.com, not login. or test.salesforce.com"),
    ("invalid_grant", "ip restricted", "the run-as user's profile or the app's policy does not allow this machine's address: add it to the trusted ranges or relax the app's IP policy"),
    ("invalid_grant", "authentication failure", "the run-as user may not log in (frozen, restricted by address or hours, or the flow is blocked): see the user's Login History in Setup"),
    ("invalid_grant", "", "the run-as user or the client credentials flow is not set up for this app: see the app's OAuth policies and the Login History in Setup"),
    ("invalid_client_id", "", "the client id is not known here: copy the consumer key again, check that the base URL is the org of the app; a new app needs up to 10 minutes"),
    ("invalid_client", "", "client id and client secret do not fit: copy both again from the app; a new app or a rotated secret needs up to 10 minutes"),
    ("invalid_app_access", "", "the run-as user is not approved for the app: assign the app by profile or permission set"),
    ("unsupported_grant_type", "", "the client credentials flow is off for this app: enable it in the app's OAuth settings"),
    ("unauthorized_client", "", "the app may not use the client credentials flow: enable it in the app's OAuth settings"),
    ("inactive_user", "", "the run-as user is inactive: activate it or choose another"),
    ("inactive_org", "", "the org is locked, suspended or closed: ask its owner"),
    ("org_locked", "", "the org is locked: ask its owner or Salesforce support"),
    ("invalid_scope", "", "the app lacks a scope: add \"Manage user data via APIs (api)\" to it"),
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

/// The most likely cause and the next step, where the refusal is a known one.
pub(super) fn likely_cause(error: &str, description: &str) -> Option<&'static str> {
    let description = description.to_ascii_lowercase();
    CAUSES
        .iter()
        .find(|(name, part, _)| error.eq_ignore_ascii_case(name) && description.contains(part))
        .map(|(_, _, cause)| *cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_refusal_has_a_cause_and_a_next_step() {
        for (error, description, word) in [
            ("invalid_grant", "no client credentials user enabled", "run-as user"),
            ("invalid_grant", "request not supported on this domain", "My Domain"),
            ("invalid_grant", "authentication failure - Invalid Password", "Login History"),
            ("invalid_grant", "", "OAuth policies"),
            ("invalid_client", "invalid client credentials", "client secret"),
            ("invalid_client_id", "client identifier invalid", "consumer key"),
            ("unsupported_grant_type", "grant type not supported", "enable"),
        ] {
            let cause = likely_cause(error, description).unwrap();
            assert!(cause.contains(word), "{error}, {description}: {cause}");
        }
        assert_eq!(likely_cause("brand_new_error", ""), None);
    }

    #[test]
    fn a_general_row_never_hides_a_special_one() {
        for (index, (error, part, _)) in CAUSES.iter().enumerate() {
            let first = CAUSES.iter().position(|(name, prefix, _)| name == error && part.contains(prefix));
            assert_eq!(first, Some(index), "{error} {part}");
        }
    }

    #[test]
    fn refusals_that_pass_are_told_apart() {
        assert_eq!(refusal("unknown_error", "retry your request"), Refusal::Transient);
        assert_eq!(refusal("invalid_grant", "login rate exceeded"), Refusal::Throttled);
        assert_eq!(refusal("invalid_grant", "authentication failure"), Refusal::Final);
    }
}
