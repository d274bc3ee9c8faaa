//! The files of the local CA: made once, kept private, checked before use.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints, SerialNumber,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use uuid::Uuid;
use x509_parser::{certificate::X509Certificate, extensions::GeneralName};

const LIFETIME: Duration = Duration::from_hours(10 * 365 * 24);
/// A root with less left than this is not used any more.
const NEEDED: Duration = Duration::from_hours(30 * 24);

/// Why there is no local certificate authority.
#[derive(Debug, thiserror::Error)]
pub enum LocalCaError {
    #[error("Can't {action} {}: {cause}. Make the folder readable and writable for this process.", .path.display())]
    File { action: &'static str, path: PathBuf, cause: io::Error },
    #[error("{} is not a certificate or key of the local CA. Remove ca.pem and ca-key.pem beside it to have new ones made.", .0.display())]
    Unreadable(PathBuf),
    #[error("{} does not belong to the ca-key.pem beside it. Remove both to have new ones made.", .0.display())]
    Mismatch(PathBuf),
    #[error("{} was made for another base domain than {domain}. Remove it and the ca-key.pem beside it to have new ones made; browsers must then trust the new root.", .path.display())]
    OtherDomain { path: PathBuf, domain: String },
    #[error("{} expires within 30 days. Remove it and the ca-key.pem beside it to have new ones made.", .0.display())]
    Expired(PathBuf),
    #[error("The base domain {0:?} is not a valid name.")]
    Domain(String),
    #[error("A certificate can't be made: {0}")]
    Crypto(rcgen::Error),
    #[error("A certificate can't be used: {0}")]
    Tls(rustls::Error),
}

/// Reads root and key, or makes them.
pub(crate) fn load_or_create(
    folder: &Path,
    base_domain: &str,
    now: SystemTime,
) -> Result<(CertificateDer<'static>, KeyPair), LocalCaError> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if base_domain.is_empty() || base_domain.len() > 253 || !base_domain.bytes().all(letter) {
        return Err(LocalCaError::Domain(base_domain.to_owned()));
    }
    let (root_path, key_path) = (folder.join("ca.pem"), folder.join("ca-key.pem"));
    if !exists(&root_path)? || !exists(&key_path)? {
        create(folder, &root_path, &key_path, base_domain, now)?;
    }
    load(&root_path, &key_path, base_domain, now)
}

fn exists(path: &Path) -> Result<bool, LocalCaError> {
    path.try_exists().map_err(failed("read", path))
}

fn load(
    root_path: &Path,
    key_path: &Path,
    base_domain: &str,
    now: SystemTime,
) -> Result<(CertificateDer<'static>, KeyPair), LocalCaError> {
    let root_pem = fs::read(root_path).map_err(failed("read", root_path))?;
    let key_pem = fs::read_to_string(key_path).map_err(failed("read", key_path))?;
    let root = CertificateDer::from_pem_slice(&root_pem).map_err(|_| LocalCaError::Unreadable(root_path.into()))?;
    let key = KeyPair::from_pem(&key_pem).map_err(|_| LocalCaError::Unreadable(key_path.into()))?;
    let (_, parsed) =
        x509_parser::parse_x509_certificate(&root).map_err(|_| LocalCaError::Unreadable(root_path.into()))?;
    if parsed.public_key().subject_public_key.data != key.public_key_raw() {
        return Err(LocalCaError::Mismatch(root_path.into()));
    }
    if !permits(&parsed, base_domain) {
        return Err(LocalCaError::OtherDomain { path: root_path.into(), domain: base_domain.to_owned() });
    }
    let seconds = (now + NEEDED).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0) < seconds {
        return Err(LocalCaError::Expired(root_path.into()));
    }
    Ok((root, key))
}

fn permits(root: &X509Certificate<'_>, base_domain: &str) -> bool {
    let Ok(Some(constraints)) = root.name_constraints() else { return false };
    let permitted = constraints.value.permitted_subtrees.iter().flatten();
    permitted.map(|tree| &tree.base).any(|name| matches!(name, GeneralName::DNSName(name) if *name == base_domain))
}

