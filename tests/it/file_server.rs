//! A server of files that says exactly what a test wants, and then closes the connection.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Gives every request the same bytes.
pub(crate) struct FileServer {
    /// The address of its file, with a signature.
    pub(crate) url: String,
    /// The head of the last request.
    pub(crate) asked: Arc<Mutex<String>>,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl FileServer {
    pub(crate) async fn start(answer: impl Into<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/accounts.csv?signature=s3cret", listener.local_addr().unwrap());
        let (asked, requests) = (Arc::<Mutex<String>>::default(), Arc::<AtomicUsize>::default());
        let (told, counted, answer) = (Arc::clone(&asked), Arc::clone(&requests), Arc::new(answer.into()));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(connection, Arc::clone(&answer), Arc::clone(&told)));
            }
        });
        Self { url, asked, requests }
    }

    /// One with a file of this text.
    pub(crate) async fn of(text: &str) -> Self {
        Self::start(with_length(text, text.len())).await
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

async fn serve(mut connection: TcpStream, answer: Arc<Vec<u8>>, asked: Arc<Mutex<String>>) {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read(&mut piece).await {
            Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
            _ => return,
        }
    }
    *asked.lock().unwrap() = String::from_utf8_lossy(&head).to_lowercase();
    // Who was told enough hangs up.
    let _ = connection.write_all(&answer).await;
    let _ = connection.shutdown().await;
}

/// An answer that promises so many bytes.
pub(crate) fn with_length(text: &str, length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\n\r\n{text}")
}

/// An answer in chunks, which is over where the text ends or breaks off there.
pub(crate) fn in_chunks(text: &str, is_over: bool) -> String {
    let end = if is_over { "0\r\n\r\n" } else { "" };
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{text}\r\n{end}", text.len())
}
