//! Floods of HTTP/2 frames end in GOAWAY; honest clients go on.

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{PATIENCE, config, start};

const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A request head for `/never` (or any path of at most 100 bytes), literal fields without indexing.
fn headers(stream: u32, flags: u8, path: &str) -> Vec<u8> {
    let literal = |name: &str, value: &str| {
        let length = |text: &str| u8::try_from(text.len()).unwrap();
        [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
    };
    let fields = [(":method", "POST"), (":scheme", "http"), (":authority", "a.test"), (":path", path)];
    frame(1, flags, stream, &fields.map(|(name, value)| literal(name, value)).concat())
}

/// Sends frames until the edge closes; what kinds of frames it sent, in their order.
async fn flood(opening: &[u8], again: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let running = start(config());
    let stream = TcpStream::connect(running.http).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let opening = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, &[]), opening].concat();
    writing.write_all(&opening).await.unwrap();
    let sending = async {
        for number in 0.. {
            if writing.write_all(&again(number)).await.is_err() {
                return;
            }
        }
    };
    let mut read = Vec::new();
    let receiving = async { drop(reading.read_to_end(&mut read).await) };
    timeout(PATIENCE, async { tokio::join!(sending, receiving) }).await.expect("the edge closes the connection");
    kinds(&read)
}

fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, ..] = *bytes {
        kinds.push(kind);
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}

/// Its name, what opens it, and what is sent again and again.
type Flood<'a> = (&'a str, &'a [u8], &'a dyn Fn(u32) -> Vec<u8>);

#[tokio::test]
async fn floods_of_empty_frames_end_in_goaway() {
    let open = headers(1, 4, "/never");
    let floods: [Flood<'_>; 6] = [
        ("PING", &[], &|_| frame(6, 0, 0, &[7; 8])),
        ("SETTINGS", &[], &|_| frame(4, 0, 0, &[])),
        ("PRIORITY", &[], &|_| frame(2, 0, 3, &[0, 0, 0, 0, 1])),
        ("WINDOW_UPDATE", &[], &|_| frame(8, 0, 0, &[0, 0, 0, 1])),
        ("empty DATA", &open, &|_| frame(0, 0, 1, &[])),
        ("unknown", &[], &|_| frame(0x77, 0, 0, &[1])),
    ];
    for (name, opening, again) in floods {
        let kinds = flood(opening, again).await;
        assert!(kinds.contains(&GOAWAY), "{name}: {kinds:?}");
    }
}

#[tokio::test]
async fn heads_without_an_end_end_in_goaway() {
    let begun = headers(1, 0, "/never");
    let kinds = flood(&begun, |_| frame(9, 0, 1, &[0, 1, b'x', 1, b'y'])).await;
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
}

#[tokio::test]
async fn rapid_resets_end_in_goaway() {
    let again = |number: u32| {
        let stream = 2 * number + 1;
        [headers(stream, 5, "/never"), frame(3, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let many = |number: u32| (0..50).flat_map(|step| again(number * 50 + step)).collect();
    let kinds = flood(&[], many).await;
    assert!(kinds.contains(&GOAWAY), "{kinds:?}");
}

#[tokio::test]
async fn an_honest_client_may_cancel_a_thousand_streams() {
    let running = start(config());
    let stream = TcpStream::connect(running.http).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = |path: &str| Request::get(format!("http://a.test{path}")).body(Empty::<Bytes>::new()).unwrap();
    for round in 1..=20 {
        let mut open: Vec<_> = (0..50).map(|_| Box::pin(sender.send_request(request("/never")))).collect();
        // Each is sent, then given up.
        timeout(PATIENCE, async {
            while running.calls() < 50 * round {
                for one in &mut open {
                    assert!(futures_util::poll!(one.as_mut()).is_pending());
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("all reach the application");
    }

    let answer = timeout(PATIENCE, sender.send_request(request("/still"))).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
}
