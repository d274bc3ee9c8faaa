//! Where the settings say that budgets lie.

use std::path::PathBuf;

use async_nats::ServerAddr;
use percent_encoding::percent_decode_str;
use redis::{Client, TlsCertificates};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{LimitStore, SharedLimitsConfig, SharedLimitsError};

const REDIS: &str = "rediss://user:password@redis.example:6379";
const NATS: &str = "tls://user:password@nats.example:4222";

/// A store's address.
pub(super) enum Address {
    Database,
    Redis(Box<Client>),
    Nats(Servers),
}

/// The servers of one NATS cluster.
pub(super) struct Servers {
    pub(super) addresses: Vec<ServerAddr>,
    pub(super) credentials: Credentials,
    /// Authorities, where not those of the system.
    pub(super) ca_file: Option<PathBuf>,
}

/// Who we are to NATS.
pub(super) enum Credentials {
    Nobody,
    Token(SecretString),
    User(String, SecretString),
}

impl Address {
    /// Reads it off the settings; asks nobody.
    pub(super) fn read(config: &SharedLimitsConfig) -> Result<Self, SharedLimitsError> {
        let (url, ca_file) = (config.url.expose_secret(), config.ca_file.as_str());
        match config.store {
            LimitStore::Database if url.is_empty() && ca_file.is_empty() => Ok(Self::Database),
            LimitStore::Database => Err(SharedLimitsError::NeedlessUrl),
            LimitStore::Redis => Ok(Self::Redis(Box::new(redis(url, ca_file)?))),
            LimitStore::Nats => Ok(Self::Nats(nats(url, ca_file)?)),
        }
    }
}

fn redis(url: &str, ca_file: &str) -> Result<Client, SharedLimitsError> {
    let parsed = parse(LimitStore::Redis, url, &["redis", "rediss", "valkey", "valkeys"])?;
    let secure = matches!(parsed.scheme(), "rediss" | "valkeys");
    let root_cert = authorities(ca_file, secure)?;
    let client = match root_cert {
        Some(pem) => Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert: Some(pem) }),
        None => Client::open(url),
    };
    client.map_err(|error| unfit(LimitStore::Redis, error.to_string()))
}

fn nats(url: &str, ca_file: &str) -> Result<Servers, SharedLimitsError> {
    let mut addresses = Vec::new();
    let mut credentials = Credentials::Nobody;
    let mut secure = true;
    for one in url.split(',') {
        let mut parsed = parse(LimitStore::Nats, one.trim(), &["nats", "tls"])?;
        secure &= parsed.scheme() == "tls";
        if !parsed.username().is_empty() {
            credentials = Credentials::of(&parsed);
        }
        // They are told apart from the address, which may be logged.
        let bare = parsed.set_username("").and_then(|()| parsed.set_password(None));
        bare.map_err(|()| unfit(LimitStore::Nats, "it has no host".to_owned()))?;
        let address = ServerAddr::from_url(parsed);
        addresses.push(address.map_err(|error| unfit(LimitStore::Nats, error.to_string()))?);
    }
    authorities(ca_file, secure)?;
    let ca_file = (!ca_file.is_empty()).then(|| ca_file.into());
    Ok(Servers { addresses, credentials, ca_file })
}

impl Credentials {
    fn of(url: &Url) -> Self {
        let plain = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        match url.password() {
            None => Self::Token(plain(url.username()).into()),
            Some(password) => Self::User(plain(url.username()), plain(password).into()),
        }
    }
}

fn parse(store: LimitStore, url: &str, schemes: &[&str]) -> Result<Url, SharedLimitsError> {
    if url.is_empty() {
        return Err(SharedLimitsError::NoUrl { store: store.name(), example: example(store) });
    }
    let parsed = Url::parse(url).map_err(|error| unfit(store, error.to_string()))?;
    if !schemes.contains(&parsed.scheme()) {
        return Err(unfit(store, format!("it begins with none of {}", schemes.join("://, ") + "://")));
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(unfit(store, "it has no host".to_owned()));
    }
    if parsed.fragment().is_some() {
        return Err(unfit(store, "it has a #".to_owned()));
    }
    Ok(parsed)
}

