//! The edge's certificates: what people see of them and do with them.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use edge_certificates::{CertificateStore, Certificates, HttpAnswers, Name, Record};
use events::Subscriber;
use kernel::{Caller, Db, ListParams, ListRequest, Page, Problem, Random, RootKey, SYSTEM_TENANT, Tasks, Tx};

use crate::certificates::Fault;
use crate::config::EdgeConfig;
use crate::error::{EdgeConfigError, Error};
use crate::issuance::Issuance;
use crate::listing::{CERTIFICATES, STEPS};
use crate::model::{Certificate, CertificateStep};
use crate::permissions::{CERTIFICATES_READ, CERTIFICATES_WRITE};
use crate::purging::Done;
use crate::steering::{Applied, Changed, Steering};
use crate::store;
use crate::subscribers::Domains;
use crate::traffic::Lookout;

/// The edge's rows and what is done with them. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    issuance: Issuance,
    steering: OnceLock<Arc<dyn Steering>>,
    applied: Mutex<Applied>,
    /// One at a time puts rows in force, so that older ones don't come after newer ones.
    following: tokio::sync::Mutex<()>,
    changed: Changed,
    purged: tokio::sync::Mutex<Done>,
    lookout: OnceLock<Lookout>,
}

impl Edge {
    /// The edge of these settings. It can serve the certificates that are on this machine (in the data folder `data`)
    /// at once; all else begins with [`Self::attach`].
    ///
    /// # Errors
    /// [`EdgeConfigError`] names the setting that can't work.
    pub fn open(
        config: &EdgeConfig,
        data: &Path,
        keys: &RootKey,
        clock: kernel::Clock,
        random: Random,
    ) -> Result<Self, EdgeConfigError> {
        let issuance = Issuance::open(config, data, keys, (clock, random))?;
        Ok(Self(Arc::new(Inner {
            issuance,
            steering: OnceLock::new(),
            applied: Mutex::default(),
            following: tokio::sync::Mutex::default(),
            changed: Changed::default(),
            purged: tokio::sync::Mutex::default(),
            lookout: OnceLock::new(),
        })))
    }

    /// From now on the rows are in this database.
    pub fn attach(&self, db: &Db) {
        self.0.issuance.rows.attach(db.clone());
    }

