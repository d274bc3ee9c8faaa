//! A scripted provider: a server that misbehaves on purpose, by the first part of the path.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";

pub(super) struct Shared {
    calls: Mutex<HashMap<String, Vec<Value>>>,
    /// Tokens that the scenario `gated` may send.
    pub(super) gate: Semaphore,
    /// Told when a client of `gated` or `stall` left.
    pub(super) left: Notify,
}

/// The running server.
pub(super) struct Script {
    address: SocketAddr,
    pub(super) shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

impl Script {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { calls: Mutex::default(), gate: Semaphore::new(0), left: Notify::new() });
        let mut tasks = JoinSet::new();
        let inside = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let shared = Arc::clone(&inside);
                connections.spawn(async move { drop(serve(socket, &shared).await) });
            }
        });
        Self { address, shared, _tasks: tasks }
    }

    pub(super) fn url(&self, scenario: &str) -> String {
        format!("http://{}/{scenario}", self.address)
    }

    /// The bodies that a scenario was asked with.
    pub(super) fn calls(&self, scenario: &str) -> Vec<Value> {
        self.shared.calls.lock().unwrap().get(scenario).cloned().unwrap_or_default()
    }
}

async fn read(socket: &mut TcpStream) -> Option<(String, Value)> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            if bytes.len() >= end + 4 + length.trim().parse::<usize>().ok()? {
                let path = head.split_whitespace().nth(1)?.split('/').nth(1)?.to_owned();
                return Some((path, serde_json::from_slice(&bytes[end + 4..]).unwrap_or_default()));
            }
        }
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

fn token(text: &str) -> String {
    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] }))
}

fn end() -> String {
    let stop = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": "stop" }] });
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18 } });
    format!("data: {stop}\n\ndata: {usage}\n\ndata: [DONE]\n\n")
}

fn plain(status: &str, extra: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn tokens(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| token(&format!("t{number} ")))
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let Some((scenario, body)) = read(&mut socket).await else { return Ok(()) };
    let before = {
        let mut calls = shared.calls.lock().unwrap();
        let calls = calls.entry(scenario.clone()).or_default();
        calls.push(body.clone());
        calls.len() - 1
    };
    if scenario == "gated" {
        return gated(socket, shared).await;
    }
    if body["stream"] == false || body.get("stream").is_none() {
        return whole(socket, &scenario).await;
    }
    let answer = match scenario.as_str() {
        "cites" => format!("{HEAD}{}{}{}", token("It is so [1], surely [2]."), token(" Not [9]."), end()),
        "half" => format!("{HEAD}{}data: {{\"choices\":[{{\"del", token("begun ")),
        "half_first" => format!("{HEAD}data: {{\"choices\":[{{\"del"),
        "garbage" => format!("{HEAD}: hi\n\nevent: x\ndata: {{nope\n\nid: 7\n\ndata: 7\n\n{}{}", token("fine"), end()),
        "only_garbage" => format!("{HEAD}{}", "data: {nope\n\n".repeat(100)),
        "crlf" => format!("{HEAD}{}{}", token("ünï "), end()).replace("\n\n", "\r\n\r\n").replace("\r\r", "\r"),
        "failing" => plain("500 Internal Server Error", "", "oops"),
        "limited" if before == 0 => plain("429 Too Many Requests", "retry-after: 0\r\n", "{}"),
        "limited" => format!("{HEAD}{}{}", token("later"), end()),
        "limited_long" => plain("429 Too Many Requests", "retry-after: 3600\r\n", "{}"),
        "refusing" => plain("401 Unauthorized", "", "{\"error\":{\"message\":\"wrong key\"}}"),
        "redirecting" => plain("302 Found", "location: http://169.254.169.254/\r\n", ""),
        "nothing" => String::new(),
        "empty" => format!("{HEAD}data: [DONE]\n\n"),
        "error" => format!("{HEAD}{}data: {{\"error\":{{\"message\":\"overloaded\"}}}}\n\n", token("so ")),
        "cut" => format!("{HEAD}{}", token("so ")),
        _ => format!("{HEAD}{}{}", tokens(20).collect::<String>(), end()),
    };
    match scenario.as_str() {
        "hang" => return wait_for_leaving(&mut socket, shared).await,
        "stall" => {
            socket.write_all(format!("{HEAD}{}", token("one ")).as_bytes()).await?;
            return wait_for_leaving(&mut socket, shared).await;
        }
        "binary" => {
            socket.write_all(HEAD.as_bytes()).await?;
            socket.write_all(b"data: \xff\xfe\xfd\n\n").await?;
        }
        "huge" => {
            socket.write_all(format!("{HEAD}{}data: ", token("one ")).as_bytes()).await?;
            let piece = vec![b'a'; 64 * 1024];
            for _ in 0..64 {
                socket.write_all(&piece).await?;
            }
        }
        "crlf" => {
            // Byte by byte: every event, line end and character comes in pieces.
            for byte in answer.as_bytes() {
                socket.write_all(&[*byte]).await?;
                socket.flush().await?;
            }
        }
        _ => socket.write_all(answer.as_bytes()).await?,
    }
    socket.shutdown().await
}

async fn whole(mut socket: TcpStream, scenario: &str) -> std::io::Result<()> {
    let message = json!({ "role": "assistant", "content": "Whole, as said in [1]." });
    let body = json!({
        "id": "x", "object": "chat.completion", "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3 },
    });
    let answer = if scenario == "failing" {
        plain("500 Internal Server Error", "", "oops")
    } else {
        plain("200 OK", "content-type: application/json\r\n", &body.to_string())
    };
    socket.write_all(answer.as_bytes()).await?;
    socket.shutdown().await
}

/// A token for each permit of the gate; the end when the gate is closed.
async fn gated(mut socket: TcpStream, shared: &Shared) -> std::io::Result<()> {
    socket.write_all(HEAD.as_bytes()).await?;
    let (mut reader, mut writer) = socket.split();
    let mut rest = [0; 1];
    for number in 0.. {
        tokio::select! {
            permit = shared.gate.acquire() => {
                let Ok(permit) = permit else {
                    writer.write_all(end().as_bytes()).await?;
                    return writer.shutdown().await;
                };
                permit.forget();
                writer.write_all(token(&format!("t{number} ")).as_bytes()).await?;
            }
            _ = reader.read(&mut rest) => {
                shared.left.notify_one();
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn wait_for_leaving(socket: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut rest = [0; 1];
    drop(tokio::time::timeout(Duration::from_secs(60), socket.read(&mut rest)).await);
    shared.left.notify_one();
    Ok(())
}
