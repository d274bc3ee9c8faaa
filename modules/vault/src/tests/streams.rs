//! Downloads under way when the right to read ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{Expected, Problem};
use testkit::{Engine, on_both_engines};

use super::{house, plain};
use crate::{Access, Reading};

async fn ended(mut reading: Reading) -> Problem {
    loop {
        match reading.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it went on to its end"),
            Err(error) => return error.into(),
        }
    }
}

async fn a_grant_that_is_taken_away_stops_the_download_at_its_next_bytes(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, false, None).await;
    let document = house.upload(&author, &collection, "a.bin", &plain(1 << 20)).await;
    let grant = house.grant(&author, &document, &reader, Access::Read).await;
    let told = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&told);
    house.vault.on_change(Arc::new(move |_| {
        heard.fetch_add(1, Ordering::Relaxed);
    }));
    let content = house.vault.content(&reader, document.id, None).await.unwrap();
    let mut reading = content.read(0..1 << 20, "download").await.unwrap();
    assert!(reading.next().await.unwrap().is_some());

    house.vault.delete_grant(&author, grant.id).await.unwrap();

    assert_eq!(Problem::from(reading.next().await.unwrap_err()), Problem::not_found());
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

async fn another_change_does_not_stop_a_download_and_a_deletion_does(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, false, None).await;
    let document = house.upload(&author, &collection, "a.bin", &plain(1 << 20)).await;
    let other = house.upload(&author, &collection, "b.bin", b"1").await;
    house.grant(&author, &document, &reader, Access::Read).await;
    let content = house.vault.content(&reader, document.id, None).await.unwrap();
    let mut reading = content.read(0..1 << 20, "download").await.unwrap();

    house.grant(&author, &other, &reader, Access::Read).await;
    assert!(reading.next().await.unwrap().is_some());

    house.vault.delete_document(&author, document.id, Expected::Any).await.unwrap();
    assert_eq!(ended(reading).await, Problem::not_found());
}

async fn a_reader_who_leaves_the_tenant_stops_reading(engine: Engine) {
    let house = house(engine).await;
    let (author, reader) = (house.member("editor").await, house.member("viewer").await);
    let collection = house.collection(&author, false, None).await;
    let document = house.upload(&author, &collection, "a.bin", &plain(1 << 20)).await;
    house.grant(&author, &document, &reader, Access::Read).await;
    let content = house.vault.content(&reader, document.id, None).await.unwrap();
    let reading = content.read(0..1 << 20, "download").await.unwrap();

    let system = kernel::Caller::system("test", house.tenant);
    let account = reader.account().unwrap();
    let leave = async |tx: &kernel::Tx| house.tenancy.remove_account(tx, &system, account).await;
    assert!(house.db.write(&system, leave).await.unwrap());

    assert_eq!(ended(reading).await, Problem::not_found());
}

on_both_engines!(
    a_grant_that_is_taken_away_stops_the_download_at_its_next_bytes,
    another_change_does_not_stop_a_download_and_a_deletion_does,
    a_reader_who_leaves_the_tenant_stops_reading,
);
