//! `dev-org`: an org in memory, whose administrator's switches are flags.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::ValueEnum;
use salesforce_connector_dev::org::{BULK_BATCH, DevOrg, Grant, LoginPolicy, UserAccess};

use crate::shutdown;

/// How the org is set up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It knows one app (consumer key dev-client, secret dev-secret) and one user (dev@example.com, password
dev-password, security token dev-token, refresh token dev-refresh). Every flow works from the start, but
for JWT bearer, which needs the public key. What it prints at its start says how to use each of them.

A key pair for JWT bearer:
  openssl genrsa -out key.pem 2048
  openssl rsa -in key.pem -pubout -out public.pem
  salesforce-connector dev-org --jwt-public-key public.pem

Sessions end like a real org's: POST /services/oauth2/revoke with token=... ends a token at once.")]
pub(crate) struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// A JSON file with further objects, fields and records
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// A describe document of a real org (GET /sobjects/Account/describe), with which its object is described; several: the
    /// flag again
    #[arg(long, value_name = "FILE")]
    describe: Vec<PathBuf>,
    /// How long every answer takes, such as 50ms
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = latency)]
    latency: Duration,
    /// How long a bulk job waits in its queue, and then each 10,000 of its records take, such as 2s
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = latency)]
    bulk_step: Duration,
    /// Serve HTTPS: a PEM file with the certificate (chain) and its private key
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    #[command(flatten, next_help_heading = "How it treats logins")]
    login: Login,
}

