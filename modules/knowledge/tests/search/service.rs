//! A scripted service of embeddings, which misbehaves on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

pub(crate) const DIMENSIONS: usize = 4;

/// How the service behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Unavailable,
    Silent,
    WrongSize,
    Garbage,
}

struct Shared {
    mood: Mutex<Mood>,
    /// The credential of the last request.
    authorization: Mutex<Option<String>>,
}

pub(crate) struct Service {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Service {
    pub(crate) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { mood: Mutex::new(mood), authorization: Mutex::default() });
        let inside = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&inside);
                connections.spawn(async move { drop(serve(socket, &shared).await) });
            }
        });
        Self { url, shared, _tasks: tasks }
    }

    pub(crate) fn becomes(&self, mood: Mood) {
        *self.shared.mood.lock().unwrap() = mood;
    }

    pub(crate) fn authorization(&self) -> Option<String> {
        self.shared.authorization.lock().unwrap().clone()
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some((head, body)) = read(&mut socket).await? else { return Ok(()) };
    let field = head.lines().find_map(|line| line.strip_prefix("authorization: ")).map(str::to_owned);
    *shared.authorization.lock().unwrap() = field;
    let mood = *shared.mood.lock().unwrap();
    let (status, answer) = match mood {
        Mood::Silent => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            return Ok(());
        }
        Mood::Unavailable => ("503 Service Unavailable", "{}".to_owned()),
        Mood::Garbage => ("200 OK", "<html>".to_owned()),
        Mood::Well => ("200 OK", answer(&body, DIMENSIONS)),
        Mood::WrongSize => ("200 OK", answer(&body, DIMENSIONS + 1)),
    };
    let length = answer.len();
    let whole = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{answer}");
    socket.write_all(whole.as_bytes()).await
}

async fn read(socket: &mut TcpStream) -> std::io::Result<Option<(String, Value)>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = serde_json::from_slice(&bytes[end + 4..end + 4 + length]).unwrap_or_default();
                return Ok(Some((head, body)));
            }
        }
        match socket.read(&mut piece).await? {
            0 => return Ok(None),
            taken => bytes.extend_from_slice(&piece[..taken]),
        }
    }
}

/// The items backwards: their order is no promise.
fn answer(body: &Value, dimensions: usize) -> String {
    let texts = body["input"].as_array().cloned().unwrap_or_default();
    let item = |(index, text): (usize, &Value)| {
        let vector = vector(text.as_str().unwrap_or_default(), dimensions);
        json!({ "object": "embedding", "index": index, "embedding": vector })
    };
    let data: Vec<Value> = texts.iter().enumerate().map(item).rev().collect();
    json!({ "object": "list", "model": body["model"], "data": data }).to_string()
}

/// A direction for cars, one for cakes.
fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let about = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut vector = vec![0.1; dimensions];
    if about(&["automobile", "car "]) {
        vector[0] = 3.0;
    }
    if about(&["eggs", "cake"]) {
        vector[1] = 3.0;
    }
    vector
}
