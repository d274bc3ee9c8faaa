//! HTTP/3: the same service, limits and refusals as over TCP.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::{Buf, Bytes};
use edge_certificates::Hello;
use gateway::{CertificateSource, ClientCertificates, Config, Listener, LocalCa, Rate, RateLimits, Tls};
use http::Request;
use rustls::sign::CertifiedKey;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use crate::{
    quic_client::{Client, Quic, answer, get, post, start_quic, start_with},
    support::{PATIENCE, any_port, config, start},
    tls::{authority, issued_by},
};

#[tokio::test]
async fn requests_and_their_bodies_are_served_and_know_where_they_came_from() {
    let quic = start_quic(config());
    let mut client = quic.connect("acme.localhost").await;

    let request = Request::get("https://ACME.localhost:8443/info").body(()).unwrap();
    let (response, info) = client.ask(request, b"").await;
    let long = "x".repeat(700_000);
    let (_, echoed) = client.ask(Request::post("https://acme.localhost/echo").body(()).unwrap(), long.as_bytes()).await;

    assert_eq!(response.status(), 200);
    assert!(info.contains("scheme=https host=acme.localhost listener=https sni=acme.localhost"), "{info}");
    assert!(info.contains("client=127.0.0.1") && response.headers().contains_key("x-request-id"), "{info}");
    assert!(response.headers().contains_key("date"));
    assert_eq!(response.headers()["content-length"], info.len().to_string().as_str());
    assert_eq!(echoed, long);
}

#[tokio::test]
async fn large_answers_flow_as_they_are_read_and_heads_without_a_body_stay_without() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    let mut stream = client.begin(get("/big")).await;
    stream.finish().await.unwrap();

    let read = async {
        stream.recv_response().await.unwrap();
        let mut length = 0;
        while length < 4 << 20 {
            let mut piece = stream.recv_data().await.unwrap().expect("more");
            let bytes = piece.copy_to_bytes(piece.remaining());
            assert!(bytes.iter().all(|byte| *byte == b'x'));
            length += bytes.len();
        }
    };
    timeout(PATIENCE, read).await.expect("it flows");
    let (head, none) = client.ask(Request::head("https://localhost/x").body(()).unwrap(), b"").await;

    assert_eq!((head.status().as_u16(), none.as_str()), (200, ""));
}

#[tokio::test]
async fn an_answer_that_pauses_arrives_as_it_is_made() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    let mut stream = client.begin(get("/stream")).await;
    stream.finish().await.unwrap();

    timeout(PATIENCE, stream.recv_response()).await.unwrap().unwrap();
    let first = timeout(PATIENCE, stream.recv_data()).await.unwrap().unwrap();
    assert!(first.is_some());
    drop(first);
    quic.running.app.gate.add_permits(1);
    let second = timeout(PATIENCE, stream.recv_data()).await.unwrap().unwrap();

    assert!(second.is_some());
}

#[tokio::test]
async fn what_is_refused_over_tcp_is_refused_here() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    let many = (0..60).fold(Request::get("https://localhost/x"), |request, n| request.header(format!("x-{n}"), "1"));
    let at = |method: &str| Request::builder().method(method).uri("https://localhost/x");
    let requests = [
        (Request::get("https://other.localhost/x"), 421),
        (Request::get(format!("https://localhost/{}", "x".repeat(5000))), 414),
        (Request::get("https://localhost/x").header("x-large", "x".repeat(20_000)), 431),
        (many, 431),
        (at("TRACE"), 405),
        (at("BREW"), 501),
        (at("GET").header("connection", "close"), 400),
        (at("GET").header("transfer-encoding", "chunked"), 400),
        (at("GET").header("te", "gzip"), 400),
        (at("POST").header("content-length", "1048577"), 413),
        (at("POST").header("content-length", "+1"), 400),
    ];

    for (request, status) in requests {
        let request = request.body(()).unwrap();
        let words = format!("{request:?}");
        let (response, _) = client.ask(request, b"").await;
        assert_eq!(response.status().as_u16(), status, "{words:.200}");
    }
    assert_eq!(quic.running.calls(), 0);
    assert_eq!(client.get("/x").await.0.status(), 200, "the connection lives on");
}