    /// What answers handshakes.
    pub fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(&self.0.issuance.certificates)
    }

    /// What answers HTTP-01.
    pub fn answers(&self) -> Arc<HttpAnswers> {
        Arc::clone(&self.0.issuance.answers)
    }

    /// Whether this machine holds certificates of an earlier time, which are worth serving without a database.
    pub fn holds_any(&self) -> bool {
        self.0.issuance.holds_any()
    }

    /// Starts ordering, renewing, following changes of routes, and keeping this machine's certificates in step.
    pub fn start(&self, tasks: &Tasks) {
        self.0.issuance.start(tasks);
        self.start_following(tasks);
        self.start_catching_up(tasks);
    }

    /// Reads the certificate files again.
    ///
    /// # Errors
    /// Which file is of no use; everything stays as it was.
    pub fn reload(&self) -> Result<(), EdgeConfigError> {
        self.0.issuance.reload()
    }

    /// Who hears of domains that come and go.
    pub fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![Arc::new(Domains(self.clone()))]
    }

    /// Makes the installation's own names those of the settings.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn prepare(&self) -> Result<(), Problem> {
        let (owner, names) = (SYSTEM_TENANT.to_string(), self.0.issuance.names.clone());
        let prepared = async |tx: &Tx| -> Result<(), Fault> {
            for known in store::names::own(tx, &owner).await? {
                if !names.contains(&known) {
                    store::names::unwant(tx, &known, tx.now()).await?;
                }
            }
            for name in &names {
                store::names::want_own(tx, name, &owner, tx.now()).await?;
            }
            Ok(())
        };
        self.db()?.write(&Caller::platform("edge"), prepared).await.map_err(Problem::from)
    }

    /// The certificates of the caller's tenant; in the system tenant, of all.
    ///
    /// # Errors
    /// The caller lacks [`CERTIFICATES_READ`], or a parameter is wrong.
    pub async fn list_certificates(
        &self,
        caller: &Caller,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<Certificate>), Error> {
        caller.require(CERTIFICATES_READ)?;
        let db = self.db()?;
        let request = ListRequest::new(&CERTIFICATES, params, caller, db.keys())?;
        let owner = owner(caller);
        let list = async |tx: &Tx| store::names::list(tx, &request, owner.as_deref()).await;
        let records: Vec<Record> = db.read(caller, list).await?;
        let page = request.page(records.into_iter().map(Certificate::from).collect())?;
        Ok((request, page))
    }

    /// One certificate.
    ///
    /// # Errors
    /// The caller lacks [`CERTIFICATES_READ`], or has no such name.
    pub async fn get_certificate(&self, caller: &Caller, name: &str) -> Result<Certificate, Error> {
        caller.require(CERTIFICATES_READ)?;
        let name = Name::parse(name).map_err(|_| Problem::not_found())?;
        let found: Certificate = self.db()?.read(caller, async |tx: &Tx| visible(tx, caller, &name).await).await?;
        Ok(found)
    }

    /// What happened to a certificate, the latest first.
    ///
    /// # Errors
    /// The caller lacks [`CERTIFICATES_READ`], has no such name, or a parameter is wrong.
    pub async fn list_certificate_steps(
        &self,
        caller: &Caller,
        name: &str,
        params: &ListParams,
    ) -> Result<(ListRequest, Page<CertificateStep>), Error> {
        caller.require(CERTIFICATES_READ)?;
        let db = self.db()?;
        let request = ListRequest::new(&STEPS, params, caller, db.keys())?;
        let name = Name::parse(name).map_err(|_| Problem::not_found())?;
        let list = async |tx: &Tx| -> Result<_, Error> {
            let certificate = visible(tx, caller, &name).await?;
            Ok(store::timeline::list(tx, &request, &name, &certificate.tenant_id).await?)
        };
        let steps: Vec<CertificateStep> = db.read(caller, list).await?;
        let page = request.page(steps)?;
        Ok((request, page))
    }

    /// Has a certificate tried again, or renewed before its time. It comes when the issuer allows it.
    ///
    /// # Errors
    /// [`Error::NoIssuer`], the caller lacks [`CERTIFICATES_WRITE`], or has no such name.
    pub async fn renew_certificate(&self, caller: &Caller, name: &str) -> Result<Certificate, Error> {
        caller.require(CERTIFICATES_WRITE)?;
        let name = Name::parse(name).map_err(|_| Problem::not_found())?;
        let manager = self.0.issuance.manager.clone().ok_or(Error::NoIssuer)?;
        let renew = async |tx: &Tx| -> Result<_, Error> {
            visible(tx, caller, &name).await?;
            store::names::make_due(tx, &name, tx.now(), true).await.map_err(Problem::from)?;
            let entry = audit::Entry::success("edge.certificate_renewal_asked").target("certificate", &name);
            audit::append(tx, caller, entry).await?;
            let manager = Arc::clone(&manager);
            tx.on_commit(move || manager.wake());
            visible(tx, caller, &name).await
        };
        self.db()?.write_once(caller, "edge.renew_certificate", &name, renew).await
    }

    /// How the certificates of these names stand, for whoever shows domains; those that nobody wanted are left out.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn standing(&self, names: &[String]) -> Result<Vec<Certificate>, Problem> {
        let names: Vec<Name> = names.iter().filter_map(|name| Name::parse(name).ok()).collect();
        let find = async |tx: &Tx| store::names::among(tx, &names).await;
        let records: Vec<Record> = self.db()?.read(&Caller::platform("edge"), find).await?;
        Ok(records.into_iter().map(Certificate::from).collect())
    }

    /// The latest steps of a name's certificate, newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn steps(&self, name: &str, limit: u32) -> Result<Vec<CertificateStep>, Problem> {
        let Ok(name) = Name::parse(name) else { return Ok(Vec::new()) };
        let entries = self.0.issuance.rows.timeline(&name, limit).await;
        let entries = entries.map_err(Problem::internal)?;
        Ok(entries.into_iter().map(|entry| CertificateStep::new(0, entry)).collect())
    }

    /// Looks for due names now.
    pub(crate) fn wake(&self) {
        if let Some(manager) = &self.0.issuance.manager {
            manager.wake();
        }
    }

    pub(crate) fn steering_cell(&self) -> &OnceLock<Arc<dyn Steering>> {
        &self.0.steering
    }

    pub(crate) fn lookout_cell(&self) -> &OnceLock<Lookout> {
        &self.0.lookout
    }

    pub(crate) fn applied(&self) -> MutexGuard<'_, Applied> {
        self.0.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn my_turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.following.lock().await
    }

    pub(crate) async fn purging(&self) -> tokio::sync::MutexGuard<'_, Done> {
        self.0.purged.lock().await
    }

    pub(crate) fn changed(&self) -> &Changed {
        &self.0.changed
    }

    pub(crate) fn db(&self) -> Result<&Db, Problem> {
        self.0.issuance.rows.database().ok_or_else(|| Problem::internal("the edge's database is not attached"))
    }
}

/// Whose certificates the caller sees; none: everybody's.
fn owner(caller: &Caller) -> Option<String> {
    (caller.tenant != SYSTEM_TENANT).then(|| caller.tenant.to_string())
}

async fn visible(tx: &Tx, caller: &Caller, name: &Name) -> Result<Certificate, Error> {
    let found = store::names::find(tx, name).await.map_err(Problem::from)?.filter(|record| record.wanted);
    let owner = owner(caller);
    let own = found.filter(|record| owner.as_ref().is_none_or(|owner| *owner == record.tenant));
    Ok(own.map(Certificate::from).ok_or_else(Problem::not_found)?)
}
