//! The listening socket and its connections, which can all be cut at once.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tonic::transport::server::Connected;

/// Accepts connections and hands them to the gRPC server.
pub(super) struct Listener {
    address: SocketAddr,
    gate: Gate,
    up: Mutex<Option<Up>>,
}

/// What accepted connections go through; clones are the same.
#[derive(Clone)]
struct Gate {
    connections: mpsc::Sender<io::Result<Connection>>,
    accepted: Arc<AtomicUsize>,
    /// Resets the connections of today.
    reset: Arc<std::sync::Mutex<CancellationToken>>,
}

/// One period of being up: its end cuts its connections.
struct Up {
    cut: DropGuard,
    tracker: TaskTracker,
}

impl Listener {
    /// Listens; accepted connections come out of the second half.
    pub(super) async fn bind(
        address: SocketAddr,
    ) -> io::Result<(Self, mpsc::Receiver<io::Result<Connection>>)> {
        let socket = TcpListener::bind(address).await?;
        let (connections, receiver) = mpsc::channel(16);
        let address = socket.local_addr()?;
        let gate = Gate { connections, accepted: Arc::default(), reset: Arc::default() };
        let up = Mutex::new(Some(Up::start(socket, gate.clone())));
        Ok((Self { address, gate, up }, receiver))
    }

    /// How many connections were accepted so far.
    pub(super) fn accepted(&self) -> usize {
        self.gate.accepted.load(Ordering::SeqCst)
    }

    /// Breaks every connection with a TCP reset, and goes on listening.
    pub(super) fn reset(&self) {
        std::mem::take(&mut *self.gate.reset()).cancel();
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts every connection; returns when all are gone.
    pub(super) async fn down(&self) {
        if let Some(Up { cut, tracker }) = self.up.lock().await.take() {
            drop(cut);
            tracker.close();
            tracker.wait().await;
        }
    }

    /// Listens again on the same port; nothing happens if it does already.
    pub(super) async fn up(&self) -> io::Result<()> {
        let mut up = self.up.lock().await;
        if up.is_none() {
            let socket = TcpListener::bind(self.address).await?;
            *up = Some(Up::start(socket, self.gate.clone()));
        }
        Ok(())
    }
}

impl Gate {
    fn reset(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.reset.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Up {
    fn start(socket: TcpListener, gate: Gate) -> Self {
        let (cut, tracker) = (CancellationToken::new(), TaskTracker::new());
        let stopped = cut.clone().cancelled_owned();
        let accepting = accept(socket, gate, (cut.clone(), tracker.clone()));
        tracker.spawn(async move {
            tokio::select! {
                () = stopped => {}
                () = accepting => {}
            }
        });
        Self { cut: cut.drop_guard(), tracker }
    }
}

async fn accept(socket: TcpListener, gate: Gate, (cut, tracker): (CancellationToken, TaskTracker)) {
    loop {
        let tcp = match socket.accept().await {
            Ok((tcp, _)) => tcp,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        // Small messages that wait for an acknowledgement would make each test slow.
        let _ = tcp.set_nodelay(true);
        let cut = Box::pin(cut.clone().cancelled_owned());
        let reset = Box::pin(gate.reset().clone().cancelled_owned());
        gate.accepted.fetch_add(1, Ordering::SeqCst);
        let connection = Connection { tcp, cut, reset, _counted: tracker.token() };
        if gate.connections.send(Ok(connection)).await.is_err() {
            return;
        }
    }
}

/// A connection that breaks when the gateway goes down or resets it.
pub(super) struct Connection {
    tcp: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    reset: Pin<Box<WaitForCancellationFutureOwned>>,
    _counted: TaskTrackerToken,
}

impl Connection {
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.reset.as_mut().poll(cx).is_ready() {
            // Closing then sends RST instead of FIN.
            self.tcp.set_zero_linger()?;
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "the gateway resets the connection"));
        }
        match self.cut.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the gateway went down")),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.tcp).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
