//! A look at one connection, for `check`: does it log in, to which org, and what is left there?

use std::time::Duration;

use tokio::time::Instant;

use super::{
    codes::{self, ErrorType},
    connections::{Connections, Opened},
    error::Error,
    redactor::Redactor,
    secrets::JobSecrets,
};
use crate::salesforce::{
    ApiVersion, DailyRequests, Organization, SalesforceClient, TimeLimit, User, Versions,
};

/// Fewer calls left than this part of a day's are worth a word.
const FEW_LEFT: u64 = 10;

/// What was found about a connection. Nothing in it is secret.
#[derive(Debug)]
pub struct Checkup {
    /// The connection's name.
    pub name: String,
    /// Its way to log in, such as `oauth-jwt-bearer-flow`.
    pub authentication: &'static str,
    /// The API version of tasks that name none.
    pub api_version: ApiVersion,
    /// Whether all secrets that it names were found.
    pub secrets_found: bool,
    /// Where calls go, once it has logged in.
    pub address: Option<String>,
    /// Who is logged in.
    pub user: Option<User>,
    /// Which org it is.
    pub organization: Option<Organization>,
    /// What the org has.
    pub versions: Option<Versions>,
    /// What the org has left.
    pub daily_requests: Option<DailyRequests>,
    /// What is wrong, or worth a word.
    pub findings: Vec<Finding>,
}

/// What is wrong with a connection, or worth a word.
#[derive(Debug)]
pub struct Finding {
    /// What it is about.
    pub part: Part,
    /// Whether jobs of the connection fail because of it.
    pub fails: bool,
    /// Its stable code, one of [`CODES`](super::CODES) or Salesforce's.
    pub code: String,
    /// What happened.
    pub message: String,
    /// The likely causes, the most likely first; perhaps none.
    pub causes: Vec<String>,
    /// What to do about it.
    pub next: String,
}

/// A part of the look at a connection, in the order of the looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Secrets, addresses and certificates: everything that needs no call.
    Configuration,
    /// Getting a token, and its use.
    Login,
    /// Who is logged in.
    User,
    /// The org itself.
    Org,
    /// The API version.
    ApiVersion,
    /// What is left of the org's calls.
    ApiRequests,
    /// This machine's clock.
    Clock,
}

/// What joins causes in the messages of logins.
const MOST_LIKELY: &str = "; most likely ";
const OR: &str = "; or ";

impl Finding {
    fn new(part: Part, error: &Error) -> Self {
        let message = error.to_string();
        let (message, causes) = match message.split_once(MOST_LIKELY) {
            Some((message, causes)) => (message.to_owned(), causes.split(OR).map(str::to_owned).collect()),
            None => (message, Vec::new()),
        };
        let next = next_step(error.advice());
        Self { part, fails: true, code: error.code().to_owned(), message, causes, next }
    }

    fn word(part: Part, code: &str, message: String, next: &str) -> Self {
        let (code, causes, next) = (code.to_owned(), Vec::new(), next.to_owned());
        Self { part, fails: false, code, message, causes, next }
    }
}

/// The advice of a code is written for an incident; here there is none.
fn next_step(advice: &str) -> String {
    advice
        .replace("Resolve the incident to try again", "Try again")
        .replace(", then resolve the incident", "")
}

impl Checkup {
    /// Whether jobs with this connection can work.
    pub fn is_well(&self) -> bool {
        !self.findings.iter().any(|finding| finding.fails)
    }

    fn found(&mut self, part: Part, error: Error, redactor: &Redactor) {
        let error = error.map_message(|message| redactor.text(&message).into_owned());
        // A login is only proven by its use: a bearer token is not looked at before.
        let part = match error.error_type() {
            ErrorType::Authentication => Part::Login,
            _ if error.code() == codes::UNSUPPORTED_API_VERSION.name => Part::ApiVersion,
            _ => part,
        };
        let finding = Finding::new(part, &error);
        if !self.findings.iter().any(|known| known.part == part && known.code == finding.code) {
            self.findings.push(finding);
        }
    }

