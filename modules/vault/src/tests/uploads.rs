//! What comes in goes out again, and what does not fit leaves nothing.

use std::io;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use kernel::Expected;
use testkit::{Engine, on_both_engines};

use super::{House, all, code, house, incoming, plain, status};
use crate::format::SEGMENT;
use crate::{Error, Incoming};

async fn a_document_goes_out_as_it_came_in_at_every_size(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, false, None).await;

    for size in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 9 * SEGMENT + 5] {
        let bytes = plain(size);
        let document = house.upload(&owner, &collection, "a.bin", &bytes).await;
        assert_eq!(document.size, i64::try_from(size).unwrap());
        assert_eq!(document.sha256, hex::encode(digest(&SHA256, &bytes)));
        assert_eq!(house.read(&owner, document.id).await.unwrap(), bytes, "{size}");
        let content = house.vault.content(&owner, document.id, None).await.unwrap();
        let (from, to) = (size as u64 / 3, size as u64 * 2 / 3);
        let mut reading = content.read(from..to, "download").await.unwrap();
        let mut part = Vec::new();
        while let Some(more) = reading.next().await.unwrap() {
            part.extend_from_slice(&more);
        }
        assert!(part == bytes[size / 3..size * 2 / 3], "a part of {size}");
    }
}

fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, bytes) in parts {
        body.extend_from_slice(format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"").as_bytes());
        body.extend(file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default().as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--x--\r\n");
    body
}

fn as_form(body: &[u8], piece: usize) -> Incoming {
    let content_type = Some("multipart/form-data; boundary=x".to_owned());
    Incoming { name: None, content_type, ..incoming("", body, piece) }
}

async fn a_form_holds_one_file_whatever_is_around_it(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, true, None).await;
    let bytes = plain(200_000);
    let upload = async |incoming| house.vault.upload_document(&owner, Some(collection.id), incoming).await;

    for piece in [1000, 70_000, 1_000_000] {
        let body = form(&[("note", None, b"hello"), ("file", Some("a.pdf"), &bytes), ("more", None, b"")]);
        let document = upload(as_form(&body, piece)).await.unwrap();
        assert_eq!((document.name.as_str(), document.media_type.as_str()), ("a.pdf", "application/pdf"));
        assert_eq!(house.read(&owner, document.id).await.unwrap(), bytes);
    }
    let kept = house.blobs().len();
    for (what, body) in [
        ("no file", form(&[("note", None, b"hello")])),
        ("two files", form(&[("a", Some("a"), b"1"), ("b", Some("b"), b"2")])),
        ("half a form", form(&[("a", Some("a"), &bytes)])[..100_000].to_vec()),
        ("no form", b"hello".to_vec()),
        ("a head without end", [b"--x\r\nContent-Disposition: ".as_slice(), &vec![b'a'; 4 << 20]].concat()),
        ("a path for a name", form(&[("a", Some("../a"), b"1")])),
    ] {
        let refused = upload(as_form(&body, 8192)).await.unwrap_err();
        assert_eq!(status(refused), 400, "{what}");
    }
    house.vault.remove_doomed().await;
    assert_eq!(house.blobs().len(), kept);
}