fn create(
    folder: &Path,
    root_path: &Path,
    key_path: &Path,
    base_domain: &str,
    now: SystemTime,
) -> Result<(), LocalCaError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed("create", folder))?;
    let private = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    private.map_err(failed("protect", folder))?;

    let key = KeyPair::generate().map_err(LocalCaError::Crypto)?;
    let root = root_params(base_domain, now).self_signed(&key).map_err(LocalCaError::Crypto)?;
    write(key_path, &key.serialize_pem(), 0o600)?;
    write(root_path, &root.pem(), 0o644)
}

/// A root that is worth little to a thief: it can sign for this machine's names only, and no further authority.
fn root_params(base_domain: &str, now: SystemTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    let mut names = vec![GeneralSubtree::DnsName(base_domain.to_owned())];
    if base_domain != "localhost" {
        names.push(GeneralSubtree::DnsName("localhost".to_owned()));
    }
    for (address, prefix) in [(IpAddr::V4(Ipv4Addr::LOCALHOST), 32), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)] {
        names.push(GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix)));
    }
    params.serial_number = Some(new_serial());
    params.name_constraints = Some(NameConstraints { permitted_subtrees: names, excluded_subtrees: Vec::new() });
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Holdfast");
    params.distinguished_name.push(DnType::CommonName, format!("Holdfast local CA ({})", machine_name()));
    params.not_before = (now - Duration::from_hours(1)).into();
    params.not_after = (now + LIFETIME).into();
    params
}

/// Browsers refuse a second certificate with the serial number of another by the same authority.
#[expect(clippy::disallowed_methods, reason = "the edge stands beside the kernel")]
pub(crate) fn new_serial() -> SerialNumber {
    SerialNumber::from_slice(Uuid::now_v7().as_bytes())
}

fn machine_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    let name = name.unwrap_or_default();
    let name: String = name.trim().chars().filter(char::is_ascii_graphic).take(40).collect();
    if name.is_empty() { "this machine".to_owned() } else { name }
}

/// Writes a whole file or none: beside it first, then in its place.
fn write(path: &Path, content: &str, mode: u32) -> Result<(), LocalCaError> {
    let beside = path.with_extension("pem.new");
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    written.map_err(failed("write", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LocalCaError {
    let path = path.to_owned();
    move |cause| LocalCaError::File { action, path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local_ca::wall_clock;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_authority_is_private_and_is_found_again() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("tls");

        let (first, _) = load_or_create(&folder, "localhost", wall_clock()).unwrap();
        let (second, _) = load_or_create(&folder, "localhost", wall_clock()).unwrap();

        assert_eq!(first, second);
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("ca-key.pem")), 0o600);
        assert_eq!(mode(&folder.join("ca.pem")), 0o644);
        let (_, root) = x509_parser::parse_x509_certificate(&first).unwrap();
        let constraints = root.basic_constraints().unwrap().unwrap().value;
        assert!(constraints.ca && constraints.path_len_constraint == Some(0));
        assert!(root.subject().to_string().contains("Holdfast local CA"));
    }

    #[test]
    fn files_that_do_not_fit_are_named_with_a_remedy() {
        let data = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        load_or_create(data.path(), "localhost", wall_clock()).unwrap();
        load_or_create(other.path(), "localhost", wall_clock()).unwrap();
        let load = |domain| load_or_create(data.path(), domain, wall_clock()).map(drop).unwrap_err();

        assert!(matches!(load("example.com"), LocalCaError::OtherDomain { .. }));
        assert!(matches!(load("no spaces"), LocalCaError::Domain(_)));
        let late = load_or_create(data.path(), "localhost", wall_clock() + LIFETIME).map(drop).unwrap_err();
        assert!(matches!(late, LocalCaError::Expired(_)));
        fs::copy(other.path().join("ca-key.pem"), data.path().join("ca-key.pem")).unwrap();
        assert!(matches!(load("localhost"), LocalCaError::Mismatch(_)));
        fs::write(data.path().join("ca.pem"), "nonsense").unwrap();
        assert!(matches!(load("localhost"), LocalCaError::Unreadable(_)));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("file");
        fs::write(&file, "in the way").unwrap();

        let error = load_or_create(&file.join("tls"), "localhost", wall_clock()).map(drop).unwrap_err();

        assert!(error.to_string().contains("file/tls"), "{error}");
    }
}
