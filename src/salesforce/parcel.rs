//! A request on its way out, and whether it can still be held back.
//!
//! A write that must not happen twice and got no answer may have been carried out, unless not one byte of its body was
//! handed to the connection: a server cannot carry out what it has not got. Only the body itself can tell.

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::content::{Content, Outflow};
use super::failure::{Failure, Kind};
use super::{AnswerForm, CallClass, Request};

/// The body is here.
const HERE: u8 = 0;
/// It was handed over, if not wholly.
const GONE: u8 = 1;
/// It is here, and stays here.
const WITHDRAWN: u8 = 2;

/// A request, perhaps with a seal on its body.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) request: reqwest::Request,
    pub(super) seal: Option<Seal>,
    /// What the answer is read as.
    pub(super) answer: AnswerForm,
}

impl Parcel {
    /// Adds what the request brings to what all have: its body, sealed where it must not be sent twice, and its headers.
    pub(super) fn pack(request: &Request, mut builder: reqwest::RequestBuilder) -> Result<Self, Failure> {
        let mut seal = None;
        if let Some(content) = content(request) {
            builder = builder.header(CONTENT_TYPE, &content.media_type);
            let is_safe = request.class != CallClass::UnsafeWrite;
            builder = match content.outflow() {
                // Nobody asks for the bytes of an empty body, so that its seal would say nothing.
                Outflow::Whole(pieces) if is_safe || pieces.iter().all(Bytes::is_empty) => {
                    builder.body(joined(pieces))
                }
                flow => {
                    let seal = seal.insert(Seal::default()).clone();
                    builder.body(reqwest::Body::wrap(Sealed { flow, seal }))
                }
            };
        }
        let mut http = builder.build()?;
        let free = request.free_headers.iter().map(|header| (header.name(), header.value()));
        let own = request.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in free.chain(own) {
            let invalid = || Failure::new(Kind::Unbuildable, format!("{name} cannot be sent as a header"));
            let header = name.parse::<HeaderName>().map_err(|_| invalid())?;
            // What the request brings replaces what is usual.
            http.headers_mut().insert(header, HeaderValue::from_str(value).map_err(|_| invalid())?);
        }
        Ok(Self { request: http, seal, answer: request.answer })
    }
}

/// One piece as it is, several as one.
fn joined(mut pieces: VecDeque<Bytes>) -> Bytes {
    match pieces.len() {
        0 | 1 => pieces.pop_front().unwrap_or_default(),
        _ => pieces.iter().flatten().copied().collect(),
    }
}

/// What is sent, and what it is.
fn content(request: &Request) -> Option<Content> {
    if request.content.is_some() {
        return request.content.clone();
    }
    let json = request.body.as_ref()?;
    if let Some(file) = &request.file {
        let (media_type, pieces) = file.body(json);
        return Some(Content::in_pieces(media_type, pieces));
    }
    Some(Content::whole("application/json; charset=utf-8", json.to_string()))
}

impl From<reqwest::Request> for Parcel {
    fn from(request: reqwest::Request) -> Self {
        Self { request, seal: None, answer: AnswerForm::Json }
    }
}

/// Knows whether a body was handed over.
#[derive(Clone, Debug, Default)]
pub(super) struct Seal(Arc<AtomicU8>);

impl Seal {
    /// Keeps the body here for good, whoever asks for it. `false`: it is gone.
    pub(super) fn withdraw(&self) -> bool {
        self.turn(WITHDRAWN)
    }

    fn turn(&self, to: u8) -> bool {
        let turned = self.0.compare_exchange(HERE, to, Ordering::AcqRel, Ordering::Acquire);
        turned.map_or_else(|is| is == to, |_| true)
    }
}

/// A body that breaks its seal when it is handed over. The HTTP client cannot copy it, so that it never sends it again on
/// its own account.
struct Sealed {
    flow: Outflow,
    seal: Seal,
}

/// Said to a connection that comes too late for a body.
#[derive(Debug)]
struct Withdrawn;

impl fmt::Display for Withdrawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request was given up before its body was sent")
    }
}

impl std::error::Error for Withdrawn {}

impl Body for Sealed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if !self.seal.turn(GONE) {
            return Poll::Ready(Some(Err(io::Error::other(Withdrawn))));
        }
        Pin::new(&mut self.flow).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.flow.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.flow.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn sealed() -> (Sealed, Seal) {
        let seal = Seal::default();
        let flow = Outflow::Whole(VecDeque::from([Bytes::from_static(b"{"), Bytes::from_static(b"}")]));
        (Sealed { flow, seal: seal.clone() }, seal)
    }

    fn frame(body: &mut Sealed) -> Option<io::Result<Bytes>> {
        match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())),
            Poll::Pending => panic!("it is here or not"),
        }
    }

    #[test]
    fn what_was_handed_over_cannot_be_withdrawn() {
        let (mut body, seal) = sealed();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(2), false));
        assert_eq!(frame(&mut body).unwrap().unwrap(), "{");
        assert!(!seal.withdraw(), "a part of it is gone");
        assert_eq!((body.size_hint().exact(), frame(&mut body).unwrap().unwrap()), (Some(1), "}".into()));
        assert!(!seal.withdraw() && frame(&mut body).is_none() && body.is_end_stream());
    }

    #[test]
    fn what_was_withdrawn_is_never_handed_over() {
        let (mut body, seal) = sealed();
        assert!(seal.withdraw() && seal.withdraw());
        assert!(frame(&mut body).unwrap().is_err());
    }
}