async fn a_body_that_ends_early_is_too_large_or_has_another_digest_leaves_nothing(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, true, None).await;
    let upload = async |incoming| house.vault.upload_document(&owner, Some(collection.id), incoming).await;
    let bytes = plain(300_000);
    let digest_of = |bytes: &[u8]| {
        let hash = base64::engine::general_purpose::STANDARD.encode(digest(&SHA256, bytes));
        Some(format!("sha-256=:{hash}:"))
    };

    let cut = || stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::UnexpectedEof))]);
    let half = Incoming { body: Box::pin(incoming("a", &bytes, 1000).body.chain(cut())), ..incoming("a", b"", 1) };
    assert_eq!(code(upload(half).await.unwrap_err()), "vault.upload_broken");
    let large = incoming("a", &plain((1 << 20) + 1), 50_000);
    assert_eq!(status(upload(large).await.unwrap_err()), 413);
    let other = Incoming { content_digest: digest_of(b"other"), ..incoming("a", &bytes, 1000) };
    assert_eq!(code(upload(other).await.unwrap_err()), "vault.digest_mismatch");
    house.vault.remove_doomed().await;
    // A writer that is dropped is taken away by a task of the store.
    for _ in 0..200 {
        if house.blobs().is_empty() {
            break;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(house.blobs(), Vec::<std::path::PathBuf>::new());
    assert_eq!(house.vault.list_documents(&owner, &all(), false).await.unwrap().1.items, []);

    let same = Incoming { content_digest: digest_of(&bytes), ..incoming("a", &bytes, 1000) };
    assert!(upload(same).await.is_ok());
    let exact = incoming("a", &plain(1 << 20), 50_000);
    assert!(upload(exact).await.is_ok());
}

async fn a_repeated_upload_with_its_key_is_one_document(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, true, None).await;
    let keyed = || {
        let mut caller = owner.clone();
        caller.request = super::request();
        caller.request.idempotency_key = Some("upload-1".into());
        caller
    };
    let upload = async |bytes: &[u8]| {
        let caller = keyed();
        let made = house.vault.upload_document(&caller, Some(collection.id), incoming("a", bytes, 1000)).await;
        (made, caller.request.replayed())
    };

    let (first, again) = (upload(b"one").await, upload(b"one").await);
    assert_eq!(first.0.unwrap(), again.0.unwrap());
    assert_eq!((first.1, again.1), (false, true));
    assert_eq!(status(upload(b"two").await.0.unwrap_err()), 422);
    house.vault.remove_doomed().await;
    assert_eq!(house.blobs().len(), 1);
}

async fn a_new_version_is_the_document_and_the_old_one_stays(engine: Engine) {
    let house = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, true, None).await;
    let first = house.upload(&owner, &collection, "a.txt", b"one").await;
    let versions = |expected, bytes: &'static [u8]| {
        house.vault.upload_document_version(&owner, first.id, expected, incoming("", bytes, 10))
    };

    let second = versions(Expected::Version(1), b"two").await.unwrap();
    assert_eq!((second.number, second.media_type.as_str()), (2, "text/plain"));
    assert_eq!(status(versions(Expected::Version(1), b"three").await.unwrap_err()), 412);

    let now = house.vault.document(&owner, first.id).await.unwrap();
    assert_eq!((now.version_id, now.version_number, now.version), (second.id, 2, 2));
    assert_eq!(house.read(&owner, first.id).await.unwrap(), b"two");
    let old = house.vault.content(&owner, first.id, Some(first.version_id)).await.unwrap();
    assert_eq!(old.version.number, 1);
    assert_eq!(old.read(0..3, "download").await.unwrap().next().await.unwrap().unwrap(), "one");
    let (_, page) = house.vault.list_document_versions(&owner, first.id, &all()).await.unwrap();
    assert_eq!(page.items.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
}

async fn more_uploads_than_allowed_are_asked_to_come_back(engine: Engine) {
    let house: House = house(engine).await;
    let owner = house.member("owner").await;
    let collection = house.collection(&owner, true, None).await;
    let waiting = || Incoming { body: Box::pin(stream::pending()), ..incoming("a", b"", 1) };
    let mut held: Vec<_> =
        (0..4).map(|_| Box::pin(house.vault.upload_document(&owner, Some(collection.id), waiting()))).collect();
    for upload in &mut held {
        // Runs up to the body that never comes.
        let begun = tokio::time::timeout(std::time::Duration::from_millis(300), upload).await;
        assert!(begun.is_err());
    }

    let refused = house.vault.upload_document(&owner, Some(collection.id), incoming("a", b"1", 1)).await;
    assert!(matches!(refused, Err(Error::Busy)));
    held.clear();
    assert!(house.vault.upload_document(&owner, Some(collection.id), incoming("a", b"1", 1)).await.is_ok());
}

on_both_engines!(
    a_document_goes_out_as_it_came_in_at_every_size,
    a_form_holds_one_file_whatever_is_around_it,
    a_body_that_ends_early_is_too_large_or_has_another_digest_leaves_nothing,
    a_repeated_upload_with_its_key_is_one_document,
    a_new_version_is_the_document_and_the_old_one_stays,
    more_uploads_than_allowed_are_asked_to_come_back,
);
