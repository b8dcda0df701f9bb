//! What HTTP/2 says of requests that a server has not begun.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::super::{ApiVersion, Credentials, Error, Network, Response};
use super::server::{create, patient, transport};
use super::tls::{Authority, Front};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags], &stream.to_be_bytes()[..], payload].concat()
}

/// `:status: 200`, the eighth of HPACK's static table, without a body.
fn well(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0x5, stream, &[0x88])
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// No stream was processed.
fn go_away(code: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[0_u32.to_be_bytes(), code.to_be_bytes()].concat())
}

/// Answers the first request with these frames, and the others well. Counts the requests.
async fn server(first: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, first, requests) =
        (listener.local_addr().unwrap(), Arc::new(first), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (first, counted) = (Arc::clone(&first), Arc::clone(&counted));
            tokio::spawn(async move { serve(stream, &*first, &counted).await });
        }
    });
    (address, requests)
}

async fn serve(mut stream: TcpStream, first: &impl Fn(u32) -> Vec<u8>, requests: &AtomicUsize) -> Option<()> {
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await.ok()?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.ok()?;
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let answer = match (head[3], head[4]) {
            (HEADERS, _) if requests.fetch_add(1, Ordering::SeqCst) == 0 => first(id),
            (HEADERS, _) => well(id),
            (SETTINGS, 0) => frame(SETTINGS, 1, 0, &[]),
            _ => continue,
        };
        stream.write_all(&answer).await.ok()?;
    }
}

/// Sends a create to a server that answers the first request so; with how many requests there were.
async fn outcome(first: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static) -> (Result<Response, Error>, usize) {
    let (address, requests) = server(first).await;
    let authority = Authority::new();
    let front = Front::start_http2(address, &authority, "localhost").await;
    let network = Network { ca_certificate: Some(authority.file()), ..Network::default() };
    let (transport, credentials) =
        (transport().over(&network).unwrap(), Credentials::Bearer { token: "given".into() });
    let client = transport.client(&front.url(), ApiVersion::DEFAULT, credentials).unwrap();
    let result = client.send(&create(), patient()).await;
    (result, requests.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_create_whose_stream_is_refused_was_not_begun_and_is_sent_again() {
    let (result, requests) = outcome(|stream| reset(stream, 7)).await;
    assert_eq!((result.unwrap().status, requests), (200, 2));
}

#[tokio::test]
async fn a_create_beyond_the_last_stream_of_a_graceful_end_is_sent_again() {
    let (result, requests) = outcome(|_| go_away(0)).await;
    assert_eq!((result.unwrap().status, requests), (200, 2));
}

#[tokio::test]
async fn a_create_whose_stream_ends_for_any_other_reason_has_an_unknown_outcome() {
    // INTERNAL_ERROR, CANCEL, ENHANCE_YOUR_CALM; the last word of a connection that ends with an error.
    let words: [fn(u32) -> Vec<u8>; 4] =
        [|id| reset(id, 2), |id| reset(id, 8), |id| reset(id, 11), |_| go_away(2)];
    for first in words {
        let (result, requests) = outcome(first).await;
        assert_eq!((result.unwrap_err().code(), requests), ("OUTCOME_UNKNOWN", 1));
    }
}
