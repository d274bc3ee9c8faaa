//! Answers on the disk: they outlast the process, never harm, and are purged like those in memory.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use edge_cache::{Config, DiskConfig, Policy, PurgeMode};
use http::Request;
use http_body_util::Empty;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::support::{House, answer, config, full, get, read, scope, with_status};

const KEPT: [(&str, &str); 3] = [("cache-control", "max-age=600"), ("surrogate-key", "shop"), ("etag", "\"1\"")];
const KIB: usize = 1024;

fn on_disk(folder: &Path, bytes: u64, written_from: u64) -> Config {
    let disk = DiskConfig { path: folder.to_owned(), bytes, written_from };
    Config { disk: Some(disk), ..config() }
}

/// A house whose disk is open and serves what it has.
async fn open(folder: &Path) -> House {
    let house = House::with(Policy::default(), on_disk(folder, 8 << 20, 0));
    house.cache.opened().await;
    house.cache.note_purge(1).await;
    house
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let ours = folder.join("answers-1");
    let shards = fs::read_dir(&ours).unwrap().flatten().filter(|entry| entry.path().is_dir());
    let all = shards.flat_map(|shard| fs::read_dir(shard.path()).unwrap().flatten().map(|file| file.path()));
    all.collect()
}

async fn written(folder: &Path, count: usize) {
    while files(folder).iter().filter(|file| !file.starts_with(folder.join("answers-1/new"))).count() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_kept_outlasts_the_process() {
    let folder = TempDir::new().unwrap();
    let house = House::with(Policy::default(), on_disk(folder.path(), 8 << 20, 1 << 20));
    assert_eq!(house.cache.opened().await, -1);
    house.cache.note_purge(7).await;
    house.send(get("/a?b=1").header("accept-language", "en"), answer(&KEPT, "one")).await;
    house.send(get("/empty"), with_status(404, &[("cache-control", "max-age=60"), ("x-odd", "\u{e9}")], "")).await;
    house.send(get("/short"), answer(&[("cache-control", "no-cache"), ("etag", "\"2\"")], "two")).await;
    house.cache.close().await;
    drop(house);

    let house = House::with(Policy::default(), on_disk(folder.path(), 8 << 20, 1 << 20));
    assert_eq!(house.cache.opened().await, 7);
    assert!(!house.holds("/a?b=1").await, "nothing is used before it is known what was purged");
    house.cache.note_purge(7).await;
    house.pass(9);
    let found = house.send(get("/a?b=1"), with_status(599, &[], "")).await;
    assert!(found.is_hit());
    assert_eq!((found.body.as_ref(), found.header("age"), found.header("etag")), (&b"one"[..], "9", "\"1\""));
    assert!(!found.headers.contains_key("surrogate-key"));
    let empty = house.send(get("/empty"), with_status(599, &[], "")).await;
    assert_eq!((empty.status.as_u16(), empty.headers["x-odd"].as_bytes()), (404, "\u{e9}".as_bytes()));
    assert!(!house.holds("/short").await);
    assert!(house.cache.stats().recalled >= 2);
}

#[tokio::test]
async fn answers_that_memory_has_no_room_for_come_back_from_the_disk() {
    let folder = TempDir::new().unwrap();
    let house = House::with(
        Policy::default(),
        Config { memory_bytes: 256 << 10, max_object_bytes: 32 << 10, ..on_disk(folder.path(), 16 << 20, 1 << 20) },
    );
    house.cache.opened().await;
    house.cache.note_purge(0).await;
    let body = "x".repeat(20 * KIB);
    let mut fitting = with_status(200, &KEPT, "");
    for number in 0..100 {
        *fitting.body_mut() = full(format!("{number} {body}"));
        house.send(get(&format!("/{number}")), fitting).await;
        fitting = with_status(200, &KEPT, "");
        // Slowly, as the disk writes: what it has no time for is dropped.
        tokio::task::yield_now().await;
    }
    written(folder.path(), 86).await;

    let mut held = 0;
    for number in 0..100 {
        let found =
            house.send(get(&format!("/{number}")), with_status(599, &[("cache-control", "no-store")], "")).await;
        if found.is_hit() {
            assert_eq!(found.body, format!("{number} {body}"));
            held += 1;
        }
    }
    assert!(held >= 86, "{held}");
    assert!(house.cache.stats().memory_bytes <= 256 << 10);
}

#[tokio::test]
async fn folders_and_files_are_ours_alone() {
    let folder = TempDir::new().unwrap();
    let house = open(folder.path()).await;
    house.send(get("/"), answer(&KEPT, "one")).await;
    written(folder.path(), 1).await;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = &files(folder.path())[0];
    assert_eq!(mode(file), 0o600);
    for inner in file.ancestors().skip(1).take(2) {
        assert_eq!(mode(inner), 0o700, "{}", inner.display());
    }
}

#[tokio::test]
async fn broken_files_are_misses_and_go() {
    for at in [0, 9, 20, 55, 100, usize::MAX, usize::MAX - 1] {
        let folder = TempDir::new().unwrap();
        let house = open(folder.path()).await;
        house.send(get("/"), answer(&KEPT, "one")).await;
        house.cache.close().await;
        drop(house);
        let file = files(folder.path()).pop().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        match at {
            usize::MAX => bytes.truncate(bytes.len() - 1),
            9 => bytes.truncate(9),
            _ => {
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1;
            }
        }
        fs::write(&file, bytes).unwrap();

        let house = open(folder.path()).await;
        assert!(!house.holds("/").await, "{at}");
        while !files(folder.path()).is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(house.cache.stats().broken, 1, "{at}");
    }
}

#[tokio::test]
async fn what_a_killed_process_was_writing_is_no_answer() {
    let folder = TempDir::new().unwrap();
    let house = open(folder.path()).await;
    house.send(get("/"), answer(&KEPT, "one")).await;
    house.cache.close().await;
    drop(house);
    let ours = folder.path().join("answers-1");
    let whole = files(folder.path()).pop().unwrap();
    let foreign = whole.parent().unwrap().join("notes.txt");
    fs::write(&foreign, "mine").unwrap();
    fs::copy(&whole, ours.join("new").join(whole.file_name().unwrap())).unwrap();
    fs::remove_file(&whole).unwrap();

    let house = open(folder.path()).await;

    assert!(!house.holds("/").await);
    assert!(fs::read_dir(ours.join("new")).unwrap().next().is_none());
    assert!(foreign.exists(), "what is not ours stays");
}

#[tokio::test]
async fn the_disk_holds_no_more_than_it_may() {
    let folder = TempDir::new().unwrap();
    let bound = 1 << 20;
    let house = House::with(Policy::default(), on_disk(folder.path(), bound, 0));
    house.cache.opened().await;
    house.cache.note_purge(0).await;
    for number in 0..60 {
        let mut large = with_status(200, &KEPT, "");
        *large.body_mut() = full("x".repeat(100 * KIB));
        house.send(get(&format!("/{number}")), large).await;
        let total: u64 = files(folder.path()).iter().filter_map(|file| Some(fs::metadata(file).ok()?.len())).sum();
        assert!(total <= bound + 200 * 1024, "{total}");
    }
    house.cache.close().await;

    let total: u64 = files(folder.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!((bound / 2..=bound).contains(&total), "{total}");
    assert!(house.cache.stats().disk_bytes <= bound);
}

#[tokio::test]
async fn a_disk_that_fails_leaves_memory() {
    let folder = TempDir::new().unwrap();
    let house = open(folder.path()).await;
    let aside = folder.path().join("answers-1/new");
    fs::remove_dir(&aside).unwrap();
    fs::write(&aside, "no folder").unwrap();

    for target in ["/a", "/b"] {
        house.send(get(target), answer(&KEPT, "one")).await;
        assert!(house.holds(target).await);
    }
    house.cache.close().await;
    assert_eq!(house.cache.stats().disk_targets, 0);
}

#[tokio::test]
async fn a_purge_covers_the_disk() {
    let folder = TempDir::new().unwrap();
    let house = open(folder.path()).await;
    for target in ["/a", "/b", "/c"] {
        house.send(get(target), answer(&KEPT, "one")).await;
    }
    written(folder.path(), 3).await;

    assert_eq!(house.cache.purge_prefix(scope().tenant(), None, "/a", PurgeMode::Hard).await, 1);
    assert_eq!(files(folder.path()).len(), 2);
    let shop = ["shop".to_owned()];
    assert_eq!(house.cache.purge_tags(scope().tenant(), &shop, PurgeMode::Soft).await, 2);
    house.cache.close().await;
    drop(house);

    let house = open(folder.path()).await;
    assert!(!house.holds("/a").await);
    let confirmed = house.send(get("/b"), with_status(304, &[], "")).await;
    assert_eq!(confirmed.body, "one", "it is stale, and confirmed");
    assert_eq!(house.seen.lock().unwrap().last().unwrap()["if-none-match"], "\"1\"");
}

#[tokio::test]
async fn a_purge_covers_files_that_nobody_has_looked_at_yet() {
    for (mode, closes) in [(PurgeMode::Hard, true), (PurgeMode::Soft, true), (PurgeMode::Hard, false)] {
        let folder = TempDir::new().unwrap();
        let house = open(folder.path()).await;
        for number in 0..40 {
            house.send(get(&format!("/{number}")), answer(&KEPT, "one")).await;
        }
        house.cache.close().await;
        drop(house);

        // The purge comes as early as it can, and the process may end before it has looked at the files.
        let house = House::with(Policy::default(), on_disk(folder.path(), 8 << 20, 0));
        if closes {
            house.cache.opened().await;
        }
        house.cache.purge_tags(scope().tenant(), &["shop".to_owned()], mode).await;
        house.cache.opened().await;
        if closes {
            house.cache.close().await;
            drop(house);
        } else {
            house.cache.note_purge(1).await;
            assert!(!house.holds("/7").await);
            continue;
        }

        let house = open(folder.path()).await;
        for number in 0..40 {
            let target = format!("/{number}");
            assert!(!house.holds(&target).await, "{target} {mode:?}");
        }
    }
}

#[tokio::test]
async fn a_newer_answer_takes_the_place_of_the_one_on_disk() {
    let folder = TempDir::new().unwrap();
    let house = open(folder.path()).await;
    house.send(get("/"), answer(&KEPT, "old")).await;
    written(folder.path(), 1).await;
    house.pass(1);
    let again = get("/").header("cache-control", "no-cache");
    house.send(again, answer(&[("cache-control", "no-store")], "secret")).await;
    house.cache.close().await;
    drop(house);

    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    assert!(!open(folder.path()).await.holds("/").await);
}

#[tokio::test]
async fn two_processes_never_share_a_folder() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).await;
    let second = House::with(Policy::default(), on_disk(folder.path(), 8 << 20, 0));
    second.send(get("/"), answer(&KEPT, "two")).await;
    assert_eq!(second.cache.stats().disk_targets, 0);

    first.cache.close().await;
    drop(first);

    second.cache.opened().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_see_what_was_purged() {
    let folder = TempDir::new().unwrap();
    let small = Config { memory_bytes: 128 << 10, max_object_bytes: 16 << 10, ..on_disk(folder.path(), 2 << 20, 4096) };
    let house = Arc::new(House::with(Policy::default(), small));
    house.cache.opened().await;
    house.cache.note_purge(0).await;
    // The origin's version, as it is when it is asked.
    let version = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..64_usize {
        let (house, version) = (Arc::clone(&house), Arc::clone(&version));
        tasks.spawn(async move {
            for round in 0..30 {
                if task == 0 {
                    version.fetch_add(1, Ordering::SeqCst);
                    house.cache.purge_tags(scope().tenant(), &["shop".to_owned()], PurgeMode::Hard).await;
                }
                let known = version.load(Ordering::SeqCst);
                let asked = Arc::clone(&version);
                let fetch = move |_: Request<Empty<Bytes>>| async move {
                    let mut made = with_status(200, &KEPT, "");
                    *made.body_mut() = full(format!("{} {}", asked.load(Ordering::SeqCst), "x".repeat(6 * KIB)));
                    tokio::task::yield_now().await;
                    made
                };
                let request = get(&format!("/{}", (task * 7 + round) % 40)).body(Empty::new()).unwrap();
                let found = read(house.cache.serve(&scope(), &house.policy, request, fetch).await).await.unwrap();
                let of: usize = std::str::from_utf8(&found.body).unwrap().split(' ').next().unwrap().parse().unwrap();
                assert!(task > 0 || of == known, "{of}, but {known} was purged");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    house.cache.purge_prefix(scope().tenant(), None, "/", PurgeMode::Hard).await;
    let house = Arc::try_unwrap(house).unwrap_or_else(|_| panic!("all tasks ended"));
    house.cache.close().await;
    drop(house);

    let house = open(folder.path()).await;
    for number in 0..40 {
        assert!(!house.holds(&format!("/{number}")).await, "{number}");
    }
}
