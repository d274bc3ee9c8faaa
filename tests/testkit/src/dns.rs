//! A DNS server of one test: it says what the test put into it, or nothing at all.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::must;

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const CAA: u16 = 257;
/// The most bytes of a datagram.
const DATAGRAM: usize = 4096;

/// A name server on a free port of this machine, ended on drop. Names that nothing was said about don't exist.
pub struct Dns {
    address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Zone {
    records: HashMap<(String, u16), Vec<Vec<u8>>>,
    mood: Mood,
    asked: u64,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Answers,
    Silent,
    Fails,
}

impl Dns {
    /// A server that knows no name.
    #[expect(clippy::disallowed_methods, reason = "it ends with its value")]
    pub async fn start() -> Self {
        let socket = must(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await, "binding a name server");
        let address = must(socket.local_addr(), "reading the address of a name server");
        let zone = Arc::<Mutex<Zone>>::default();
        let task = tokio::spawn(serve(socket, Arc::clone(&zone)));
        Self { address, zone, task }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions came.
    pub fn asked(&self) -> u64 {
        self.zone().asked
    }

    /// Replaces the addresses of a name.
    pub fn addresses(&self, name: &str, addresses: &[&str]) {
        let all: Vec<IpAddr> = addresses.iter().map(|text| must(text.parse(), text)).collect();
        let four = all.iter().filter_map(|it| if let IpAddr::V4(it) = it { Some(it.octets().to_vec()) } else { None });
        let six = all.iter().filter_map(|it| if let IpAddr::V6(it) = it { Some(it.octets().to_vec()) } else { None });
        self.set(name, A, four.collect());
        self.set(name, AAAA, six.collect());
    }

    /// Makes a name an alias.
    pub fn alias(&self, name: &str, target: &str) {
        self.set(name, CNAME, vec![wire_name(target)]);
    }

    /// Replaces the texts of a name; none removes the record.
    pub fn texts(&self, name: &str, texts: &[&str]) {
        let pieces = |text: &&str| text.as_bytes().chunks(255).flat_map(counted).collect();
        self.set(name, TXT, texts.iter().map(pieces).collect());
    }

    /// Replaces the CAA records of a name: tags and values.
    pub fn caa(&self, name: &str, records: &[(&str, &str)]) {
        let wire = |(tag, value): &(&str, &str)| {
            let mut data = vec![0];
            data.extend(counted(tag.as_bytes()));
            data.extend_from_slice(value.as_bytes());
            data
        };
        self.set(name, CAA, records.iter().map(wire).collect());
    }

    /// From now on it takes questions and says nothing.
    pub fn hang(&self) {
        self.zone().mood = Mood::Silent;
    }

    /// From now on it says that it failed (SERVFAIL).
    pub fn fail(&self) {
        self.zone().mood = Mood::Fails;
    }

    /// It answers again.
    pub fn recover(&self) {
        self.zone().mood = Mood::Answers;
    }

    fn set(&self, name: &str, kind: u16, data: Vec<Vec<u8>>) {
        self.zone().records.insert((name.to_ascii_lowercase(), kind), data);
    }

    fn zone(&self) -> std::sync::MutexGuard<'_, Zone> {
        self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Arc<Mutex<Zone>>) {
    let mut buffer = [0; DATAGRAM];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let answer = zone.lock().unwrap_or_else(PoisonError::into_inner).answer(&buffer[..length]);
        if let Some(answer) = answer {
            drop(socket.send_to(&answer, from).await); // whoever asked may be gone
        }
    }
}

impl Zone {
    /// The answer to one message with one question.
    fn answer(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        self.asked += 1;
        let (name, end) = read_name(message, 12)?;
        let kind = u16::from_be_bytes([*message.get(end)?, *message.get(end + 1)?]);
        if self.mood == Mood::Silent {
            return None;
        }
        let (code, answers) = if self.mood == Mood::Fails { (2, Vec::new()) } else { self.find(&name, kind) };
        let mut out = message[..2].to_vec();
        out.extend_from_slice(&[0x81, 0x80 | code, 0, 1, 0, u8::try_from(answers.len()).unwrap_or(0), 0, 0, 0, 0]);
        out.extend_from_slice(&message[12..end + 4]);
        for (owner, kind, data) in answers {
            out.extend(wire_name(&owner));
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 0, 0, 0]); // IN, and never to be kept
            out.extend_from_slice(&u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
            out.extend(data);
        }
        Some(out)
    }

    fn find(&self, name: &str, kind: u16) -> (u8, Vec<(String, u16, Vec<u8>)>) {
        let mut answers = Vec::new();
        let mut name = name.to_owned();
        let mut seen = HashSet::new();
        while kind != CNAME && seen.insert(name.clone()) {
            let Some([target]) = self.records.get(&(name.clone(), CNAME)).map(Vec::as_slice) else { break };
            answers.push((name.clone(), CNAME, target.clone()));
            name = read_name(target, 0).map(|(name, _)| name).unwrap_or_default();
        }
        let found = self.records.get(&(name.clone(), kind)).into_iter().flatten();
        answers.extend(found.map(|data| (name.clone(), kind, data.clone())));
        let code = if answers.is_empty() && !self.exists(&name) { 3 } else { 0 };
        (code, answers)
    }

    /// Whether there is a record at the name or below it.
    fn exists(&self, name: &str) -> bool {
        let below = format!(".{name}");
        let full = self.records.iter().filter(|(_, data)| !data.is_empty()).map(|((owner, _), _)| owner);
        full.into_iter().any(|owner| owner == name || owner.ends_with(&below))
    }
}

fn counted(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![u8::try_from(bytes.len()).unwrap_or(u8::MAX)];
    out.extend_from_slice(bytes);
    out
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut out: Vec<u8> = name.split('.').filter(|it| !it.is_empty()).flat_map(|it| counted(it.as_bytes())).collect();
    out.push(0);
    out
}

/// An uncompressed name in lower case, and where it ends.
fn read_name(message: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            return Some((labels.join("."), at));
        }
        labels.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, kind: u16) -> Vec<u8> {
        let mut message = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        message.extend(wire_name(name));
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        message
    }

    #[tokio::test]
    async fn it_says_what_was_put_into_it() {
        let dns = Dns::start().await;
        dns.texts("_x.example.com", &["hello"]);
        let ask = |name: &str, kind| dns.zone().answer(&question(name, kind)).unwrap();

        let found = ask("_X.Example.com", TXT);
        assert_eq!((found[3] & 0xf, found[7]), (0, 1));
        assert!(found.ends_with(b"\x05hello"));
        assert_eq!(ask("example.com", TXT)[3] & 0xf, 0, "there is something below it");
        assert_eq!(ask("example.org", TXT)[3] & 0xf, 3);
        dns.fail();
        assert_eq!(ask("_x.example.com", TXT)[3] & 0xf, 2);
        dns.hang();
        assert_eq!(dns.zone().answer(&question("_x.example.com", TXT)), None);
    }
}
