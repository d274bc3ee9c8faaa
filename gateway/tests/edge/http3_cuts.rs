//! HTTP/3: clients that are slow, silent or flood are cut.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gateway::Config;
use tokio::{
    net::UdpSocket,
    time::{sleep, timeout},
};

use crate::{
    quic_client::{Client, answer, get, post, start_quic},
    support::{PATIENCE, config},
};

const SOON: Duration = Duration::from_millis(80);

#[tokio::test]
async fn silence_after_the_handshake_is_cut() {
    let quic = start_quic(Config { header_timeout: SOON, ..config() });

    let silent = quic.connect("localhost").await;

    assert_eq!(silent.closed().await, 0x100);
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let quic = start_quic(Config { idle_timeout: SOON, ..config() });
    let (mut idle, mut busy) = (quic.connect("localhost").await, quic.connect("localhost").await);
    assert_eq!(idle.get("/x").await.0.status(), 200);
    let mut waiting = busy.begin(get("/wait")).await;
    waiting.finish().await.unwrap();

    assert_eq!(idle.closed().await, 0x100);
    quic.running.app.gate.add_permits(1);

    assert_eq!(timeout(PATIENCE, answer(&mut waiting)).await.unwrap().unwrap().1, "waited");
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut() {
    let quic = start_quic(Config { header_timeout: SOON, ..config() });
    let mut client = quic.connect("localhost").await;
    let mut dripping = client.connection.open_bi().await.unwrap();
    // HEADERS of 60 bytes, of which one comes now and then.
    dripping.0.write_all(&[1, 60]).await.unwrap();
    let drip = tokio::spawn(async move {
        while dripping.0.write_all(&[0]).await.is_ok() {
            sleep(Duration::from_millis(10)).await;
        }
        dripping.1.read_to_end(100).await
    });

    while !drip.is_finished() {
        // The connection is alive meanwhile.
        assert_eq!(client.get("/x").await.0.status(), 200);
        sleep(Duration::from_millis(10)).await;
    }

    assert!(drip.await.unwrap().is_err(), "the stream is reset");
}

#[tokio::test]
async fn a_body_that_drips_or_stops_is_cut() {
    let quic = start_quic(Config { body_timeout: SOON, ..config() });
    let mut client = quic.connect("localhost").await;
    let mut stopped = client.begin(post("/echo")).await;
    stopped.send_data(Bytes::from_static(b"x")).await.unwrap();
    let (response, words) = timeout(PATIENCE, answer(&mut stopped)).await.unwrap().unwrap();
    assert_eq!((response.status().as_u16(), words.as_str()), (408, "edge.body_too_slow"));

    let quic = start_quic(Config { min_body_rate: 1 << 20, body_grace: SOON, ..config() });
    let mut client = quic.connect("localhost").await;
    let (mut send, mut receive) = client.begin(post("/echo")).await.split();
    let drip = tokio::spawn(async move {
        while send.send_data(Bytes::from_static(b"x")).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    });

    let response = timeout(PATIENCE, receive.recv_response()).await.unwrap().unwrap();

    assert_eq!(response.status(), 408);
    timeout(PATIENCE, drip).await.expect("the client is told to stop").unwrap();
}

#[tokio::test]
async fn who_takes_nothing_of_an_answer_is_cut() {
    let quic = start_quic(Config { write_timeout: SOON, ..config() });
    let mut client = quic.connect("localhost").await;
    let mut stream = client.begin(get("/big")).await;
    stream.finish().await.unwrap();

    // The windows fill, and nobody widens them.
    drop(timeout(PATIENCE, quic.running.app.dropped.acquire()).await.expect("the answer is dropped").unwrap());
}

#[tokio::test]
async fn what_hangs_is_cut_at_the_deadline_and_counted() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    let mut stream = client.begin(get("/never")).await;
    stream.finish().await.unwrap();
    while quic.running.calls() == 0 {
        sleep(Duration::from_millis(2)).await;
    }

    let drained = quic.running.edge.drain(Duration::from_millis(50)).await;

    assert_eq!((drained.open, drained.cut), (1, 1));
    assert_eq!(client.closed().await, 0x100);
}