#[tokio::test]
async fn bodies_are_as_large_as_allowed_and_as_long_as_they_said() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;

    let (large, words) = client.ask(post("/echo?small"), &[b'x'; 11]).await;
    assert_eq!((large.status().as_u16(), words.as_str()), (413, "edge.body_too_large"));
    for (length, sent) in [("3", "four"), ("5", "four")] {
        let request = Request::post("https://localhost/echo").header("content-length", length).body(()).unwrap();
        let (response, words) = client.ask(request, sent.as_bytes()).await;
        assert_eq!((response.status().as_u16(), words.as_str()), (400, "edge.body_malformed"), "{length}");
    }
    let (unread, words) = client.ask(post("/unread"), &vec![b'x'; 900_000]).await;
    assert_eq!((unread.status().as_u16(), words.as_str()), (200, "did not read"));
}

#[tokio::test]
async fn rates_and_connections_count_over_all_protocols() {
    let off = config().rate_limits;
    let rate_limits = RateLimits { address: Rate { per_minute: 6, burst: 2 }, ..off };
    let quic = start_quic(Config { rate_limits, max_connections_per_address: 2, ..config() });
    let mut tcp = quic.running.connect().await;
    tcp.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(tcp.answer().await.status, 200);

    let mut client = quic.connect("localhost").await;
    let statuses = [client.get("/x").await.0.status().as_u16(), client.get("/x").await.0.status().as_u16()];
    let third = quic.quinn("localhost", None).await;

    assert_eq!(statuses, [200, 429]);
    assert!(third.as_ref().is_err_and(|error| error.contains("refused")), "{third:?}");
    assert_eq!(quic.running.calls(), 2);
}

#[tokio::test]
async fn answers_over_tcp_tell_of_it_until_the_drain() {
    let quic = start_quic(config());
    let told = |answer: &str| answer.to_ascii_lowercase().contains("alt-svc: h3=");
    let secure = |path| crate::tls::ask(quic.folder.path(), quic.address, path);

    assert!(secure("/x").await.contains(&format!("alt-svc: h3=\":{}\"; ma=86400", quic.address.port())));
    let plain = quic.running.raw("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let mut client = quic.connect("localhost").await;
    let over_quic = client.get("/x").await.0;
    quic.running.edge.announce_drain();

    assert!(!told(&plain) && !over_quic.headers().contains_key("alt-svc"), "{plain}");
    assert!(!told(&secure("/x").await));
}

#[tokio::test]
async fn clients_show_certificates_here_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let ((known, root), (stranger, _)) = (authority("known"), authority("stranger"));
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, root).unwrap();
    let settings =
        ClientCertificates { roots: file.to_str().unwrap().to_owned(), hosts: vec!["machines.localhost".to_owned()] };
    let running = start(config());
    let ca = LocalCa::open(&folder.path().join("tls"), "localhost").unwrap();
    let tls = Tls::new(Arc::new(ca)).unwrap().with_client_certificates(&settings).unwrap();
    let listener = Listener::https(any_port(), tls).unwrap().with_http3(None).unwrap();
    let address = listener.local_addr();
    running.edge.serve(listener, Arc::clone(&running.app));
    let quic = Quic { running, address, folder };
    let info = async |name: &str, shown| {
        let mut client = Client::over(quic.quinn(name, shown).await.unwrap()).await;
        let request = Request::get(format!("https://{name}/info")).body(()).unwrap();
        client.try_ask(request, b"").await.map(|(_, info)| info)
    };

    let shown = info("machines.localhost", Some(issued_by(&known))).await.unwrap();
    let none = info("machines.localhost", None).await.unwrap();
    let not_asked = info("other.localhost", Some(issued_by(&known))).await.unwrap();
    let unknown = quic.quinn("machines.localhost", Some(issued_by(&stranger))).await.unwrap();

    assert!(shown.contains("certificate=true"), "{shown}");
    assert!(none.contains("certificate=false") && not_asked.contains("certificate=false"), "{none} {not_asked}");
    timeout(PATIENCE, unknown.closed()).await.expect("the edge hangs up");
}

