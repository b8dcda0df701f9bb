//! StreamActivatedJobs: jobs leave at the moment they become activatable, past the backlog.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_stream::Stream;
use tonic::Status;

use super::faults::GatewayFaults;
use super::hub::Hub;
use super::proto::ActivatedJob;
use super::state::{Activation, Broker};
use super::subscription::Subscription;

/// The open streams by job type.
pub(super) struct Streams {
    by_type: HashMap<String, Vec<OpenStream>>,
    /// Open for the client, forgotten by the gateway.
    muted: Vec<OpenStream>,
    next_id: u64,
    random: fastrand::Rng,
    buffer: usize,
}

struct OpenStream {
    id: u64,
    wanted: Arc<Subscription>,
    jobs: mpsc::Sender<Activation>,
    end: oneshot::Sender<Status>,
}

impl Streams {
    pub(super) fn new(seed: u64, buffer: usize) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { by_type: HashMap::new(), muted: Vec::new(), next_id: 0, random, buffer }
    }

    /// Gives the job to a random stream that wants it and has room. `false`: it stays where it is.
    pub(super) fn push(&mut self, broker: &mut Broker, key: i64, world: (&GatewayFaults, Instant)) -> bool {
        let (faults, now) = world;
        let Some(job) = broker.jobs.get(&key) else { return false };
        let Some(open) = self.by_type.get(&job.record.job_type) else { return false };
        let leased = job.record.lease.is_some();
        let mut fitting: Vec<_> =
            open.iter().filter(|stream| stream.wanted.accepts(&job.record.tenant, leased)).collect();
        self.random.shuffle(&mut fitting);
        for stream in &fitting {
            let Ok(room) = stream.jobs.try_reserve() else { continue };
            let Some(activation) = broker.activate_for_push(key, &stream.wanted, now) else { return false };
            let copy = faults.take_duplicate().then(|| activation.copy());
            room.send(activation);
            if let Some(copy) = copy {
                // A full stream swallows the copy: the fault is then not one.
                let _ = stream.jobs.try_send(copy);
            }
            return true;
        }
        broker.account.yielded += usize::from(!fitting.is_empty());
        false
    }

    fn open(&mut self, wanted: Arc<Subscription>) -> (u64, Ends) {
        self.next_id += 1;
        let id = self.next_id;
        let (jobs, receiver) = mpsc::channel(self.buffer);
        let (end, ended) = oneshot::channel();
        let job_type = wanted.job_type.clone();
        self.by_type.entry(job_type).or_default().push(OpenStream { id, wanted, jobs, end });
        (id, (receiver, ended))
    }

    /// Forgets a stream; whether it was one that got jobs.
    fn close(&mut self, id: u64, job_type: &str) -> bool {
        self.muted.retain(|stream| stream.id != id);
        let Some(open) = self.by_type.get_mut(job_type) else { return false };
        let before = open.len();
        open.retain(|stream| stream.id != id);
        let found = open.len() < before;
        if open.is_empty() {
            self.by_type.remove(job_type);
        }
        found
    }

    /// Ends every stream with this status.
    pub(super) fn close_all(&mut self, broker: &mut Broker, status: &Status) {
        broker.account.open_streams = 0;
        for stream in self.by_type.drain().flat_map(|(_, open)| open).chain(self.muted.drain(..)) {
            // The client may have gone by itself.
            let _ = stream.end.send(status.clone());
        }
    }

    /// Leaves every stream open and sends nothing on it any more.
    pub(super) fn mute_all(&mut self, broker: &mut Broker) {
        broker.account.open_streams = 0;
        self.muted.extend(self.by_type.drain().flat_map(|(_, open)| open));
    }
}

type Ends = (mpsc::Receiver<Activation>, oneshot::Receiver<Status>);

/// One open stream, seen from the call that serves it. Dropping it gives back what was not sent.
pub(super) struct JobStream {
    hub: Arc<Hub>,
    id: u64,
    job_type: String,
    /// Taken from the channel before there was a response to put it in.
    first: Option<Activation>,
    jobs: mpsc::Receiver<Activation>,
    ended: Option<oneshot::Receiver<Status>>,
}

impl JobStream {
    pub(super) fn open(hub: Arc<Hub>, wanted: Subscription) -> Self {
        let job_type = wanted.job_type.clone();
        let (id, (jobs, ended)) = hub.apply(|inner, _| {
            inner.broker.account.streams_opened += 1;
            inner.broker.account.open_streams += 1;
            inner.streams.open(Arc::new(wanted))
        });
        Self { hub, id, job_type, first: None, jobs, ended: Some(ended) }
    }

    /// Waits for the first job, as the real gateway does before it sends headers.
    pub(super) async fn first(mut self) -> Result<Self, Status> {
        match std::future::poll_fn(|cx| self.poll_job(cx)).await {
            Some(Err(status)) => return Err(status),
            Some(Ok(first)) => self.first = Some(first),
            None => {}
        }
        Ok(self)
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Activation, Status>>> {
        if let Some(ended) = &mut self.ended
            && let Poll::Ready(end) = Pin::new(ended).poll(cx)
        {
            self.ended = None;
            self.jobs.close();
            return Poll::Ready(end.ok().map(Err));
        }
        Poll::Ready(ready!(self.jobs.poll_recv(cx)).map(Ok))
    }
}

impl Stream for JobStream {
    type Item = Result<ActivatedJob, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match self.first.take() {
            Some(first) => Some(Ok(first)),
            None if self.ended.is_none() => None,
            None => ready!(self.poll_job(cx)),
        };
        Poll::Ready(next.map(|job| job.map(|activation| activation.message)))
    }
}

impl Drop for JobStream {
    fn drop(&mut self) {
        let Self { hub, id, job_type, first, jobs, .. } = self;
        hub.apply(|inner, now| {
            // Nobody can send once the stream is forgotten, so what is drained here is all there is.
            if inner.streams.close(*id, job_type) {
                inner.broker.account.open_streams -= 1;
            }
            let unsent = first.take().into_iter().chain(std::iter::from_fn(|| jobs.try_recv().ok()));
            inner.give_back(unsent, now);
        });
    }
}

impl Activation {
    /// The same message once more, which nobody may give back.
    pub(super) fn copy(&self) -> Self {
        Self { message: self.message.clone(), number: None }
    }
}
