//! The place on this machine that a browser is sent back to after a login (RFC 8252, section 7.3).

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// The path that the browser is sent to, as with the Salesforce CLI.
const PATH: &str = "/OauthRedirect";

/// How long a page waits for what to show, and how long the last page may take to be sent.
const PATIENCE: Duration = Duration::from_mins(1);
const LAST_PAGE: Duration = Duration::from_secs(1);

/// A server on loopback that only knows the callback. It ends when it is dropped.
#[derive(Debug)]
pub struct CallbackServer {
    port: u16,
    callbacks: mpsc::Receiver<Callback>,
    stop: CancellationToken,
    servers: Vec<JoinHandle<io::Result<()>>>,
}

/// One browser that was sent back, and waits for a page.
#[derive(Debug)]
pub struct Callback {
    /// The query, still encoded.
    pub query: String,
    page: oneshot::Sender<CallbackPage>,
}

/// What the browser shows.
#[derive(Debug)]
pub enum CallbackPage {
    /// Logged in; who and where, in words.
    LoggedIn(String),
    /// Not logged in; why.
    Refused(String),
}

impl CallbackServer {
    /// Listens on this port of 127.0.0.1, and of ::1 where the machine has it: browsers take `localhost` for either.
    /// Port 0 takes a free one.
    pub async fn start(port: u16) -> io::Result<Self> {
        let first = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = first.local_addr()?.port();
        let second = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await.ok();
        let (sender, callbacks) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let router = Router::new().route(PATH, get(answer)).with_state(sender);
        let serve = |listener| {
            let server = axum::serve(listener, router.clone());
            tokio::spawn(server.with_graceful_shutdown(stop.clone().cancelled_owned()).into_future())
        };
        let servers = [Some(first), second].into_iter().flatten().map(serve).collect();
        Ok(Self { port, callbacks, stop, servers })
    }

    /// The address that the app has to list.
    pub fn url(&self) -> String {
        format!("http://localhost:{}{PATH}", self.port)
    }

    /// The next browser that is sent back. May be dropped.
    pub async fn next(&mut self) -> Option<Callback> {
        self.callbacks.recv().await
    }

    /// Ends, once the last page is sent.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for server in self.servers.drain(..) {
            // A browser may hold a connection open that it never used.
            drop(timeout(LAST_PAGE, server).await);
        }
    }
}

impl Drop for CallbackServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Callback {
    /// Shows a page; a browser that has gone is no failure.
    pub fn show(self, page: CallbackPage) {
        drop(self.page.send(page));
    }
}

async fn answer(State(sender): State<mpsc::Sender<Callback>>, RawQuery(query): RawQuery) -> Response {
    let (page, shown) = oneshot::channel();
    let callback = Callback { query: query.unwrap_or_default(), page };
    if sender.try_send(callback).is_err() {
        return page_of(&CallbackPage::Refused("Another answer is being looked at.".to_owned()));
    }
    match timeout(PATIENCE, shown).await {
        Ok(Ok(page)) => page_of(&page),
        _ => page_of(&CallbackPage::Refused("The command has ended; see its terminal.".to_owned())),
    }
}

fn page_of(page: &CallbackPage) -> Response {
    let (status, title, text) = match page {
        CallbackPage::LoggedIn(text) => (StatusCode::OK, "Logged in", text),
        CallbackPage::Refused(text) => (StatusCode::BAD_REQUEST, "Not logged in", text),
    };
    let text = escaped(text);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · salesforce-connector</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>body{{font:1rem/1.5 system-ui,sans-serif;\
         color-scheme:light dark;max-width:36rem;margin:15vh auto;padding:0 1rem}}</style></head>\
         <body><h1>{title}</h1><p>{text}</p><p>You can close this page; the terminal says more.</p></body></html>\n"
    );
    // The address holds the code: it must not travel on, nor be kept.
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::CONNECTION, "close"),
    ];
    (status, headers, Html(html)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_org_says_is_text_and_no_markup() {
        assert_eq!(escaped("<b a=\"x\">&"), "&lt;b a=&quot;x&quot;&gt;&amp;");
    }
}
