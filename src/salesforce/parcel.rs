//! A request on its way out, and whether it can still be held back.
//!
//! A write that must not happen twice and got no answer may have been carried out, unless not one byte of its body was
//! handed to the connection: a server cannot carry out what it has not got. Only the body itself can tell.

use std::{
    collections::VecDeque,
    fmt,
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
        if let Some((kind, content)) = body(request) {
            builder = builder.header(CONTENT_TYPE, kind);
            // Nobody asks for the bytes of an empty body, so that its seal would say nothing.
            let is_sealed =
                request.class == CallClass::UnsafeWrite && content.iter().any(|piece| !piece.is_empty());
            builder = if is_sealed {
                let seal = seal.insert(Seal::default()).clone();
                builder.body(reqwest::Body::wrap(Sealed { content, seal }))
            } else {
                builder.body(joined(content))
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

/// What is sent, in pieces, and what it is.
fn body(request: &Request) -> Option<(String, VecDeque<Bytes>)> {
    if let Some(content) = &request.content {
        return Some((content.kind.clone(), VecDeque::from([content.bytes.clone()])));
    }
    let json = request.body.as_ref()?;
    if let Some(file) = &request.file {
        let (kind, pieces) = file.body(json);
        return Some((kind, pieces.into()));
    }
    Some(("application/json; charset=utf-8".to_owned(), VecDeque::from([json.to_string().into()])))
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
    content: VecDeque<Bytes>,
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
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        if !self.seal.turn(GONE) {
            return Poll::Ready(Some(Err(Withdrawn)));
        }
        Poll::Ready(self.content.pop_front().map(|content| Ok(Frame::data(content))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_empty()
    }

    /// With it the request has a `Content-Length`, as one with an ordinary body.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.iter().map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn sealed() -> (Sealed, Seal) {
        let seal = Seal::default();
        let content = VecDeque::from([Bytes::from_static(b"{"), Bytes::from_static(b"}")]);
        (Sealed { content, seal: seal.clone() }, seal)
    }

    fn frame(body: &mut Sealed) -> Option<Result<Bytes, Withdrawn>> {
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
