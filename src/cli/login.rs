//! `login`: a refresh token for a connection, by one login in a browser.

use std::{
    io::{BufRead as _, Write as _},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{
    config::Config,
    connector::{BrowserLogin, Connections},
    metrics::Metrics,
    salesforce::{AuthorizedLogin, CallbackPage, CallbackServer, Obtained, STATE_MISMATCH, TimeLimit},
};

/// How long one call may take, once the browser has answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// For which connection, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The connection must have the type oauth-refresh-token-flow, and state_file says where the token is kept; refresh_token
may then be left out. The app in Salesforce must list exactly the callback URL that is printed
(http://localhost:1717/OauthRedirect), and have the scopes api and refresh_token.

No browser on this machine? Either forward the port from yours (ssh -L 1717:localhost:1717 THIS-MACHINE), or open the
address anywhere, log in, and paste the address that the browser cannot open back into this terminal.

A worker that runs already takes the new token at its next login.")]
pub(super) struct Arguments {
    /// The connection to log in for
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// The port that the browser is sent back to; port 0 takes a free one, which the app has to list
    #[arg(long, value_name = "PORT", default_value_t = 1717)]
    port: u16,
    /// How long to wait for the browser
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = super::duration)]
    timeout: Duration,
    /// Print the refresh token to standard output, to store it elsewhere; it is not written to a file then
    #[arg(long)]
    print: bool,
}

/// Logs in and keeps the refresh token.
pub(super) async fn log_in(config: Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let name = arguments.connection.as_str();
    let connections = Connections::new(&config.connector, Arc::new(Metrics::new()))?;
    if !connections.names().any(|known| known == name) {
        let known: Vec<_> = connections.names().collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        bail!("there is no connection {name:?} in the configuration; there is: {known}");
    }
    let server = CallbackServer::start(arguments.port).await.map_err(|error| {
        anyhow!(
            "cannot listen on port {}: {error}; another --port has to be listed in the app",
            arguments.port
        )
    })?;
    let login = connections.browser_login(name, &server.url()).await?;
    let state_file = place(&login, name, arguments.print)?;
    tell(&invitation(&login, &server.url(), arguments))?;
    let obtained = obtain(&login, server, arguments.timeout).await?;
    if arguments.print {
        super::print(&format!("{}\n", obtained.refresh_token()))?;
        tell(
            "The refresh token is on standard output. Store it where the connection's refresh_token refers to.\n",
        )?;
    } else if let Some(path) = state_file {
        obtained.keep(path).with_context(|| format!("cannot write {}", path.display()))?;
        tell(&format!("The refresh token is kept in {}.\n", path.display()))?;
    }
    tell(&format!("See whether it works: salesforce-connector check --connection {name}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Where the token will go; said before anybody has logged in for nothing.
fn place<'a>(login: &'a BrowserLogin, name: &str, print: bool) -> anyhow::Result<Option<&'a Path>> {
    if print {
        return Ok(None);
    }
    let key = format!("connections.{name}.authentication.state_file");
    let Some(path) = login.state_file.as_deref() else {
        bail!("{key} is not set, so that the token has no place: set it to a file, or use --print");
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.is_dir() || !folder.is_dir() {
        bail!("{key} is {}: expected a file in a directory that exists", path.display());
    }
    Ok(Some(path))
}

fn invitation(login: &BrowserLogin, callback: &str, arguments: &Arguments) -> String {
    let Arguments { timeout, connection, .. } = arguments;
    let port = callback.rsplit(':').next().and_then(|rest| rest.split('/').next()).unwrap_or_default();
    format!(
        "Open this address in a browser, and log in as the user that the connection {connection} shall work as:\n\
         \n\
         {url}\n\
         \n\
         The app must list the callback URL {callback}; where it does not, Salesforce says redirect_uri_mismatch.\n\
         Browser elsewhere: ssh -L {port}:localhost:{port} to this machine, or paste the address here that the browser\n\
         was sent to in the end. Waiting for {timeout:?}.\n",
        url = login.authorization.url(),
    )
}

/// Waits for the browser or for a pasted address, and exchanges the code.
async fn obtain(
    login: &BrowserLogin,
    mut server: CallbackServer,
    patience: Duration,
) -> anyhow::Result<Obtained> {
    let (deadline, mut pasted) = (Instant::now() + patience, pasted_lines());
    loop {
        let (query, callback) = tokio::select! {
            next = timeout_at(deadline, server.next()) => match next {
                Ok(Some(callback)) => (callback.query.clone(), Some(callback)),
                _ => bail!(
                    "nobody logged in within {patience:?}; where Salesforce showed an error page: is {} listed in the \
                     app as it is here, and does the app know the user?",
                    server.url()
                ),
            },
            Some(line) = pasted.recv() => (query_of(&line), None),
        };
        let show = |page| {
            if let Some(callback) = callback {
                callback.show(page);
            }
        };
        match login.authorization.answered(&query) {
            Err(error) if error.code() == STATE_MISMATCH => {
                tell(&format!("{error}; still waiting\n"))?;
                show(CallbackPage::Refused(error.to_string()));
            }
            answered => {
                let result = finish(login, answered).await;
                show(match &result {
                    Ok((_, who)) => CallbackPage::LoggedIn(who.clone()),
                    Err(error) => CallbackPage::Refused(error.to_string()),
                });
                server.stop().await;
                let (obtained, who) = result?;
                tell(&format!("{who}\n"))?;
                return Ok(obtained);
            }
        }
    }
}

/// The token, and who logged in where, in words.
async fn finish(
    login: &BrowserLogin,
    answered: Result<AuthorizedLogin, crate::salesforce::Error>,
) -> anyhow::Result<(Obtained, String)> {
    let obtained = login.authorization.exchange(answered?, PATIENCE).await?;
    let client = obtained.client(login.api_version)?;
    let limit = TimeLimit { request_timeout: PATIENCE, deadline: Instant::now() + PATIENCE };
    let who = match client.user(limit).await {
        Ok(user) => {
            format!("Logged in as {}, {}, in the org {}.", user.username, user.id, user.organization_id)
        }
        // The token is good all the same: apps without the scope id are not told.
        Err(_) => "Logged in.".to_owned(),
    };
    Ok((obtained, who))
}

/// Lines of standard input; none where it is closed. The thread ends with the program.
fn pasted_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if !line.trim().is_empty() && sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The query of a pasted address, or what was pasted where it is a query alone.
fn query_of(line: &str) -> String {
    let line = line.trim();
    line.split_once('?').map_or(line, |(_, query)| query).split('#').next().unwrap_or_default().to_owned()
}

/// To standard error: standard output is for the token.
fn tell(text: &str) -> anyhow::Result<()> {
    Ok(std::io::stderr().lock().write_all(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_pasted_whole_or_in_part() {
        for line in [
            "http://localhost:1717/OauthRedirect?code=a%3D&state=b",
            "  http://localhost:1717/OauthRedirect?code=a%3D&state=b#x\r",
            "code=a%3D&state=b",
        ] {
            assert_eq!(query_of(line), "code=a%3D&state=b", "{line}");
        }
    }
}