/// Loads a certificate only when it is told to, as from a disk or a database.
struct Slow {
    inner: LocalCa,
    go: Arc<Semaphore>,
    asked: Arc<AtomicBool>,
}

impl CertificateSource for Slow {
    async fn certificate(&self, hello: &Hello<'_>) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::SeqCst);
        self.go.acquire().await.unwrap().forget();
        self.inner.certificate(hello).await
    }
}

#[tokio::test]
async fn a_certificate_that_has_to_be_loaded_is_waited_for() {
    let (go, asked) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicBool::new(false)));
    let (held, told) = (Arc::clone(&go), Arc::clone(&asked));
    let quic = start_with(config(), |inner| Ok(Slow { inner, go: held, asked: told }));

    let (client, ()) = tokio::join!(quic.connect("localhost"), async {
        while !asked.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(2)).await;
        }
        go.add_permits(1);
    });
    let mut client = client;
    assert_eq!(client.get("/x").await.0.status(), 200);

    let (foreign, ()) = tokio::join!(quic.quinn("example.com", None), async { go.add_permits(1) });
    assert!(foreign.is_err(), "{foreign:?}");
}

#[tokio::test]
async fn names_without_a_certificate_end_in_an_alert() {
    let quic = start_quic(config());

    let error = quic.quinn("example.com", None).await.unwrap_err();

    assert!(error.contains("certificate for this name"), "{error}");
}

#[tokio::test]
async fn what_a_client_cancels_ends_at_once_and_the_rest_goes_on() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    for _ in 0..1200 {
        let mut stream = client.begin(get("/never")).await;
        stream.finish().await.unwrap();
        stream.stop_sending(h3::error::Code::H3_REQUEST_CANCELLED);
    }

    let mut stream = client.begin(get("/big")).await;
    stream.finish().await.unwrap();
    timeout(PATIENCE, stream.recv_response()).await.unwrap().unwrap();
    stream.stop_sending(h3::error::Code::H3_REQUEST_CANCELLED);
    drop(stream);

    drop(timeout(PATIENCE, quic.running.app.dropped.acquire()).await.expect("the answer is dropped").unwrap());
    assert_eq!(client.get("/x").await.0.status(), 200);
}

#[tokio::test]
async fn requests_under_way_finish_and_the_connection_says_goodbye() {
    let quic = start_quic(config());
    let mut busy = quic.connect("localhost").await;
    let idle = quic.connect("localhost").await;
    let mut waiting = busy.begin(get("/wait")).await;
    waiting.finish().await.unwrap();
    while quic.running.calls() == 0 {
        sleep(Duration::from_millis(2)).await;
    }

    let edge = quic.running.edge.clone();
    let drain = tokio::spawn(async move { edge.drain(PATIENCE).await });
    assert_eq!(idle.closed().await, 0x100);
    let late = loop {
        // Until the client has heard that no more is taken.
        match busy.send.send_request(get("/late")).await {
            Ok(mut stream) => drop(stream.finish().await),
            Err(error) => break error,
        }
        sleep(Duration::from_millis(2)).await;
    };
    quic.running.app.gate.add_permits(1);
    let (response, body) = timeout(PATIENCE, answer(&mut waiting)).await.unwrap().unwrap();
    let drained = drain.await.unwrap();

    assert_eq!((response.status().as_u16(), body.as_str()), (200, "waited"), "{late}");
    assert_eq!((drained.open, drained.cut), (2, 0));
    assert_eq!(busy.closed().await, 0x100);
}

#[tokio::test]
async fn trailers_arrive_and_forged_fields_in_them_do_not_matter() {
    let quic = start_quic(config());
    let mut client = quic.connect("localhost").await;
    let mut stream = client.begin(post("/echo")).await;
    stream.send_data(Bytes::from_static(b"body")).await.unwrap();
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", "1".parse().unwrap());
    stream.send_trailers(trailers).await.unwrap();
    stream.finish().await.unwrap();

    let (response, body) = timeout(PATIENCE, answer(&mut stream)).await.unwrap().unwrap();

    assert_eq!((response.status().as_u16(), body.as_str()), (200, "body"));
}
