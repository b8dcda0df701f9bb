//! HTTP by hand, so that no client's kindness hides anything.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends one request; `start` is method and path. Status and JSON body of the answer.
pub(crate) async fn send(address: SocketAddr, start: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!("{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}");
    let request = format!("{head}Content-Length: {length}\r\n\r\n{body}");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap())
}
