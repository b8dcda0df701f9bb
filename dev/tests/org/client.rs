//! A bare HTTP/1.1 client: one connection a request, bytes in, bytes out.

use std::io;
use std::net::SocketAddr;

use salesforce_connector_dev::org::DevOrg;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The errorCode of the first error.
    pub(crate) fn code(&self) -> &str {
        self.body[0]["errorCode"].as_str().unwrap_or_default()
    }

    /// The message of the first error.
    pub(crate) fn message(&self) -> &str {
        self.body[0]["message"].as_str().unwrap_or_default()
    }
}

/// Sends one request and reads until the server closes.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.extend(["content-length: ", &body.len().to_string(), "\r\n\r\n", body]);
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    stream.read_to_end(&mut received).await?;
    let received = String::from_utf8(received).expect("replies are UTF-8");
    let incomplete = || io::Error::new(io::ErrorKind::UnexpectedEof, "closed before an answer");
    let (head, text) = received.split_once("\r\n\r\n").ok_or_else(incomplete)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
    Ok(Answer {
        status: status.ok_or_else(incomplete)?,
        headers: headers.collect(),
        body: serde_json::from_str(text).unwrap_or(Value::Null),
        text: text.to_owned(),
    })
}

/// A client with a token, and a version of the API.
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) version: &'static str,
}

impl Client {
    /// Logs in with the default credentials.
    pub(crate) async fn login(org: &DevOrg) -> Self {
        let answer =
            token(org, "grant_type=client_credentials&client_id=dev-client&client_secret=dev-secret").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.body["access_token"].as_str().expect("a token").to_owned();
        Self { address: org.address(), token, version: "v67.0" }
    }

    pub(crate) async fn try_send(
        &self,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
        body: &str,
    ) -> io::Result<Answer> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        headers.extend_from_slice(extra);
        let target = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/services/data/{}/{path}", self.version)
        };
        send(self.address, method, &target, &headers, body).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_send(method, path, &[], body).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "").await
    }

    /// Creates a record; answers its id.
    pub(crate) async fn create(&self, object: &str, fields: &Value) -> String {
        let answer = self.call("POST", &format!("sobjects/{object}"), &fields.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["id"].as_str().expect("an id").to_owned()
    }
}

/// Asks for a token with this form.
pub(crate) async fn token(org: &DevOrg, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    send(org.address(), "POST", "/services/oauth2/token", &headers, form).await.expect("an answer")
}

/// Sends several GET requests over one connection; answers their statuses.
pub(crate) async fn get_all_on_one_connection(client: &Client, paths: &[&str]) -> io::Result<Vec<u16>> {
    let mut stream = TcpStream::connect(client.address).await?;
    let mut statuses = Vec::new();
    for path in paths {
        let target = format!("/services/data/{}/{path}", client.version);
        let bearer = &client.token;
        let request = format!("GET {target} HTTP/1.1\r\nhost: org\r\nauthorization: Bearer {bearer}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        stream.read_exact(&mut body).await?;
        statuses.push(head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status"));
    }
    Ok(statuses)
}