#[derive(Debug, clap::Args)]
struct Login {
    /// A PEM file with the RSA public key or the certificate that JWTs are checked with; without it every JWT is refused
    #[arg(long, value_name = "FILE")]
    jwt_public_key: Option<PathBuf>,
    /// Refuse a flow, as an org where it is switched off; several: with commas, or the flag again
    #[arg(long, value_name = "FLOW", value_delimiter = ',')]
    refuse_grant: Vec<Flow>,
    /// What stands between the user and a token
    #[arg(long, value_name = "ACCESS", default_value = "granted")]
    user_access: Access,
    /// Let the app have no user to run as, so that client credentials are refused
    #[arg(long)]
    no_run_as_user: bool,
    /// Answer like login.salesforce.com, which does not serve client credentials
    #[arg(long)]
    shared_login_host: bool,
    /// Replace a refresh token with every use
    #[arg(long)]
    rotate_refresh_tokens: bool,
    /// Logins in any 60 minutes; above that they are refused. Salesforce: 3600 for each user
    #[arg(long, value_name = "COUNT", default_value_t = 3600)]
    logins_per_hour: usize,
    /// How long a session lives without being used, such as 15m
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = lifetime)]
    session_lifetime: Duration,
    /// How far the org's clock is ahead of this machine's, such as 2h; behind: --clock-skew=-2h
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = skew, allow_hyphen_values = true)]
    clock_skew: i64,
    /// What JWTs may name as their audience, instead of the org's address and Salesforce's login hosts
    #[arg(long, value_name = "AUDIENCE")]
    jwt_audience: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Flow {
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    Password,
    AuthorizationCode,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Access {
    /// Nothing
    Granted,
    /// The app was never approved for the user: JWTs are refused
    NotApproved,
    /// The user turns the app down in the browser
    Denied,
    /// An administrator has to approve the user for the app, and has not
    NotAdminApproved,
    /// The user is deactivated
    UserInactive,
    /// The org is locked
    OrgInactive,
}

impl From<Flow> for Grant {
    fn from(flow: Flow) -> Self {
        match flow {
            Flow::ClientCredentials => Self::ClientCredentials,
            Flow::JwtBearer => Self::JwtBearer,
            Flow::RefreshToken => Self::RefreshToken,
            Flow::Password => Self::Password,
            Flow::AuthorizationCode => Self::AuthorizationCode,
        }
    }
}

impl From<Access> for UserAccess {
    fn from(access: Access) -> Self {
        match access {
            Access::Granted => Self::Granted,
            Access::NotApproved => Self::NotApproved,
            Access::Denied => Self::Denied,
            Access::NotAdminApproved => Self::NotAdminApproved,
            Access::UserInactive => Self::UserInactive,
            Access::OrgInactive => Self::OrgInactive,
        }
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    super::super::duration(text)
}

/// Reads a duration as the configuration does, and none at all.
fn latency(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a duration such as 50ms, found {text:?}");
    let span = text.trim().parse::<jiff::SignedDuration>().map_err(|_| wrong())?;
    span.try_into().map_err(|_| wrong())
}

fn skew(text: &str) -> Result<i64, String> {
    let parsed = text.trim().parse::<jiff::SignedDuration>();
    parsed.map(|skew| skew.as_secs()).map_err(|_| "expected a duration such as \"2h\" or \"-90s\"".to_owned())
}

impl Login {
    fn apply(&self, policy: &mut LoginPolicy) {
        policy.refused_grants = self.refuse_grant.iter().map(|flow| Grant::from(*flow)).collect();
        policy.user_access = self.user_access.into();
        policy.run_as_user = !self.no_run_as_user;
        policy.my_domain = !self.shared_login_host;
        policy.rotate_refresh_tokens = self.rotate_refresh_tokens;
        policy.logins_per_hour = self.logins_per_hour;
        policy.session_timeout = self.session_lifetime;
        policy.clock_skew_seconds = self.clock_skew;
        policy.jwt_audiences.clone_from(&self.jwt_audience);
    }

    /// Whether a flow is refused, and why, for the greeting.
    fn state_of(&self, flow: Flow) -> &'static str {
        let grant = Grant::from(flow);
        match flow {
            _ if self.refuse_grant.iter().any(|refused| Grant::from(*refused) == grant) => "  (refused)",
            Flow::JwtBearer if self.jwt_public_key.is_none() => "  (refused: no --jwt-public-key)",
            _ => "",
        }
    }
}

/// Runs an org until a signal.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    super::log();
    let listen = arguments.listen;
    let builder = DevOrg::builder().listen(listen).latency(arguments.latency);
    let builder = builder.bulk_pace(arguments.bulk_step, BULK_BATCH);
    let mut builder = builder.login_policy(|policy| arguments.login.apply(policy));
    if let Some(path) = &arguments.tls {
        let pem = super::super::read_file(path)?;
        builder = builder.tls(pem.clone(), pem);
    }
    if let Some(path) = &arguments.seed {
        let seed = serde_json::from_str(&super::super::read_file(path)?)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        builder = builder.seed(seed);
    }
    for path in &arguments.describe {
        let document = serde_json::from_str(&super::super::read_file(path)?)
            .with_context(|| format!("{} is not JSON", path.display()))?;
        builder = builder.describe(document);
    }
    if let Some(path) = &arguments.login.jwt_public_key {
        builder = builder.jwt_public_key(super::super::read_file(path)?);
    }
    let org = builder.start().await.with_context(|| format!("cannot run an org on {listen}"))?;
    super::super::print(&greeting(&org.base_url(), arguments))?;
    shutdown::stop_on_signals()?.drain.cancelled().await;
    org.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The address, and the credentials of every flow as a connection's configuration names them.
fn greeting(url: &str, arguments: &Arguments) -> String {
    let flows = [
        (
            Flow::ClientCredentials,
            "oauth-client-credentials-flow",
            "client_id dev-client, client_secret dev-secret",
        ),
        (
            Flow::JwtBearer,
            "oauth-jwt-bearer-flow",
            "client_id dev-client, username dev@example.com, your private_key",
        ),
        (Flow::RefreshToken, "oauth-refresh-token-flow", "client_id dev-client, refresh_token dev-refresh"),
        (
            Flow::Password,
            "oauth-password-flow",
            "client_id dev-client, client_secret dev-secret, username dev@example.com, password dev-password, \
             security_token dev-token",
        ),
        (
            Flow::AuthorizationCode,
            "login in a browser",
            "client_id dev-client; approves at once (salesforce-connector login)",
        ),
    ];
    let mut text = format!(
        "DevOrg, a Salesforce org in memory, listens on {url}\n\
         \n\
         base URL        {url}\n\
         token endpoint  {url}/services/oauth2/token\n\
         user            dev@example.com\n\
         API versions    {url}/services/data\n\
         \n"
    );
    for (flow, name, credentials) in flows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<31}{credentials}{}", arguments.login.state_of(flow));
    }
    let more = if arguments.tls.is_some() {
        "and its certificate is trusted"
    } else {
        "and hosts.allow_http as well"
    };
    let _ = writeln!(
        text,
        "\nThe worker calls it only where hosts.allow_loopback is true, {more}. Ctrl-C ends it."
    );
    text
}
