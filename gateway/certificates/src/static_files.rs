//! Certificates from files: loaded at start, loaded again when they change.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{crypto::aws_lc_rs, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::{
    bundle::{self, BundleError},
    name::Name,
};

/// A chain and its key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFiles {
    /// The chain in PEM, leaf first.
    pub certificate: PathBuf,
    /// The key in PEM.
    pub key: PathBuf,
}

/// A pair of files is of no use.
#[derive(Debug, thiserror::Error)]
pub enum StaticError {
    #[error("Can't read {}: {cause}. Check the path and the file's mode.", .path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{} holds no certificate in PEM.", .0.display())]
    Certificate(PathBuf),
    #[error("{} holds no usable key in PEM, or not the key of the certificate: {cause}", .path.display())]
    Key { path: PathBuf, cause: String },
}

type Stamp = Option<(SystemTime, u64)>;
type ByName = HashMap<String, Arc<CertifiedKey>>;

/// Certificates from files, by the names in them.
#[derive(Debug)]
pub struct StaticCertificates {
    files: Vec<CertificateFiles>,
    loaded: RwLock<Loaded>,
}

#[derive(Debug, Default)]
struct Loaded {
    by_name: Arc<ByName>,
    stamps: Vec<(Stamp, Stamp)>,
}

impl StaticCertificates {
    /// Loads all pairs.
    ///
    /// # Errors
    /// [`StaticError`] names the first file that is of no use.
    pub fn open(files: Vec<CertificateFiles>) -> Result<Self, StaticError> {
        let opened = Self { files, loaded: RwLock::default() };
        opened.reload()?;
        Ok(opened)
    }

    /// Loads all pairs again, as after `SIGHUP`; connections that are open keep what they have.
    ///
    /// # Errors
    /// [`StaticError`] names the first file that is of no use; everything then stays as it was.
    pub fn reload(&self) -> Result<(), StaticError> {
        let stamps = self.stamps();
        let mut by_name = ByName::new();
        for files in &self.files {
            let (names, key) = load(files)?;
            for name in names {
                by_name.entry(name).or_insert_with(|| Arc::clone(&key));
            }
        }
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        *loaded = Loaded { by_name: Arc::new(by_name), stamps };
        Ok(())
    }

    /// Loads again if a file has another time or length than before. Answers whether it did.
    ///
    /// # Errors
    /// As for [`StaticCertificates::reload`].
    pub fn reload_if_changed(&self) -> Result<bool, StaticError> {
        let changed = self.loaded.read().unwrap_or_else(PoisonError::into_inner).stamps != self.stamps();
        if changed {
            self.reload()?;
        }
        Ok(changed)
    }

    /// Looks every `interval` whether a file changed, until `stop`. A pair that is of no use (half written, say) is
    /// told in the log once and tried again.
    pub async fn watch(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        let mut told = false;
        while stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
            let this = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || this.reload_if_changed()).await;
            match looked {
                Ok(Err(error)) if !told => {
                    tracing::error!(%error, "certificate files changed and can't be used; the former ones stay");
                    told = true;
                }
                Ok(Err(_)) | Err(_) => {}
                Ok(Ok(changed)) => {
                    told = false;
                    if changed {
                        tracing::info!("certificate files were loaded again");
                    }
                }
            }
        }
    }

    /// The certificate that names this host, or the wildcard above it.
    pub fn certificate(&self, name: &Name) -> Option<Arc<CertifiedKey>> {
        let by_name = Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner).by_name);
        let wildcard = || name.covering_wildcard().and_then(|wildcard| by_name.get(wildcard.as_str()).cloned());
        by_name.get(name.as_str()).cloned().or_else(wildcard)
    }

    fn stamps(&self) -> Vec<(Stamp, Stamp)> {
        let stamp = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        self.files.iter().map(|files| (stamp(&files.certificate), stamp(&files.key))).collect()
    }
}

fn load(files: &CertificateFiles) -> Result<(Vec<String>, Arc<CertifiedKey>), StaticError> {
    let read = |path: &PathBuf| fs::read(path).map_err(|cause| StaticError::File { path: path.clone(), cause });
    let no_certificate = |_: BundleError| StaticError::Certificate(files.certificate.clone());
    let no_key = |cause: String| StaticError::Key { path: files.key.clone(), cause };
    let text = read(&files.certificate)?;
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|_| StaticError::Certificate(files.certificate.clone()))?;
    let facts = bundle::facts_of(&chain).map_err(no_certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| no_key(error.to_string()))?;
    let certified = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider());
    Ok((facts.names, Arc::new(certified.map_err(|error| no_key(error.to_string()))?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair};

    fn write(folder: &std::path::Path, names: &[&str]) -> CertificateFiles {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let files = CertificateFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        fs::write(&files.certificate, certificate.pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn files_that_change_are_loaded_again_and_broken_ones_leave_the_former() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), &["a.example.com", "*.example.org"]);
        let held = StaticCertificates::open(vec![files.clone()]).unwrap();
        let has = |name: &str| held.certificate(&Name::parse(name).unwrap()).is_some();
        assert!(has("a.example.com") && has("x.example.org"));
        assert!(!has("b.example.com") && !has("y.x.example.org"));
        assert!(!held.reload_if_changed().unwrap());

        write(folder.path(), &["longer-name.example.com"]);
        assert!(held.reload_if_changed().unwrap());
        assert!(has("longer-name.example.com") && !has("a.example.com"));

        fs::write(&files.key, "half a k").unwrap();
        assert!(matches!(held.reload_if_changed(), Err(StaticError::Key { .. })));
        assert!(has("longer-name.example.com"));
    }

    #[test]
    fn the_key_of_another_certificate_is_refused() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mixed = CertificateFiles {
            certificate: write(one.path(), &["a.example.com"]).certificate,
            key: write(two.path(), &["a.example.com"]).key,
        };

        assert!(matches!(StaticCertificates::open(vec![mixed]), Err(StaticError::Key { .. })));
    }
}
