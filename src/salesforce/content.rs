//! A body that is not JSON: bytes that are here, or a stream of them that is made while it is sent.

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// What makes a stream; an error in place of a piece ends the request.
pub type Pieces = mpsc::Receiver<io::Result<Bytes>>;

/// A body and its media type. Clones share a stream, which is sent at most once.
#[derive(Clone)]
pub struct Content {
    pub(super) media_type: String,
    source: Source,
}

#[derive(Clone)]
enum Source {
    Whole(VecDeque<Bytes>),
    Stream(Arc<Mutex<Option<Pieces>>>),
}

impl Content {
    /// A body that is here.
    pub fn whole(media_type: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self::in_pieces(media_type, [bytes.into()])
    }

    /// A body that is here in pieces.
    pub(super) fn in_pieces(media_type: impl Into<String>, pieces: impl IntoIterator<Item = Bytes>) -> Self {
        let source = Source::Whole(pieces.into_iter().collect());
        Self { media_type: media_type.into(), source }
    }

    /// A body of unknown length.
    pub fn stream(media_type: impl Into<String>, pieces: Pieces) -> Self {
        Self { media_type: media_type.into(), source: Source::Stream(Arc::new(Mutex::new(Some(pieces)))) }
    }

    /// Whether it is a stream that was sent.
    pub(super) fn is_spent(&self) -> bool {
        match &self.source {
            Source::Whole(_) => false,
            Source::Stream(pieces) => pieces.lock().unwrap_or_else(PoisonError::into_inner).is_none(),
        }
    }

    /// What is sent, once.
    pub(super) fn outflow(&self) -> Outflow {
        match &self.source {
            Source::Whole(pieces) => Outflow::Whole(pieces.clone()),
            Source::Stream(pieces) => Outflow::Waiting(Arc::clone(pieces)),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("media_type", &self.media_type).finish_non_exhaustive()
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.media_type == other.media_type
            && match (&self.source, &other.source) {
                (Source::Whole(own), Source::Whole(other)) => own == other,
                (Source::Stream(own), Source::Stream(other)) => Arc::ptr_eq(own, other),
                _ => false,
            }
    }
}

/// A body on its way.
pub(super) enum Outflow {
    Whole(VecDeque<Bytes>),
    /// Nobody has asked for it yet: another request may still send it.
    Waiting(Arc<Mutex<Option<Pieces>>>),
    Flowing(Option<Pieces>),
}

impl Body for Outflow {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Self::Waiting(pieces) = &*self {
            let pieces = pieces.lock().unwrap_or_else(PoisonError::into_inner).take();
            if pieces.is_none() {
                return Poll::Ready(Some(Err(io::Error::other("the stream was sent already"))));
            }
            *self = Self::Flowing(pieces);
        }
        match &mut *self {
            Self::Whole(pieces) => Poll::Ready(pieces.pop_front().map(|piece| Ok(Frame::data(piece)))),
            Self::Flowing(Some(pieces)) => {
                let piece = std::task::ready!(pieces.poll_recv(context));
                Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
            }
            Self::Flowing(None) | Self::Waiting(_) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(pieces) if pieces.is_empty())
    }

    /// With it the request has a `Content-Length`, as one with an ordinary body.
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(pieces) => SizeHint::with_exact(pieces.iter().map(|piece| piece.len() as u64).sum()),
            Self::Waiting(_) | Self::Flowing(_) => SizeHint::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn next(flow: &mut Outflow) -> Option<io::Result<Bytes>> {
        match Pin::new(flow).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.map(|frame| frame.into_data().unwrap())),
            Poll::Pending => panic!("it is here or over"),
        }
    }

    #[test]
    fn a_stream_is_sent_once_and_stays_until_it_is_asked_for() {
        let (sender, pieces) = mpsc::channel(2);
        let content = Content::stream("text/csv", pieces);
        sender.try_send(Ok(Bytes::from_static(b"a"))).unwrap();
        sender.try_send(Err(io::Error::other("cut"))).unwrap();
        drop(sender);
        drop(content.outflow());
        let mut flow = content.outflow();
        assert!(!content.is_spent());
        assert_eq!((next(&mut flow).unwrap().unwrap(), flow.size_hint().exact()), (Bytes::from("a"), None));
        assert!(content.is_spent());
        assert_eq!(next(&mut flow).unwrap().unwrap_err().to_string(), "cut");
        assert!(next(&mut flow).is_none());
        let again = next(&mut content.outflow()).unwrap().unwrap_err();
        assert_eq!(again.to_string(), "the stream was sent already");
    }

    #[test]
    fn what_is_here_has_a_length_and_can_be_sent_again() {
        let content = Content::whole("text/csv", "ab");
        for _ in 0..2 {
            let mut flow = content.outflow();
            assert_eq!((flow.size_hint().exact(), next(&mut flow).unwrap().unwrap()), (Some(2), "ab".into()));
            assert!(flow.is_end_stream() && next(&mut flow).is_none());
        }
    }
}
