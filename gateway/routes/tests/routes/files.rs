//! Files of a folder, and what isn't one of them.

use std::{fs, os::unix::fs::symlink};

use edge_routes::{Deed, NormalPath};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use http_body_util::BodyExt;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{compile, get};

struct Site {
    folder: TempDir,
    fallback: Option<&'static str>,
}

struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let www = folder.path().join("www");
        fs::create_dir_all(www.join("sub/.hidden")).unwrap();
        for (name, text) in [
            ("index.html", "home"),
            ("app.js", "0123456789"),
            ("app.js.br", "brotli"),
            ("app.js.gz", "gzip"),
            ("sub/index.html", "sub"),
            ("sub/.hidden/x", "hidden"),
            (".env", "secret"),
            ("../outside", "secret"),
        ] {
            fs::write(www.join(name), text).unwrap();
        }
        symlink(folder.path().join("outside"), www.join("link")).unwrap();
        symlink(folder.path(), www.join("up")).unwrap();
        symlink(www.join("app.js"), www.join("inside")).unwrap();
        symlink(www.join("circle"), www.join("circle")).unwrap();
        symlink(www.join(".env"), www.join("env")).unwrap();
        Self { folder, fallback: None }
    }

    async fn ask(&self, path: &str, headers: &[(&'static str, &str)]) -> Got {
        self.ask_by(&Method::GET, path, headers).await
    }

    async fn ask_by(&self, method: &Method, path: &str, headers: &[(&'static str, &str)]) -> Got {
        let folder = self.folder.path().join("www");
        let files = json!({ "kind": "files", "folder": folder, "fallback": self.fallback, "max_age": 60 });
        let table = compile(&json!([{ "id": "f", "action": files }])).unwrap();
        let found = table.find(&get("a.test", "/").view()).unwrap();
        let Deed::Files(server) = &found.route.steps.deed else { unreachable!() };
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let answer: Response<_> = server.serve(path, method, &pairs.collect()).await;
        let (head, body) = answer.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Got { status: head.status.as_u16(), headers: head.headers, body }
    }
}

#[tokio::test]
async fn files_come_with_type_tag_and_lifetime() {
    let site = Site::new();

    for (path, text, kind) in [
        ("/", "home", "text/html; charset=utf-8"),
        ("/sub/", "sub", "text/html; charset=utf-8"),
        ("/app.js", "0123456789", "text/javascript; charset=utf-8"),
        ("/inside", "0123456789", "application/octet-stream"),
    ] {
        let got = site.ask(path, &[]).await;
        assert_eq!((got.status, got.body.as_str()), (200, text), "{path}");
        assert_eq!(
            (&got.headers["content-type"], &got.headers["cache-control"]),
            (&kind.parse().unwrap(), &"public, max-age=60".parse().unwrap())
        );
        let etag = got.headers["etag"].to_str().unwrap();
        assert_eq!(site.ask(path, &[("if-none-match", etag)]).await.status, 304);
        let changed = got.headers["last-modified"].to_str().unwrap();
        assert_eq!(site.ask(path, &[("if-modified-since", changed)]).await.status, 304);
    }
    assert_eq!(site.ask_by(&Method::POST, "/", &[]).await.status, 405);
    let head = site.ask_by(&Method::HEAD, "/app.js", &[]).await;
    assert_eq!((head.headers["content-length"].to_str().unwrap(), head.body.len()), ("10", 0));
}

#[tokio::test]
async fn compressed_twins_and_parts_are_served() {
    let site = Site::new();

    let brotli = site.ask("/app.js", &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((brotli.body.as_str(), &brotli.headers["content-encoding"]), ("brotli", &"br".parse().unwrap()));
    assert_eq!(brotli.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(site.ask("/app.js", &[("accept-encoding", "gzip, br;q=0.5")]).await.body, "gzip");
    let part = site.ask("/app.js", &[("range", "bytes=2-4")]).await;
    assert_eq!(
        (part.status, part.body.as_str(), &part.headers["content-range"]),
        (206, "234", &"bytes 2-4/10".parse().unwrap())
    );
    assert_eq!(site.ask("/app.js", &[("range", "bytes=10-")]).await.status, 416);
    assert_eq!(site.ask("/app.js", &[("range", "bytes=2-4"), ("if-range", "\"other\"")]).await.status, 200);
}

#[tokio::test]
async fn nothing_outside_and_nothing_hidden_is_served() {
    let site = Site::new();

    for path in [
        "/link",
        "/up/outside",
        "/up/www/index.html",
        "/.env",
        "/env",
        "/sub/.hidden/x",
        "/circle",
        "/nothing",
        "/app.js/",
        "/../outside",
        "/%2e%2e/outside",
        "/..%2foutside",
        "/sub%2f..%2f..%2foutside",
        "/%00",
        "/app.js%00.html",
        "//etc/passwd",
        "/\\..\\outside",
        "/sub/../../outside",
        "/C:/x",
    ] {
        // As the gateway would ask, and as if it had forgotten to.
        for raw in [Some(path.to_owned()), NormalPath::parse(path).ok().map(|path| path.as_str().to_owned())]
            .into_iter()
            .flatten()
        {
            let got = site.ask(&raw, &[("accept-encoding", "br")]).await;
            let harmless =
                got.status == 404 || (path == "/app.js/" && got.body != "secret") || path == "/up/www/index.html";
            assert!(
                harmless && !got.body.contains("secret") && !got.body.contains("hidden"),
                "{raw}: {} {}",
                got.status,
                got.body
            );
        }
    }
    let long = format!("/{}", "a".repeat(5000));
    assert_eq!(site.ask(&long, &[]).await.status, 404);
}

#[tokio::test]
async fn an_application_in_the_browser_gets_its_page_for_what_isnt_there() {
    let mut site = Site::new();
    site.fallback = Some("index.html");

    let got = site.ask("/orders/7", &[]).await;
    assert_eq!((got.status, got.body.as_str()), (200, "home"));
    assert_eq!(site.ask("/.env", &[]).await.status, 404);
}
