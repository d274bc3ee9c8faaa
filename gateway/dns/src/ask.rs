//! Asking: several resolvers at once, each in its own time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::answers::{Answer, Caa, Heard};
use crate::finding::Diagnosis;
use crate::judge::judge;
use crate::question::Question;

/// The most resolvers that are asked.
pub const MAX_RESOLVERS: usize = 8;
/// Names that are asked about at once.
const AT_ONCE: usize = 32;
/// How much longer than one question the climb for CAA records may take, but for its last question.
const CLIMB: u32 = 2;
/// The most records that are taken of one answer.
const MAX_RECORDS: usize = 64;

/// The resolvers can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No resolvers were given, and the system's can't be read.
    #[error("The system's resolvers can't be read ({0}); name some in tenancy.domains.resolvers, such as 9.9.9.9:53.")]
    System(String),
    /// More than [`MAX_RESOLVERS`].
    #[error("At most {MAX_RESOLVERS} resolvers are asked; name fewer in tenancy.domains.resolvers.")]
    TooMany,
    /// A resolver could not be set up.
    #[error("The resolver {0} can't be set up: {1}")]
    Setup(SocketAddr, String),
}

/// Some resolvers, to be asked together.
pub struct Resolvers {
    each: Vec<Resolver>,
    places: Semaphore,
}

/// One of them.
struct Resolver {
    name: String,
    asks: TokioResolver,
    time: Duration,
}

impl Resolvers {
    /// These name servers; or, when there are none, those of `/etc/resolv.conf`. `time` is what one question to one of
    /// them may take.
    ///
    /// # Errors
    /// [`AskError`] for too many, or none at all.
    pub fn new(servers: &[SocketAddr], time: Duration) -> Result<Self, AskError> {
        let servers = if servers.is_empty() { system()? } else { servers.to_vec() };
        if servers.len() > MAX_RESOLVERS {
            return Err(AskError::TooMany);
        }
        let each = servers.into_iter().map(|server| Resolver::new(server, time)).collect::<Result<_, _>>()?;
        Ok(Self { each, places: Semaphore::new(AT_ONCE) })
    }

    /// What DNS says of a name. It takes at most three times as long as one question may.
    pub async fn diagnose(&self, question: &Question) -> Diagnosis {
        judge(question, &self.ask(question).await)
    }

    async fn ask(&self, question: &Question) -> Vec<Heard> {
        let Ok(_place) = self.places.acquire().await else { return Vec::new() };
        join_all(self.each.iter().map(|resolver| resolver.ask(question))).await
    }
}

/// The name servers of `/etc/resolv.conf`, as many as are asked.
fn system() -> Result<Vec<SocketAddr>, AskError> {
    let (config, _) = read_system_conf().map_err(|error| AskError::System(error.to_string()))?;
    let port = |server: &NameServerConfig| server.connections.first().map_or(53, |connection| connection.port);
    let mut servers: Vec<SocketAddr> =
        config.name_servers().iter().map(|server| SocketAddr::new(server.ip, port(server))).collect();
    servers.dedup();
    servers.truncate(MAX_RESOLVERS);
    if servers.is_empty() { Err(AskError::System("it names none".to_owned())) } else { Ok(servers) }
}

impl Resolver {
    fn new(server: SocketAddr, time: Duration) -> Result<Self, AskError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        let server_config = NameServerConfig::new(server.ip(), true, connections.to_vec());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server_config]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        // What was true a minute ago is not the question.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = time;
        options.attempts = 1;
        let asks = builder.build().map_err(|error| AskError::Setup(server, error.to_string()))?;
        let name = if server.port() == 53 { server.ip().to_string() } else { server.to_string() };
        Ok(Self { name, asks, time })
    }

    async fn ask(&self, question: &Question) -> Heard {
        let (proof, asked) = (question.proof_name(), question.asked_name());
        let (proof, ipv4, ipv6, alias, target, caa) = tokio::join!(
            self.look_up(&proof, RecordType::TXT, text),
            self.look_up(&asked, RecordType::A, ipv4),
            self.look_up(&asked, RecordType::AAAA, ipv6),
            self.look_up(&asked, RecordType::CNAME, alias),
            self.target(question),
            self.caa(question),
        );
        Heard { resolver: self.name.clone(), proof, ipv4, ipv6, alias, target, caa }
    }

    /// The addresses of the host that names are to be aliases for.
    async fn target(&self, question: &Question) -> Vec<IpAddr> {
        let Some(host) = &question.targets.host else { return Vec::new() };
        let (four, six) =
            tokio::join!(self.look_up(host, RecordType::A, ipv4), self.look_up(host, RecordType::AAAA, ipv6));
        let four = four.records().iter().copied().map(IpAddr::V4);
        four.chain(six.records().iter().copied().map(IpAddr::V6)).collect()
    }

    /// Climbs until somebody has CAA records, or does not answer, or answers took too long.
    async fn caa(&self, question: &Question) -> Vec<(String, Answer<Caa>)> {
        let begun = Instant::now();
        let mut said = Vec::new();
        for name in question.caa_names() {
            let answer = if begun.elapsed() > self.time * CLIMB {
                Answer::Failed("the names above took too long".to_owned())
            } else {
                self.look_up(name, RecordType::CAA, caa).await
            };
            let ends = matches!(answer, Answer::Records(_) | Answer::Failed(_));
            said.push((name.to_owned(), answer));
            if ends {
                break;
            }
        }
        said
    }

    async fn look_up<T>(&self, name: &str, kind: RecordType, read: fn(&RData) -> Option<T>) -> Answer<T> {
        // With the final dot nothing is appended.
        let Ok(found) = timeout(self.time, self.asks.lookup(format!("{name}."), kind)).await else {
            return Answer::Failed(format!("no answer in {} ms", self.time.as_millis()));
        };
        match found {
            Ok(found) => {
                let records: Vec<T> =
                    found.answers().iter().filter_map(|record| read(&record.data)).take(MAX_RECORDS).collect();
                if records.is_empty() { Answer::Nothing } else { Answer::Records(records) }
            }
            Err(NetError::Dns(DnsError::NoRecordsFound(none))) => match none.response_code {
                ResponseCode::NXDomain => Answer::NoSuchName,
                ResponseCode::NoError => Answer::Nothing,
                code => Answer::Failed(code.to_string()),
            },
            Err(error) => Answer::Failed(error.to_string()),
        }
    }
}

fn text(data: &RData) -> Option<String> {
    let RData::TXT(text) = data else { return None };
    let bytes: Vec<u8> = text.txt_data.iter().flat_map(|piece| piece.iter().copied()).collect();
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn ipv4(data: &RData) -> Option<Ipv4Addr> {
    if let RData::A(address) = data { Some(address.0) } else { None }
}

fn ipv6(data: &RData) -> Option<Ipv6Addr> {
    if let RData::AAAA(address) = data { Some(address.0) } else { None }
}

fn alias(data: &RData) -> Option<String> {
    let RData::CNAME(name) = data else { return None };
    Some(name.0.to_ascii().trim_end_matches('.').to_ascii_lowercase())
}

fn caa(data: &RData) -> Option<Caa> {
    let RData::CAA(record) = data else { return None };
    Some(Caa {
        critical: record.issuer_critical,
        tag: record.tag.clone(),
        value: String::from_utf8_lossy(&record.value).into_owned(),
    })
}
