//! The listening socket and its connections, which can all be cut at once.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
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
    connections: mpsc::Sender<io::Result<Connection>>,
    up: Mutex<Option<Up>>,
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
        let up = Mutex::new(Some(Up::start(socket, connections.clone())));
        Ok((Self { address, connections, up }, receiver))
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
            *up = Some(Up::start(socket, self.connections.clone()));
        }
        Ok(())
    }
}

impl Up {
    fn start(socket: TcpListener, connections: mpsc::Sender<io::Result<Connection>>) -> Self {
        let (cut, tracker) = (CancellationToken::new(), TaskTracker::new());
        let stopped = cut.clone().cancelled_owned();
        let accepting = accept(socket, connections, (cut.clone(), tracker.clone()));
        tracker.spawn(async move {
            tokio::select! {
                () = stopped => {}
                () = accepting => {}
            }
        });
        Self { cut: cut.drop_guard(), tracker }
    }
}

async fn accept(
    socket: TcpListener,
    connections: mpsc::Sender<io::Result<Connection>>,
    (cut, tracker): (CancellationToken, TaskTracker),
) {
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
        let connection = Connection { tcp, cut, _counted: tracker.token() };
        if connections.send(Ok(connection)).await.is_err() {
            return;
        }
    }
}

/// A connection that breaks when the gateway goes down.
pub(super) struct Connection {
    tcp: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _counted: TaskTrackerToken,
}

impl Connection {
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
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
