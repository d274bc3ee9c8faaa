//! The database away, the disk full, the disk read-only: clear answers in bounded time, nothing lost, and all is well
//! again when the fault is gone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::json;
use tempfile::TempDir;
use testkit::{Answer, Client, Engine, Front, Postgres, Server};

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const ROLES: &str = "/api/v1/tenancy/roles";
/// What a refusal may take while the database is away: the wait for a connection is 3 s.
const BOUND: Duration = Duration::from_secs(8);
/// What the way back may take.
const RECOVERY: Duration = Duration::from_secs(30);

fn role(name: &str) -> serde_json::Value {
    json!({ "name": name, "permissions": ["tenancy.roles.read"] })
}

/// Waits until the server says that it is ready.
async fn recovered(front: &Front) {
    let deadline = Instant::now() + RECOVERY;
    while front.ops().get("/readyz").await.status != 200 {
        assert!(Instant::now() < deadline, "not ready 30 s after the fault was gone");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[track_caller]
fn assert_away(answer: &Answer, begun: Instant) {
    answer.problem(503, "kernel.database_away");
    let wait: u64 = answer.header("retry-after").and_then(|value| value.parse().ok()).unwrap();
    assert!((1..=60).contains(&wait), "{}", answer.describe());
    assert!(begun.elapsed() < BOUND, "it took {:?}\n{}", begun.elapsed(), answer.describe());
}

async fn assert_trail_verifies(client: &Client) {
    let found = client.get("/api/v1/audit/verify").await.expect(200);
    assert_eq!(found["ok"], true, "{found}");
}

async fn outage(stop: &str) {
    let mut postgres = Postgres::start();
    let database = postgres.database();
    let server = Server::builder(BIN, Engine::Sqlite).database(database.url()).start().await;
    let operator = server.operator().await;
    operator.post(ROLES, role("before")).await.expect(201);

    postgres.stop(stop);

    let ready = server.ops().get("/readyz").await.expect(503);
    let database_part = &ready["dependencies"][0];
    assert_eq!((&database_part["name"], &database_part["ready"]), (&json!("database"), &json!(false)), "{ready}");
    assert_eq!(server.ops().get("/healthz").await.status, 200);
    for round in 0..3 {
        let begun = Instant::now();
        assert_away(&operator.get(ROLES).await, begun);
        let begun = Instant::now();
        assert_away(&operator.post(ROLES, role(&format!("during {round}"))).await, begun);
        let begun = Instant::now();
        let refused = operator.graphql("{ roles { edges { node { name } } } }", json!({})).await;
        assert!(refused.describe().contains("kernel.database_away"), "{}", refused.describe());
        assert!(begun.elapsed() < BOUND);
        let sign_in = json!({ "email": testkit::OPERATOR, "password": testkit::PASSWORD });
        let begun = Instant::now();
        assert_away(&server.client().post("/api/v1/identity/sessions", sign_in).await, begun);
    }

    postgres.resume();
    recovered(&server).await;

    operator.post(ROLES, role("after")).await.expect(201);
    let roles = operator.get(&format!("{ROLES}?filter=built_in%20eq%20false")).await.expect(200);
    let mut names: Vec<_> = roles["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["after", "before"]);
    assert_trail_verifies(&server.operator().await).await;
}

#[tokio::test]
async fn a_database_that_shuts_down_is_told_by_name_and_all_recovers() {
    outage("INT").await;
}

#[tokio::test]
async fn a_database_that_dies_is_told_by_name_and_all_recovers() {
    outage("KILL").await;
}

/// Many requests at once while the database is away: none hangs, and the listener lives.
#[tokio::test]
async fn a_crowd_before_a_dead_database_is_sent_away_in_bounded_time() {
    let mut postgres = Postgres::start();
    let database = postgres.database();
    let server = Server::builder(BIN, Engine::Sqlite).database(database.url()).start().await;
    let operator = server.operator().await;

    postgres.stop("KILL");
    let begun = Instant::now();
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..200 {
        let operator = operator.clone();
        crowd.spawn(async move { operator.post(ROLES, role(&format!("crowd {number}"))).await });
    }
    let answers = crowd.join_all().await;

    assert!(answers.iter().all(|answer| answer.status == 503), "{:?}", statuses(&answers));
    assert!(begun.elapsed() < BOUND * 2, "it took {:?}", begun.elapsed());
    postgres.resume();
    recovered(&server).await;
    operator.post(ROLES, role("after")).await.expect(201);
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

/// A file system of the server's own, in a mount namespace: small, or read-only. Nobody else sees it, and it goes
/// with the process.
struct Disk {
    /// Runs the server with the file system in place.
    binary: PathBuf,
    /// Where it is mounted.
    place: PathBuf,
    _folder: TempDir,
}

impl Disk {
    /// `options` are those of a tmpfs.
    fn new(options: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("disk");
        fs::create_dir(&place).unwrap();
        let binary = folder.path().join("holdfast-on-disk");
        write_script(&binary, options, &place);
        Self { binary, place, _folder: folder }
    }

    fn binary(&self) -> &str {
        self.binary.to_str().unwrap()
    }

    fn database(&self) -> String {
        format!("sqlite:{}/holdfast.db", self.place.display())
    }

    /// The mounted folder as it is reached from outside.
    fn seen_from_outside(&self, server: &Server) -> PathBuf {
        Path::new(&format!("/proc/{}/root", server.pid())).join(self.place.strip_prefix("/").unwrap())
    }
}

/// A program that mounts the file system for itself alone and becomes the server.
fn write_script(program: &Path, options: &str, place: &Path) {
    let namespace = if is_root() { "-m" } else { "-rm" };
    let place = place.display();
    let script = format!(
        "#!/bin/sh\nexec unshare {namespace} sh -c 'mount -t tmpfs -o {options} tmpfs \"$0\" && exec \"$@\"' \
         '{place}' '{BIN}' \"$@\"\n"
    );
    fs::write(program, script).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

/// Takes all the space that is left.
fn fill(path: &Path) {
    let mut ballast = fs::File::create(path).unwrap();
    for size in [64 * 1024, 512] {
        while ballast.write_all(&vec![0; size]).is_ok() {}
    }
}

/// Copies the database as a power cut would leave it, and has SQLite check the copy.
async fn assert_intact(server: &Server, folder: &Path) {
    let copy = TempDir::new().unwrap();
    signal(server, "STOP");
    for name in ["holdfast.db", "holdfast.db-wal"] {
        if folder.join(name).exists() {
            fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
    }
    signal(server, "CONT");
    let database = Database::connect(format!("sqlite:{}/holdfast.db", copy.path().display())).await.unwrap();
    let check = Statement::from_string(DbBackend::Sqlite, "PRAGMA integrity_check");
    let row = database.query_one_raw(check).await.unwrap().unwrap();
    assert_eq!(row.try_get::<String>("", "integrity_check").unwrap(), "ok");
}

fn signal(server: &Server, name: &str) {
    let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(server.pid().to_string()).status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn a_full_disk_refuses_writes_lets_reads_go_on_and_recovers() {
    let disk = Disk::new("size=8m");
    let server = Server::builder(disk.binary(), Engine::Sqlite).database(&disk.database()).start().await;
    let outside = disk.seen_from_outside(&server);
    let operator = server.operator().await;
    operator.post(ROLES, role("before")).await.expect(201);

    fill(&outside.join("ballast"));
    let mut kept = vec!["before".to_owned()];
    let refused = loop {
        // The log that SQLite writes to has some space of its own; it is used up sooner or later.
        let name = format!("role {}", kept.len());
        let answer = operator.post(ROLES, role(&name)).await;
        if answer.status != 201 {
            break answer;
        }
        kept.push(name);
        assert!(kept.len() < 5000, "the disk never got full");
    };
    refused.problem(503, "kernel.storage_full");
    assert!(refused.header("retry-after").is_some(), "{}", refused.describe());
    for round in 0..5 {
        // A checkpoint may have freed a page or two, so that a write fits after all.
        let name = format!("tried {round}");
        let tried = operator.post(ROLES, role(&name)).await;
        if tried.status == 201 {
            kept.push(name);
        } else {
            tried.problem(503, "kernel.storage_full");
        }
        operator.get(&format!("{ROLES}?limit=200")).await.expect(200);
        operator.get("/api/v1/identity/me").await.expect(200);
    }
    assert_intact(&server, &outside).await;

    fs::remove_file(outside.join("ballast")).unwrap();
    operator.post(ROLES, role("after")).await.expect(201);
    kept.push("after".to_owned());

    assert_eq!(custom_roles(&operator).await, sorted(kept));
    assert_trail_verifies(&operator).await;
    assert_intact(&server, &outside).await;
}

async fn custom_roles(client: &Client) -> Vec<String> {
    let mut names = Vec::new();
    let mut path = format!("{ROLES}?limit=200&filter=built_in%20eq%20false");
    loop {
        let page = client.get(&path).await.expect(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("{ROLES}?limit=200&filter=built_in%20eq%20false&cursor={next}"),
            None => return sorted(names),
        }
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_read_only_data_folder_is_refused_at_the_start_with_a_sentence_that_helps() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("holdfast-on-disk");
    let builder = Server::builder(program.to_str().unwrap(), Engine::Sqlite);
    write_script(&program, "size=1m,ro", &builder.data());

    let (status, said) = builder.run();

    assert!(!status.success());
    assert!(said.contains("can't be used") && said.contains("--data"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[tokio::test]
async fn a_read_only_database_folder_is_refused_at_the_start_with_a_sentence_that_helps() {
    let disk = Disk::new("size=1m,ro");

    let (status, said) = Server::builder(disk.binary(), Engine::Sqlite).database(&disk.database()).run();

    assert!(!status.success());
    assert!(said.contains("database") && said.contains("writable"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
}
