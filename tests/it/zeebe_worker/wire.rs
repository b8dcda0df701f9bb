//! The wire between a worker and its gateway: HTTP/2 frames (RFC 9113, 4.1), counted, swallowed and forged.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
};

use salesforce_connector::zeebe::GatewayOptions;
use salesforce_connector_dev::gateway::DevGateway;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc::{Receiver, Sender, channel, error::TrySendError},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::address;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEAD: usize = 9;

const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;

const ACK: u8 = 0x1;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

const INITIAL_WINDOW_SIZE: u16 = 0x4;
const CANCEL: u32 = 0x8;
const ENHANCE_YOUR_CALM: u32 = 0xb;

/// `:status: 504`, as HPACK has it (RFC 7541): a literal whose name is the eighth of the static table.
const STATUS_504: &[u8] = b"\x08\x03504";

/// Frames that wait on a connection, each way.
const ROOM: usize = 256;

/// What the worker announces for its job streams: how their connection is told from the others.
const STREAM_WINDOW: u32 = 64 * 1024;

/// A proxy before a gateway.
pub(super) struct Wire {
    address: SocketAddr,
    lines: Arc<Mutex<Vec<Arc<Line>>>>,
    _stop: DropGuard,
}

/// One connection through it.
pub(super) struct Line {
    pings: AtomicUsize,
    window: AtomicU32,
    last_call: AtomicU32,
    is_dead: AtomicBool,
    to_worker: Sender<Vec<u8>>,
    to_gateway: Sender<Vec<u8>>,
}

/// A frame, with its head.
struct Frame(Vec<u8>);

impl Wire {
    pub(super) async fn before(gateway: &DevGateway) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, lines, stop) =
            (listener.local_addr().unwrap(), Arc::default(), CancellationToken::new());
        let serving = serve(listener, gateway.address(), Arc::clone(&lines), stop.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(serving));
        Self { address, lines, _stop: stop.drop_guard() }
    }

    pub(super) fn options(&self) -> GatewayOptions {
        address(format!("http://{}", self.address))
    }

    /// Every connection so far, in the order in which they were made.
    pub(super) fn lines(&self) -> Vec<Arc<Line>> {
        self.lines.lock().unwrap().clone()
    }

    /// The newest connection for job streams.
    pub(super) fn of_streams(&self) -> Arc<Line> {
        self.lines().into_iter().rfind(|line| line.is_for_streams()).unwrap()
    }

    /// The connections for commands and polls.
    pub(super) fn of_commands(&self) -> Vec<Arc<Line>> {
        self.lines().into_iter().filter(|line| !line.is_for_streams()).collect()
    }
}

impl Line {
    /// How many pings the worker has sent; its answers to those of the gateway do not count.
    pub(super) fn pings(&self) -> usize {
        self.pings.load(Ordering::SeqCst)
    }

    /// From now on nothing passes, in either direction, and nobody is told.
    pub(super) fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    /// What a gateway says that was pinged too often: of the calls on this connection, it has looked at those up to
    /// `last_call`. Then it hangs up.
    pub(super) fn enhance_your_calm(&self, last_call: u32) {
        let payload = [last_call.to_be_bytes(), ENHANCE_YOUR_CALM.to_be_bytes()].concat();
        forge(&self.to_worker, frame(GOAWAY, 0, 0, &payload));
        forge(&self.to_worker, Vec::new());
    }

    /// What a proxy does with a call that takes too long for it: says so in HTTP, without a word of gRPC, and gives
    /// the call up.
    pub(super) fn time_out_last_call(&self) {
        let call = self.last_call();
        forge(&self.to_worker, frame(HEADERS, END_STREAM | END_HEADERS, call, STATUS_504));
        forge(&self.to_gateway, frame(RST_STREAM, 0, call, &CANCEL.to_be_bytes()));
    }

    /// The number of the last call.
    pub(super) fn last_call(&self) -> u32 {
        self.last_call.load(Ordering::SeqCst)
    }

    fn is_for_streams(&self) -> bool {
        self.window.load(Ordering::SeqCst) == STREAM_WINDOW
    }

    /// Looks at a frame of the worker.
    fn note(&self, frame: &Frame) {
        match frame.kind() {
            PING if frame.flags() & ACK == 0 => {
                self.pings.fetch_add(1, Ordering::SeqCst);
            }
            HEADERS => self.last_call.store(frame.stream(), Ordering::SeqCst),
            SETTINGS => {
                if let Some(window) = frame.initial_window() {
                    self.window.store(window, Ordering::SeqCst);
                }
            }
            _ => {}
        }
    }

