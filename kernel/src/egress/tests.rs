use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::{Egress, EgressConfig, EgressError, EgressRequest, Pace};

fn egress(allow: &[&str]) -> Egress {
    let allow = allow.iter().map(|&entry| entry.to_owned()).collect();
    Egress::new(&EgressConfig { allow, connect_timeout_ms: 1000 }).unwrap()
}

fn get(url: &str) -> EgressRequest {
    EgressRequest {
        url: url.to_owned(),
        bearer: None,
        body: None,
        head_timeout: Duration::from_secs(2),
        max_body: 1000,
    }
}

#[test]
fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    let refused = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "203.0.113.9",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a00:1]",
        "[::7f00:1]",
        "[64:ff9b::7f00:1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2002:7f00:1::]",
        "[2001:db8::1]",
        "[2001:0:7f00:1::]",
        "[fec0::1]",
    ];
    for host in refused {
        assert_eq!(egress(&[]).check(&format!("http://{host}/")), Err(EgressError::Refused), "{host}");
    }
}

#[test]
fn public_addresses_and_names_pass() {
    for host in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "172.32.0.1",
        "[2606:4700::1111]",
        "[::ffff:1.1.1.1]",
        "api.example.com",
    ] {
        assert_eq!(egress(&[]).check(&format!("https://{host}/v1")), Ok(()), "{host}");
    }
}

#[test]
fn only_plain_web_addresses_are_taken() {
    for url in [
        "ftp://1.1.1.1/",
        "file:///etc/passwd",
        "http://user@1.1.1.1/",
        "http://a:b@1.1.1.1/",
        "1.1.1.1",
        "",
        "http://",
    ] {
        assert!(matches!(egress(&[]).check(url), Err(EgressError::Address(_))), "{url}");
    }
}

#[test]
fn an_operator_can_allow_networks_and_addresses_and_nothing_else_comes_with_them() {
    let egress = egress(&["127.0.0.1", "10.1.0.0/16", "fd00::/8"]);
    for (host, fits) in [
        ("127.0.0.1", true),
        ("127.0.0.2", false),
        ("[::ffff:127.0.0.1]", true),
        ("10.1.2.3", true),
        ("10.2.0.1", false),
        ("[fd12::1]", true),
        ("[::1]", false),
    ] {
        assert_eq!(egress.check(&format!("http://{host}/")).is_ok(), fits, "{host}");
    }
}

#[test]
fn a_setting_that_is_no_place_is_refused() {
    for entry in ["10.0.0.0/40", "http://x", "a b", ""] {
        let config = EgressConfig { allow: vec![entry.to_owned()], connect_timeout_ms: 1 };
        assert!(matches!(Egress::new(&config), Err(EgressError::Setting(_))), "{entry:?}");
    }
}

#[tokio::test]
async fn an_answer_may_take_long_but_not_be_silent_for_long() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 1000];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..8 {
            socket.write_all(b"x").await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await; // it is the slow one
        }
        std::future::pending::<()>().await;
    };
    let client = async {
        let mut answer = egress(&["127.0.0.1"]).send(get(&url)).await.unwrap();
        let idle = Duration::from_secs(2);
        let mut came = 0;
        loop {
            let pace = Pace { idle, until: Instant::now() + Duration::from_secs(60) };
            match answer.chunk(pace).await {
                Ok(Some(bytes)) => came += bytes.len(),
                other => return (came, other),
            }
        }
    };

    let outcome = tokio::select! {
        () = server => unreachable!(),
        outcome = client => outcome,
    };

    assert_eq!(outcome, (8, Err(EgressError::Timeout)));
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_leads_to() {
    let refused = egress(&[]).send(get("http://localhost:9/")).await;
    let allowed = egress(&["localhost"]).send(get("http://localhost:9/")).await;

    assert_eq!(refused.map(drop), Err(EgressError::Refused));
    assert_eq!(allowed.map(drop), Err(EgressError::Connection));
}
