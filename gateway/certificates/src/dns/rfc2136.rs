//! Dynamic updates (RFC 2136) over TCP, signed with a shared key (TSIG, RFC 8945).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_STANDARD};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode, UpdateMessage},
    rr::{DNSClass, Name, RData, Record, RecordType, TSigVerifier, TSigner, rdata::TXT, rdata::tsig},
    serialize::binary::BinDecodable,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{DnsError, DnsProvider};
use crate::{
    ports::{Clock, Random},
    units,
};

/// Seconds that the server's clock may differ by.
const FUDGE: u16 = 300;
const TTL: u32 = 60;

/// A DNS server that takes updates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rfc2136Settings {
    /// The primary server, with its port.
    pub server: SocketAddr,
    /// The zones that it holds; a name goes to the longest that fits.
    pub zones: Vec<String>,
    /// The name of the shared key.
    pub key_name: String,
    /// The key, in base64.
    #[serde(deserialize_with = "units::secret")]
    pub key: SecretString,
    #[serde(default)]
    pub algorithm: TsigAlgorithm,
    /// One update, all in all.
    #[serde(default = "ten_seconds", deserialize_with = "units::duration")]
    pub timeout: Duration,
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

/// How updates are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TsigAlgorithm {
    #[default]
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

/// Sets TXT records by dynamic update.
pub struct Rfc2136 {
    server: SocketAddr,
    zones: Vec<Name>,
    signer: TSigner,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Rfc2136 {
    /// A provider for the settings' zones.
    ///
    /// # Errors
    /// [`DnsError::Settings`] if the key is not base64 or a name is none.
    pub fn new(settings: &Rfc2136Settings, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Result<Self, DnsError> {
        let name = |text: &str| {
            let mut name = Name::from_ascii(text).map_err(|error| DnsError::Settings(error.to_string()))?;
            name.set_fqdn(true);
            Ok::<_, DnsError>(name)
        };
        let mut zones = settings.zones.iter().map(|zone| name(zone)).collect::<Result<Vec<_>, _>>()?;
        zones.sort_by_key(|zone| std::cmp::Reverse(zone.num_labels()));
        let key = BASE64_STANDARD.decode(settings.key.expose_secret());
        let key = key.map_err(|_| DnsError::Settings("the key is not base64".into()))?;
        let algorithm = match settings.algorithm {
            TsigAlgorithm::HmacSha256 => tsig::TsigAlgorithm::HmacSha256,
            TsigAlgorithm::HmacSha384 => tsig::TsigAlgorithm::HmacSha384,
            TsigAlgorithm::HmacSha512 => tsig::TsigAlgorithm::HmacSha512,
        };
        let signer = TSigner::new(key, algorithm, name(&settings.key_name)?, FUDGE);
        let signer = signer.map_err(|error| DnsError::Settings(error.to_string()))?;
        Ok(Self { server: settings.server, zones, signer, timeout: settings.timeout, clock, random })
    }

    async fn update(&self, record: &str, value: &str, add: bool) -> Result<(), DnsError> {
        let (request, verifier) = self.request(record, value, add)?;
        let id = request.metadata.id;
        let bytes = request.to_vec().map_err(|error| DnsError::Settings(error.to_string()))?;
        let answer = tokio::time::timeout(self.timeout, exchange(self.server, &bytes)).await;
        let answer = answer.map_err(|_| DnsError::Unreachable(format!("{} is silent", self.server)))?;
        let answer = answer.map_err(|error| DnsError::Unreachable(format!("{}: {error}", self.server)))?;
        read_answer(&answer, id, verifier)
    }

    fn request(&self, record: &str, value: &str, add: bool) -> Result<(Message, Option<TSigVerifier>), DnsError> {
        let mut owner = Name::from_ascii(record).map_err(|error| DnsError::Settings(error.to_string()))?;
        owner.set_fqdn(true);
        let zone = self.zones.iter().find(|zone| zone.zone_of(&owner));
        let zone = zone.ok_or_else(|| DnsError::NoZone(record.to_owned()))?;
        let mut id = [0; 2];
        self.random.fill(&mut id);
        let mut message = Message::new(u16::from_be_bytes(id), MessageType::Query, OpCode::Update);
        let mut asked = Query::new();
        asked.set_name(zone.clone()).set_query_class(DNSClass::IN).set_query_type(RecordType::SOA);
        message.add_zone(asked);
        // Adding what is there, or taking away what is not, changes nothing (RFC 2136, sections 2.5.1 and 2.5.4).
        let ttl = if add { TTL } else { 0 };
        let mut txt = Record::from_rdata(owner, ttl, RData::TXT(TXT::new(vec![value.to_owned()])));
        txt.dns_class = if add { DNSClass::IN } else { DNSClass::NONE };
        message.add_update(txt);
        let now = u64::try_from(self.clock.now().timestamp()).unwrap_or_default();
        let verifier = message.finalize(&self.signer, now).map_err(|error| DnsError::Settings(error.to_string()))?;
        Ok((message, verifier))
    }
}

/// One message there and one back, each with its length before it (RFC 1035, section 4.2.2).
async fn exchange(server: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(request.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), request].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn read_answer(bytes: &[u8], id: u16, verifier: Option<TSigVerifier>) -> Result<(), DnsError> {
    let plain = Message::from_bytes(bytes).map_err(|error| DnsError::Unsigned(error.to_string()))?;
    let code = plain.metadata.response_code;
    if plain.metadata.id != id {
        return Err(DnsError::Unsigned("it answers another request".into()));
    }
    // An unsigned refusal (an unknown key) is believed: it changes nothing. A success must be signed.
    if code != ResponseCode::NoError {
        return Err(DnsError::Refused(format!("{code}")));
    }
    let Some(mut verifier) = verifier else { return Err(DnsError::Unsigned("no signature".into())) };
    verifier.verify(bytes).map(drop).map_err(|error| DnsError::Unsigned(error.to_string()))
}

#[async_trait]
impl DnsProvider for Rfc2136 {
    async fn set_txt(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.update(record, value, true).await
    }

    async fn remove_txt(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.update(record, value, false).await
    }
}