    async fn carry_up(&self, mut worker: OwnedReadHalf) {
        let mut preface = vec![0; PREFACE.len()];
        if worker.read_exact(&mut preface).await.is_err() {
            return;
        }
        assert_eq!(preface, PREFACE);
        forge(&self.to_gateway, preface);
        while let Some(frame) = Frame::read(&mut worker).await {
            self.note(&frame);
            self.carry(&self.to_gateway, frame).await;
        }
    }

    async fn carry_down(&self, mut gateway: OwnedReadHalf) {
        while let Some(frame) = Frame::read(&mut gateway).await {
            self.carry(&self.to_worker, frame).await;
        }
    }

    async fn carry(&self, to: &Sender<Vec<u8>>, frame: Frame) {
        if !self.is_dead.load(Ordering::SeqCst) {
            // The other end may be gone; then so is this connection, at once.
            let _ = to.send(frame.0).await;
        }
    }
}

impl Frame {
    async fn read(from: &mut OwnedReadHalf) -> Option<Self> {
        let mut bytes = vec![0; HEAD];
        from.read_exact(&mut bytes).await.ok()?;
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        bytes.resize(HEAD + usize::try_from(length).unwrap(), 0);
        from.read_exact(&mut bytes[HEAD..]).await.ok()?;
        Some(Self(bytes))
    }

    fn kind(&self) -> u8 {
        self.0[3]
    }

    fn flags(&self) -> u8 {
        self.0[4]
    }

    fn stream(&self) -> u32 {
        u32::from_be_bytes(self.0[5..HEAD].try_into().unwrap())
    }

    fn initial_window(&self) -> Option<u32> {
        let is_it = |setting: &&[u8]| setting[..2] == INITIAL_WINDOW_SIZE.to_be_bytes();
        let setting = self.0[HEAD..].chunks_exact(6).find(is_it)?;
        Some(u32::from_be_bytes(setting[2..].try_into().unwrap()))
    }
}

/// Adds bytes of our own. Where the connection is gone, so is whoever would miss them.
fn forge(to: &Sender<Vec<u8>>, bytes: Vec<u8>) {
    let full = matches!(to.try_send(bytes), Err(TrySendError::Full(_)));
    assert!(!full, "too many frames wait on this connection");
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

async fn serve(
    listener: TcpListener,
    gateway: SocketAddr,
    lines: Arc<Mutex<Vec<Arc<Line>>>>,
    stop: CancellationToken,
) {
    while let Ok((worker, _)) = listener.accept().await {
        let ((to_worker, for_worker), (to_gateway, for_gateway)) = (channel(ROOM), channel(ROOM));
        let line = Arc::new(Line {
            pings: AtomicUsize::default(),
            window: AtomicU32::default(),
            last_call: AtomicU32::default(),
            is_dead: AtomicBool::default(),
            to_worker,
            to_gateway,
        });
        lines.lock().unwrap().push(Arc::clone(&line));
        let connection = connect(line, (worker, for_worker), (gateway, for_gateway));
        tokio::spawn(stop.clone().run_until_cancelled_owned(connection));
    }
}

/// Carries both ways until either end hangs up.
async fn connect(
    line: Arc<Line>,
    (worker, for_worker): (TcpStream, Receiver<Vec<u8>>),
    (gateway, for_gateway): (SocketAddr, Receiver<Vec<u8>>),
) {
    let Ok(gateway) = TcpStream::connect(gateway).await else { return };
    for end in [&worker, &gateway] {
        end.set_nodelay(true).unwrap();
    }
    let ((from_worker, to_worker), (from_gateway, to_gateway)) = (worker.into_split(), gateway.into_split());
    tokio::select! {
        () = line.carry_up(from_worker) => {}
        () = line.carry_down(from_gateway) => {}
        () = write(for_worker, to_worker) => {}
        () = write(for_gateway, to_gateway) => {}
    }
}

/// Writes what it is given, up to an empty part.
async fn write(mut parts: Receiver<Vec<u8>>, mut to: OwnedWriteHalf) {
    while let Some(part) = parts.recv().await.filter(|part| !part.is_empty()) {
        if to.write_all(&part).await.is_err() {
            return;
        }
    }
}
