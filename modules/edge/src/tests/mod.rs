//! The store does what its users count on, on both engines.

mod allowances;

use std::sync::Arc;

use edge_certificates::CertificateStore;
use testkit::Engine;

use crate::CertificateRows;

async fn store(engine: Engine) -> Arc<dyn CertificateStore> {
    let db = testkit::db(engine).await;
    let store = Arc::new(CertificateRows::default());
    store.attach(db.clone());
    // It lasts as long as the test's process; what it leaves goes with the run's folder.
    std::mem::forget(db);
    store
}

mod sqlite {
    fake_ca::store_contract!(super::store(testkit::Engine::Sqlite).await);
}

mod postgres {
    fake_ca::store_contract!(super::store(testkit::Engine::Postgres).await);
}
