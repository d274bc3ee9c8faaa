//! What is derived from a document leaves the disk with it.

use std::path::{Path, PathBuf};

use sea_orm::{ConnectionTrait, Database};
use testkit::Engine;

use crate::house::{House, house, until};

/// A word that no other text has, in the form in which indexes keep it.
const WORD: &str = "zyxomatol";

// On the file's engine: what a database server leaves in its files is its own affair.
#[tokio::test]
async fn the_words_of_a_deleted_document_leave_the_disk() {
    let house = house(Engine::Sqlite).await;
    let owner = house.member("editor").await;
    let papers = house.collection(&owner, true).await;
    let text = format!("The {WORD} is a word of this text.");
    house.add(&owner, papers, "kept.txt", "Another text stays where it is.").await;
    let gone = house.add(&owner, papers, "gone.txt", &text).await;
    let before = traces(&house).await;

    let version = house.running.vault.get_document(&owner, gone).await.unwrap().version;
    let expected = kernel::Expected::from_argument(Some(version));
    house.running.vault.delete_document(&owner, gone, expected).await.unwrap();

    assert!(!before.is_empty(), "the word stood nowhere, so its absence shows nothing");
    until(async || traces(&house).await.is_empty().then_some(())).await;
    house.stop().await;
}

/// The files that hold the word.
async fn traces(house: &House) -> Vec<PathBuf> {
    let folder = house.db.store().folder();
    let other = Database::connect(house.db.store().url()).await.unwrap();
    other.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    other.close().await.unwrap();
    let mut found = Vec::new();
    look(folder, &mut found);
    found
}

fn look(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            look(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let holds = bytes.windows(WORD.len()).any(|window| window == WORD.as_bytes());
            // The vault's own copy is sealed, and stays until its grace is over.
            if holds {
                found.push(path);
            }
        }
    }
}