    async fn look(&mut self, client: &SalesforceClient, limit: TimeLimit, secrets: &mut JobSecrets<'_>) {
        match client.log_in(limit).await {
            Ok(address) => self.address = Some(address),
            Err(error) => return self.found(Part::Login, error.into(), &secrets.redactor()),
        }
        secrets.learn(client.received_tokens());
        let redactor = &secrets.redactor();
        let (versions, user, organization, requests) = tokio::join!(
            client.versions(limit),
            client.user(limit),
            client.organization(limit),
            client.daily_requests(limit),
        );
        match versions {
            Ok(versions) => self.look_at_versions(versions),
            Err(error) => {
                let next = "Nothing, where calls work; else see whether something between answers instead of Salesforce.";
                self.word(Part::ApiVersion, &error.into(), redactor, next);
            }
        }
        let mut told = None;
        match organization {
            Ok((organization, left)) => {
                self.organization = Some(organization);
                told = left;
            }
            Err(error) => self.found(Part::Org, error.into(), redactor),
        }
        // What is not told is worth a word only where nothing worse is the reason.
        let is_well = self.is_well();
        match user {
            Ok(user) => self.user = Some(user),
            Err(error) if is_well => {
                let next = "Nothing, or add the scope \"Access the identity URL service\" to the app to see the user here.";
                self.word(Part::User, &error.into(), redactor, next);
            }
            Err(_) => {}
        }
        // Users without "View Setup and Configuration" may not ask, but every answer says it.
        match (requests, told) {
            (Ok(requests), _) | (Err(_), Some(requests)) => self.look_at_requests(requests),
            (Err(error), None) if is_well => {
                let next = "Nothing, or give the user the permission \"View Setup and Configuration\".";
                self.word(Part::ApiRequests, &error.into(), redactor, next);
            }
            (Err(_), None) => {}
        }
    }

    fn word(&mut self, part: Part, error: &Error, redactor: &Redactor, next: &str) {
        let message = redactor.text(&error.to_string()).into_owned();
        self.findings.push(Finding::word(part, error.code(), message, next));
    }

    fn look_at_versions(&mut self, versions: Versions) {
        if let Some(skew) = versions.told_skew() {
            let message = format!("this machine's clock is {skew}");
            let next = "Correct it (NTP): JWT logins fail from three minutes on.";
            self.findings.push(Finding::word(Part::Clock, codes::CLOCK_SKEW.name, message, next));
        }
        if !versions.versions.contains(&self.api_version) {
            let (name, wanted, told) = (&self.name, self.api_version, versions.told());
            let message = format!("the org does not have {wanted}; it has {told}");
            let error = Error::new(&codes::UNSUPPORTED_API_VERSION, message);
            let mut finding = Finding::new(Part::ApiVersion, &error);
            finding.next = format!("Set connections.{name}.api_version to one of these.");
            self.findings.push(finding);
        }
        self.versions = Some(versions);
    }

    fn look_at_requests(&mut self, requests: DailyRequests) {
        self.daily_requests = Some(requests);
        if requests.left > requests.most / FEW_LEFT {
            return;
        }
        let message =
            format!("only {} of {} API calls are left in these 24 hours", requests.left, requests.most);
        let next = "See who calls in Setup > API Usage, or raise the limit with Salesforce.";
        let mut finding = Finding::word(Part::ApiRequests, "REQUEST_LIMIT_EXCEEDED", message, next);
        finding.fails = requests.left == 0;
        self.findings.push(finding);
    }
}

impl Connections {
    /// Logs in to a configured connection and looks around there: some calls, all within this time and half a second.
    ///
    /// # Errors
    /// `UNKNOWN_CONNECTION`; everything else is a finding.
    pub async fn look_at(&self, name: &str, patience: Duration) -> Result<Checkup, Error> {
        let connection = self.named(name)?;
        let mut checkup = Checkup {
            name: name.to_owned(),
            authentication: connection.authentication.method().name(),
            api_version: connection.api_version,
            secrets_found: false,
            address: None,
            user: None,
            organization: None,
            versions: None,
            daily_requests: None,
            findings: Vec::new(),
        };
        // A call that is too slow by itself says so in better words than one that ran into the deadline of all.
        let deadline = Instant::now() + patience + Duration::from_millis(500);
        let limit = TimeLimit { request_timeout: patience, deadline };
        let mut secrets = self.own_secrets();
        let opened = self.named_client(name, None, &mut secrets).await;
        match opened {
            Ok(Opened { client, .. }) => {
                checkup.secrets_found = true;
                checkup.look(&client, limit, &mut secrets).await;
            }
            Err(error) => {
                checkup.secrets_found = error.code() != codes::SECRET_NOT_FOUND.name;
                checkup.found(Part::Configuration, error, &secrets.redactor());
            }
        }
        Ok(checkup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_a_login_are_told_one_by_one() {
        let message =
            "POST https://x/token: 400: invalid_grant; most likely the key is wrong; or the clock is";
        let finding = Finding::new(Part::Login, &Error::new(&codes::AUTHENTICATION_FAILED, message));
        assert_eq!(finding.message, "POST https://x/token: 400: invalid_grant");
        assert_eq!(finding.causes, ["the key is wrong", "the clock is"]);
        assert!(finding.next.ends_with("in Salesforce."), "{}", finding.next);
    }

    #[test]
    fn no_next_step_speaks_of_an_incident_that_is_not_there() {
        for code in codes::CODES {
            let may_be_found = matches!(
                code.error_type,
                ErrorType::Configuration | ErrorType::Authentication | ErrorType::Transient
            );
            let next = next_step(code.advice);
            assert!(!may_be_found || !next.contains("the incident"), "{}: {next}", code.name);
        }
    }
}
