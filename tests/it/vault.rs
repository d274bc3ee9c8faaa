//! The vault through the front door: bytes in and out, grants, what lies on the disk, and crashes in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, Engine, Front, Server, on_both_engines};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const BIN: &str = env!("CARGO_BIN_EXE_holdfast");
const DOCUMENTS: &str = "/api/v1/vault/documents";

async fn collection(client: &Client, searchable: bool) -> String {
    let new = json!({ "name": "Papers", "searchable": searchable });
    let made = client.post("/api/v1/vault/collections", new).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn upload(client: &Client, collection: &str, name: &str, bytes: &[u8]) -> Answer {
    let path = format!("{DOCUMENTS}?collection={collection}&name={name}");
    client.request(Method::POST, &path).body("text/plain", bytes).send().await
}

fn plain(size: usize) -> Vec<u8> {
    (0..size).map(|place| u8::try_from((place * 31 + place / 251) % 256).unwrap()).collect()
}

fn content(document: &Value) -> String {
    format!("{DOCUMENTS}/{}/content", document["id"].as_str().unwrap())
}

async fn part(client: &Client, path: &str, range: &str) -> Answer {
    client.request(Method::GET, path).header("range", range).send().await
}

async fn a_document_is_downloaded_whole_or_in_ranges_by_its_entity_tag(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let owner = front.new_tenant("vault").await.owner;
    let collection = collection(&owner, false).await;
    // Larger than other bodies may be.
    let bytes = plain(12 << 20);
    let document = upload(&owner, &collection, "r%C3%A9sum%C3%A9.html", &bytes).await.expect(201);
    let path = content(&document);

    let whole = owner.get(&path).await;
    assert_eq!((whole.status, whole.body == bytes), (200, true));
    let tag = whole.header("etag").unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", document["sha256"].as_str().unwrap()));
    assert_eq!(whole.header("content-length"), Some("12582912"));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(whole.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    let disposition = "attachment; filename=\"r_sum_.html\"; filename*=UTF-8''r%C3%A9sum%C3%A9.html";
    assert_eq!(whole.header("content-disposition"), Some(disposition));

    let some = part(&owner, &path, "bytes=65530-65545").await;
    assert_eq!((some.status, some.body.as_slice()), (206, &bytes[65530..65546]));
    assert_eq!(some.header("content-range"), Some("bytes 65530-65545/12582912"));
    assert_eq!(part(&owner, &path, "bytes=-5").await.body, bytes[bytes.len() - 5..]);
    let none = part(&owner, &path, "bytes=12582912-").await;
    none.problem(416, "vault.range_unsatisfiable");
    assert_eq!(none.header("content-range"), Some("bytes */12582912"));
    let same = owner.request(Method::GET, &path).header("range", "bytes=0-1").header("if-range", &tag);
    assert_eq!(same.send().await.status, 206);
    let other = owner.request(Method::GET, &path).header("range", "bytes=0-1").header("if-range", "\"other\"");
    assert_eq!(other.send().await.status, 200);
    let known = owner.request(Method::GET, &path).header("if-none-match", &tag).send().await;
    assert_eq!((known.status, known.body.len()), (304, 0));
}

async fn a_form_and_a_digest_are_taken_and_what_does_not_fit_is_refused(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let owner = front.new_tenant("vault").await.owner;
    let collection = collection(&owner, true).await;
    let path = format!("{DOCUMENTS}?collection={collection}");
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.md\"\r\n\r\n# Hi\r\n--x--\r\n";
    let made = owner.request(Method::POST, &path).body("multipart/form-data; boundary=x", form).send().await;
    assert_eq!(made.expect(201)["media_type"], "text/markdown");

    let send =
        |query: &str, body: &str| owner.request(Method::POST, &format!("{path}{query}")).body("text/plain", body);
    for name in ["..%2fa", "a%00b", "a%0d%0ab", "..", "a%5Cb", "%E2%80%AEa"] {
        send(&format!("&name={name}"), "1").send().await.problem(400, "vault.name_invalid");
    }
    send("", "1").send().await.problem(400, "vault.name_invalid");
    let digest = "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:";
    send("&name=a", "1").header("content-digest", digest).send().await.problem(400, "vault.digest_mismatch");
    let digest = "sha-256=:a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s=:";
    send("&name=a", "1").header("content-digest", digest).send().await.expect(201);
    send("&name=a&x=1", "1").send().await.problem(400, "kernel.parameter_unknown");
    owner
        .request(Method::POST, DOCUMENTS)
        .body("text/plain", "1")
        .send()
        .await
        .problem(400, "vault.collection_unknown");
    let listed = owner.get(&format!("{DOCUMENTS}?filter=name%20eq%20%22a%22&fields=name")).await.expect(200);
    assert_eq!(listed["items"], json!([{ "name": "a" }]));
}

async fn a_grant_opens_and_its_end_closes_both_faces_and_the_next_range(engine: Engine) {
    let front = Front::shared(BIN, engine).await;
    let tenant = front.new_tenant("vault").await;
    let (owner, reader) = (tenant.owner.clone(), tenant.member("viewer").await);
    let document = upload(&owner, &collection(&owner, false).await, "a.txt", b"0123456789").await.expect(201);
    let (id, path) = (document["id"].as_str().unwrap(), content(&document));
    let ask = |client: Client| async move {
        let query = "query($id: ID!) { document(id: $id) { name sha256 } }";
        client.graphql(query, json!({ "id": id })).await
    };
    part(&reader, &path, "bytes=0-4").await.problem(404, "kernel.not_found");
    ask(reader.clone()).await.error("kernel.not_found");

    let grant = json!({ "document_id": id, "subject": "everyone", "access": "read" });
    let grant = owner.post("/api/v1/vault/grants", grant).await.expect(201);
    assert_eq!(part(&reader, &path, "bytes=0-4").await.body, b"01234");
    assert_eq!(ask(reader.clone()).await.data()["document"]["name"], "a.txt");
    let renamed = reader.request(Method::PATCH, &format!("{DOCUMENTS}/{id}")).header("if-match", "*");
    renamed.json(&json!({ "name": "b" })).send().await.problem(403, "kernel.forbidden");

    owner.delete(&format!("/api/v1/vault/grants/{}", grant["id"].as_str().unwrap())).await.expect(204);
    part(&reader, &path, "bytes=5-9").await.problem(404, "kernel.not_found");
    ask(reader.clone()).await.error("kernel.not_found");
    let filter = "filter=action%20eq%20%22vault.document_downloaded%22";
    let entries = owner.get(&format!("/api/v1/audit/entries?{filter}")).await.expect(200);
    let entry = &entries["items"][0];
    assert_eq!((&entry["target"]["id"], &entry["details"]["purpose"]), (&json!(id), &json!("download")));
    assert_eq!(entry["actor"]["kind"], "account");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn nothing_private_lies_in_any_file_of_the_data_folder(engine: Engine) {
    let mut server = Server::start(BIN, engine).await;
    let owner = server.new_tenant("vault").await.owner;
    let collection = collection(&owner, false).await;
    let bytes = "kanarienvogel-content ".repeat(20_000);
    let document = upload(&owner, &collection, "kanarienvogel-name.txt", bytes.as_bytes()).await.expect(201);
    let record = json!({ "collection_id": collection, "data": { "kanarienvogel-field": "kanarienvogel-value" } });
    owner.post("/api/v1/vault/records", record).await.expect(201);
    assert_eq!(owner.get(&content(&document)).await.body, bytes.as_bytes());
    let vault = server.data.join("vault");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(vault.join("blobs")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);

    let found = |server: &Server| {
        let mut all = files(&server.data);
        all.push(server.log.clone());
        let word = b"kanarienvogel";
        all.retain(|path| fs::read(path).unwrap().windows(word.len()).any(|window| window == word));
        all
    };
    assert_eq!(found(&server), Vec::<PathBuf>::new(), "while it runs");
    server.kill9();
    assert_eq!(found(&server), Vec::<PathBuf>::new(), "after a crash");
}

async fn swapped_files_do_not_open_and_are_told(engine: Engine) {
    let server = Server::start(BIN, engine).await;
    let owner = server.new_tenant("vault").await.owner;
    let collection = collection(&owner, false).await;
    let one = upload(&owner, &collection, "a", b"one").await.expect(201);
    let other = upload(&owner, &collection, "b", b"two").await.expect(201);
    let blob = |document: &Value| {
        let name = document["version_id"].as_str().unwrap().trim_start_matches("ver_").to_owned();
        files(&server.data.join("vault")).into_iter().find(|path| path.ends_with(&name)).unwrap()
    };

    fs::copy(blob(&other), blob(&one)).unwrap();

    owner.get(&content(&one)).await.problem(500, "vault.tampered");
    assert_eq!(owner.get(&content(&other)).await.body, b"two");
    let filter = "filter=type%20eq%20%22vault.tampering_detected%22";
    let events = owner.get(&format!("/api/v1/events?{filter}")).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    let filter = "filter=action%20eq%20%22vault.tampering_detected%22";
    let entries = owner.get(&format!("/api/v1/audit/entries?{filter}")).await.expect(200);
    assert_eq!(entries["items"][0]["outcome"], "failure");
}

/// The head of an upload of `length` bytes, by hand.
fn head(client: &Client, collection: &str, tenant: &str, length: usize) -> String {
    format!(
        "POST {DOCUMENTS}?collection={collection}&name=slow HTTP/1.1\r\nHost: localhost\r\nHoldfast-Tenant: {tenant}\r\n\
         Authorization: Bearer {}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n",
        client.credential().unwrap()
    )
}

async fn an_upload_may_take_longer_than_a_request(engine: Engine) {
    let builder = Server::builder(BIN, engine).env("HOLDFAST__VAULT__MAX_DOCUMENT_BYTES", "2000000");
    let server = builder.env("HOLDFAST__SERVER__REQUEST_TIMEOUT", "1").start().await;
    let tenant = server.new_tenant("vault").await;
    let collection = collection(&tenant.owner, true).await;
    let mut socket = TcpStream::connect(server.http).await.unwrap();
    socket.write_all(head(&tenant.owner, &collection, &tenant.slug, 10).as_bytes()).await.unwrap();

    // Longer than the deadline by far; how much longer does not matter.
    for byte in b"0123456789" {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        socket.write_all(&[*byte]).await.unwrap();
    }

    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let large = upload(&tenant.owner, &collection, "large", &plain(2_000_001)).await;
    large.problem(413, "vault.document_too_large");
    assert_eq!(upload(&tenant.owner, &collection, "fits", &plain(2_000_000)).await.status, 201);
}

/// Uploads until the server is gone; ids with what they hold.
async fn upload_until_gone(client: Client, collection: String, writer: usize) -> BTreeMap<String, Vec<u8>> {
    let mut answered = BTreeMap::new();
    for number in 0.. {
        let bytes = plain(150_000 + writer * 1000 + number);
        let path = format!("{DOCUMENTS}?collection={collection}&name=a");
        let sent = client.request(Method::POST, &path).body("text/plain", bytes.clone()).try_send().await;
        match sent {
            Ok(answer) if answer.status == 201 => {
                answered.insert(answer.json()["id"].as_str().unwrap().to_owned(), bytes);
            }
            _ => return answered,
        }
    }
    unreachable!("the loop ends when the server does")
}

async fn kill_9_during_uploads_leaves_whole_documents_and_nothing_half(engine: Engine) {
    let mut server = Server::start(BIN, engine).await;
    let tenant = server.new_tenant("vault").await;
    let owner = tenant.owner.api_key("crash").await;
    let secret = owner.credential().unwrap().to_owned();
    let collection = collection(&owner, false).await;
    let mut half = TcpStream::connect(server.http).await.unwrap();
    half.write_all(head(&owner, &collection, &tenant.slug, 5 << 20).as_bytes()).await.unwrap();
    half.write_all(&plain(3 << 20)).await.unwrap();
    let mut writers = JoinSet::new();
    (0..8).for_each(|writer| drop(writers.spawn(upload_until_gone(owner.clone(), collection.clone(), writer))));
    while owner.get(&format!("{DOCUMENTS}?limit=20")).await.json()["items"].as_array().unwrap().len() < 20 {}
    server.kill9();
    let answered: BTreeMap<_, _> = writers.join_all().await.into_iter().flatten().collect();
    server.restart().await;

    let owner = server.client().tenant(&tenant.slug).bearer(&secret);
    let listed = owner.get(&format!("{DOCUMENTS}?limit=200")).await.expect(200);
    let listed = listed["items"].as_array().unwrap();
    for id in answered.keys() {
        assert!(listed.iter().any(|document| document["id"] == id.as_str()), "{id} was answered and is gone");
    }
    for document in listed {
        let answer = owner.get(&content(document)).await;
        assert_eq!((answer.status, Some(answer.body.len() as u64)), (200, document["size"].as_u64()));
        if let Some(bytes) = answered.get(document["id"].as_str().unwrap()) {
            assert!(answer.body == *bytes);
        }
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let blobs = server.data.join("vault");
    while files(&blobs).len() != listed.len() {
        assert!(std::time::Instant::now() < deadline, "{} files for {} documents", files(&blobs).len(), listed.len());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

on_both_engines!(
    a_document_is_downloaded_whole_or_in_ranges_by_its_entity_tag,
    a_form_and_a_digest_are_taken_and_what_does_not_fit_is_refused,
    a_grant_opens_and_its_end_closes_both_faces_and_the_next_range,
    nothing_private_lies_in_any_file_of_the_data_folder,
    swapped_files_do_not_open_and_are_told,
    an_upload_may_take_longer_than_a_request,
    kill_9_during_uploads_leaves_whole_documents_and_nothing_half,
);
