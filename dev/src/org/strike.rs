//! Faults, carried out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;

use super::dispatch::carry_out;
use super::faults::{Fault, Reply};
use super::server::Org;

/// Carries a fault out; `None` means that the connection is to be closed.
pub(super) async fn strike(org: Arc<Org>, fault: Fault, parts: Parts, body: Bytes) -> Option<Response> {
    let stopping = org.stopping.clone();
    let act = async {
        match fault {
            Fault::Respond(reply) => Some(scripted(reply)),
            Fault::RespondAfter(reply) => {
                carry_out(&org, &parts, &body);
                Some(scripted(reply))
            }
            Fault::Delay(time) => {
                tokio::time::sleep(time).await;
                Some(carry_out(&org, &parts, &body))
            }
            Fault::Hold(gate) => {
                gate.pass().await;
                Some(carry_out(&org, &parts, &body))
            }
            Fault::HoldAfter(gate) => {
                let answer = carry_out(&org, &parts, &body);
                gate.pass().await;
                Some(answer)
            }
            Fault::CloseBefore => None,
            Fault::CloseAfter => {
                carry_out(&org, &parts, &body);
                None
            }
            Fault::CutAnswer => Some(cut(carry_out(&org, &parts, &body)).await),
            Fault::Announce(length) => Some(announced(carry_out(&org, &parts, &body), length).await),
            Fault::Drip(pause) => Some(dripping(carry_out(&org, &parts, &body), pause).await),
        }
    };
    tokio::select! {
        answer = act => answer,
        () = stopping.cancelled() => None,
    }
}

fn scripted(reply: Reply) -> Response {
    let mut response = (reply.status, Body::from(reply.body)).into_response();
    *response.headers_mut() = reply.headers;
    response
}

/// Half the body and then an error, at which the server closes the connection.
async fn cut(answer: Response) -> Response {
    let (answer, body) = taken(answer).await;
    let length = body.len();
    let parts = [Ok(body.slice(..length / 2)), Err(io::Error::other("cut by a scripted fault"))];
    with(answer, Body::from_stream(stream::iter(parts)), length as u64)
}

async fn announced(answer: Response, length: u64) -> Response {
    let (answer, mut body) = taken(answer).await;
    let is_too_short = (body.len() as u64) < length;
    body.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    let mut parts = vec![Ok(body)];
    if is_too_short {
        parts.push(Err(io::Error::other("cut by a scripted fault")));
    }
    with(answer, Body::from_stream(stream::iter(parts)), length)
}

async fn dripping(answer: Response, pause: Duration) -> Response {
    let (answer, body) = taken(answer).await;
    let length = body.len() as u64;
    let bytes = stream::unfold(body, move |mut rest| async move {
        tokio::time::sleep(pause).await;
        (!rest.is_empty()).then(|| (Ok::<_, io::Error>(rest.split_to(1)), rest))
    });
    with(answer, Body::from_stream(bytes), length)
}

async fn taken(mut answer: Response) -> (Response, Bytes) {
    let body = std::mem::take(answer.body_mut());
    let body = to_bytes(body, usize::MAX).await.expect("an answer that was carried out is in memory");
    (answer, body)
}

fn with(mut answer: Response, body: Body, length: u64) -> Response {
    *answer.body_mut() = body;
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    answer
}
