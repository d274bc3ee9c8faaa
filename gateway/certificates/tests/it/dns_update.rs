//! Dynamic updates against Knot DNS, a server that others wrote.

use std::{sync::Arc, time::Duration};

use edge_certificates::{DnsError, DnsProvider, Rfc2136, Rfc2136Settings, TsigAlgorithm};
use fake_ca::{PausedClock, SeededRandom};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{Name, RData, RecordType},
    serialize::binary::BinDecodable,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
};

use crate::servers::{free_port, listens, start};

const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";
const RECORD: &str = "_acme-challenge.www.example.test";

struct Knot {
    port: u16,
    _server: Child,
    _folder: tempfile::TempDir,
}

impl Knot {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, path) = (free_port(), folder.path().display().to_string());
        let zone = "$ORIGIN example.test.\n@ 60 SOA ns.example.test. admin.example.test. 1 60 60 600 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n";
        std::fs::write(folder.path().join("example.test.zone"), zone).unwrap();
        let config = format!(
            "server:\n    rundir: \"{path}\"\n    listen: 127.0.0.1@{port}\ndatabase:\n    storage: \"{path}\"\n\
             key:\n  - id: updater\n    algorithm: hmac-sha256\n    secret: {KEY}\n\
             acl:\n  - id: update\n    key: updater\n    action: update\n\
             template:\n  - id: default\n    storage: \"{path}\"\n    file: \"%s.zone\"\n    journal-content: none\n\
             zone:\n  - domain: example.test\n    acl: update\n"
        );
        let file = folder.path().join("knot.conf");
        std::fs::write(&file, config).unwrap();
        let server = start("knotd", "knot", &["-c", file.to_str().unwrap()], &[]);
        listens(port).await;
        let knot = Self { port, _server: server, _folder: folder };
        // It listens before the zone is loaded.
        let loaded = async {
            while knot.asks("ns.example.test", RecordType::A).await.answers.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), loaded).await.expect("the zone is loaded in time");
        knot
    }

    fn provider(&self, key: &str, zones: &[&str]) -> Rfc2136 {
        let settings = Rfc2136Settings {
            server: ([127, 0, 0, 1], self.port).into(),
            zones: zones.iter().map(ToString::to_string).collect(),
            key_name: "updater".into(),
            key: key.to_owned().into(),
            algorithm: TsigAlgorithm::HmacSha256,
            timeout: Duration::from_secs(10),
        };
        #[expect(clippy::disallowed_methods, reason = "the server's time is of today")]
        let today = PausedClock::at(chrono::Utc::now());
        Rfc2136::new(&settings, Arc::new(today), Arc::new(SeededRandom::new(5))).unwrap()
    }

    async fn asks(&self, name: &str, of: RecordType) -> Message {
        let mut message = Message::new(7, MessageType::Query, OpCode::Query);
        let mut query = Query::new();
        query.set_name(Name::from_ascii(format!("{name}.")).unwrap()).set_query_type(of);
        message.add_query(query);
        let bytes = message.to_vec().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream
            .write_all(&[&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes.as_slice()].concat())
            .await
            .unwrap();
        let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
        stream.read_exact(&mut answer).await.unwrap();
        Message::from_bytes(&answer).unwrap()
    }

    async fn texts(&self) -> Vec<String> {
        let answer = self.asks(RECORD, RecordType::TXT).await;
        let texts = answer.answers.iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.to_string()),
            _ => None,
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort();
        texts
    }
}

#[tokio::test]
async fn a_record_is_added_beside_others_and_only_it_is_removed() {
    let knot = Knot::start().await;
    let provider = knot.provider(KEY, &["test", "example.test"]);

    provider.set_txt(RECORD, "one").await.unwrap();
    provider.set_txt(RECORD, "two").await.unwrap();
    provider.set_txt(RECORD, "two").await.unwrap();
    assert_eq!(knot.texts().await, ["one", "two"]);

    provider.remove_txt(RECORD, "one").await.unwrap();
    provider.remove_txt(RECORD, "one").await.unwrap();
    assert_eq!(knot.texts().await, ["two"]);
}

#[tokio::test]
async fn a_wrong_key_and_a_foreign_zone_are_refused() {
    let knot = Knot::start().await;

    let wrong = knot.provider(OTHER, &["example.test"]).set_txt(RECORD, "one").await;
    assert!(matches!(wrong, Err(DnsError::Refused(_) | DnsError::Unsigned(_))), "{wrong:?}");
    let foreign = knot.provider(KEY, &["other.test"]).set_txt(RECORD, "one").await;
    assert!(matches!(foreign, Err(DnsError::NoZone(_))), "{foreign:?}");

    assert!(knot.texts().await.is_empty());
}