#[tokio::test]
async fn a_flood_of_resets_is_cut() {
    let quic = start_quic(config());
    let client = quic.connect("localhost").await;

    let flood = async {
        loop {
            let Ok((mut send, mut receive)) = client.connection.open_bi().await else { return };
            drop(send.write_all(&[1]).await);
            drop(send.reset(0x10c_u32.into()));
            drop(receive.stop(0x10c_u32.into()));
        }
    };
    timeout(PATIENCE, flood).await.expect("the edge hangs up");

    assert_eq!(client.closed().await, 0x107);
    assert_eq!(quic.running.calls(), 0);
}

#[tokio::test]
async fn malformed_frames_end_their_stream_or_connection_and_never_look_whole() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    // A DATA frame that says five bytes and ends after none, and one after two; empty ones in between don't end a body.
    for (body, status) in
        [(&b"\x00\x05"[..], 400), (b"\x00\x05ab", 400), (b"\x00\x02ab\x00\x00\x21\x01?\x00\x01c", 200)]
    {
        let (mut send, mut receive) = client.connection.open_bi().await.unwrap();
        send.write_all(&[&echo_head()[..], body].concat()).await.unwrap();
        send.finish().unwrap();
        let answer = timeout(PATIENCE, receive.read_to_end(10_000)).await.unwrap().unwrap();
        let text = String::from_utf8_lossy(&answer).into_owned();
        let wanted = if status == 200 { "abc" } else { "edge.body_malformed" };
        assert!(text.ends_with(wanted), "{body:?}: {text}");
    }
    let (mut send, mut receive) = client.connection.open_bi().await.unwrap();
    // HEADERS of a gigabyte.
    send.write_all(&[1, 0xc0, 0, 0, 0, 0x40, 0, 0, 0]).await.unwrap();
    assert!(timeout(PATIENCE, receive.read_to_end(100)).await.unwrap().is_err());
    assert_eq!(client.get("/x").await.0.status(), 200);

    let (mut send, _receive) = client.connection.open_bi().await.unwrap();
    // DATA before HEADERS.
    send.write_all(&[0, 1, 1]).await.unwrap();
    assert_eq!(client.closed().await, 0x105);
}

/// HEADERS of `POST https://localhost/echo`, without the dynamic table.
fn echo_head() -> Vec<u8> {
    let mut fields = vec![0, 0, 0xc0 | 0x14, 0xc0 | 0x17];
    // ":authority" and ":path" by the names of the static table, with literal values.
    fields.extend([&[0x50, 9][..], b"localhost", &[0x51, 5], b"/echo"].concat());
    [vec![1, u8::try_from(fields.len()).unwrap()], fields].concat()
}

#[tokio::test]
async fn when_many_handshakes_hang_newcomers_prove_their_address_and_are_served() {
    let quic = start_quic(config());
    let mut hanging = Vec::new();
    for _ in 0..130 {
        hanging.push(half_open(quic.address).await);
    }

    let mut client = Client::over(quic.quinn("localhost", None).await.unwrap()).await;

    assert_eq!(client.get("/x").await.0.status(), 200);
    let mut last = [0; 2000];
    let told = timeout(PATIENCE, hanging.last().unwrap().recv(&mut last)).await.unwrap().unwrap();
    assert_eq!(last[0] & 0xf0, 0xf0, "the last one is told to try again: {:?}", &last[..told.min(20)]);
}

/// The first packet of a client that then says nothing more.
async fn half_open(edge: std::net::SocketAddr) -> UdpSocket {
    let between = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let config = quinn::crypto::rustls::QuicClientConfig::try_from(config).unwrap();
    let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(config));
    let _connecting = endpoint.connect_with(config, between.local_addr().unwrap(), "localhost").unwrap();
    let mut packet = [0; 2000];
    let length = timeout(PATIENCE, between.recv(&mut packet)).await.unwrap().unwrap();
    let own = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    own.connect(edge).await.unwrap();
    own.send(&packet[..length]).await.unwrap();
    own
}