/// The file's certificates, known to be some.
fn authorities(ca_file: &str, secure: bool) -> Result<Option<Vec<u8>>, SharedLimitsError> {
    if ca_file.is_empty() {
        return Ok(None);
    }
    if !secure {
        return Err(SharedLimitsError::NeedlessCa);
    }
    let wrong = |cause| SharedLimitsError::Ca { path: ca_file.to_owned(), cause };
    let pem = std::fs::read(ca_file).map_err(|error| wrong(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(Some(pem)),
        Ok(_) => Err(wrong("there is no certificate in it".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

fn unfit(store: LimitStore, why: String) -> SharedLimitsError {
    SharedLimitsError::Url { store: store.name(), why, example: example(store) }
}

fn example(store: LimitStore) -> &'static str {
    if store == LimitStore::Nats { NATS } else { REDIS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(store: LimitStore, url: &str, ca_file: &str) -> Result<Address, SharedLimitsError> {
        Address::read(&SharedLimitsConfig { store, url: url.into(), ca_file: ca_file.to_owned() })
    }

    fn refusal(store: LimitStore, url: &str, ca_file: &str) -> String {
        read(store, url, ca_file).map(|_| "it is taken").unwrap_err().to_string()
    }

    #[test]
    fn each_store_takes_its_own_addresses() {
        assert!(matches!(read(LimitStore::Database, "", ""), Ok(Address::Database)));
        for url in ["redis://localhost", "rediss://:pass%40@redis.example:6380/3", "valkey://[::1]:6379"] {
            assert!(matches!(read(LimitStore::Redis, url, ""), Ok(Address::Redis(_))), "{url}");
        }
        for url in ["nats://localhost", "tls://a.example:4222, tls://b.example:4222"] {
            assert!(matches!(read(LimitStore::Nats, url, ""), Ok(Address::Nats(_))), "{url}");
        }
    }

    #[test]
    fn credentials_leave_the_address() {
        let Ok(Address::Nats(servers)) =
            read(LimitStore::Nats, "nats://us%40er:pa%2Fss@a.example,nats://b.example", "")
        else {
            panic!("it is refused")
        };

        let Credentials::User(user, password) = servers.credentials else { panic!("nobody") };
        assert_eq!((user.as_str(), password.expose_secret()), ("us@er", "pa/ss"));
        assert_eq!(servers.addresses.len(), 2);
        assert_eq!(servers.addresses[0].as_url_str(), "nats://a.example");
        let token = read(LimitStore::Nats, "nats://t0ken@a.example", "");
        assert!(matches!(token, Ok(Address::Nats(Servers { credentials: Credentials::Token(_), .. }))));
    }

    #[test]
    fn a_refusal_says_what_to_write_and_repeats_no_password() {
        assert!(refusal(LimitStore::Redis, "", "").contains("needs a url such as"));
        assert!(refusal(LimitStore::Database, "redis://localhost", "").contains("name the store"));
        assert!(refusal(LimitStore::Redis, "nats://localhost", "").contains("rediss://"));
        assert!(refusal(LimitStore::Redis, "redis://:hush@host:port", "").contains("port"));
        assert!(refusal(LimitStore::Nats, "nats://u:hush@a.example,redis://b", "").contains("tls://"));
        assert!(refusal(LimitStore::Redis, "rediss://host#insecure", "").contains('#'));
        assert!(refusal(LimitStore::Redis, "redis://host", "/ca.pem").contains("rediss://"));
        assert!(refusal(LimitStore::Nats, "tls://host", "/no/ca.pem").contains("/no/ca.pem"));
        for url in ["redis://:hush@host:port", "redis:hush", "redis://:hush@host/hush"] {
            assert!(!refusal(LimitStore::Redis, url, "").contains("hush"), "{url}");
        }
    }
}
