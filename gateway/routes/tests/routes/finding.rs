//! Which route takes a request.

use std::sync::Arc;

use edge_routes::{Compiled, LiveRoutes, Unmet};
use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{compile, found, get};

fn route(id: &str, condition: &Value) -> Value {
    json!({ "id": id, "match": condition, "action": { "kind": "module" } })
}

#[test]
fn the_narrower_route_goes_first_and_priority_before_all() {
    let table = compile(&json!([
        route("any", &json!({})),
        route("prefix", &json!({ "path": { "prefix": "/shop" } })),
        route("longer", &json!({ "path": { "prefix": "/shop/old/" } })),
        route("pattern", &json!({ "path": { "pattern": "/shop/{item}" } })),
        route("exact", &json!({ "path": { "exact": "/shop/cart" } })),
        route("below", &json!({ "hosts": ["*.test"] })),
        route("host", &json!({ "hosts": ["a.test"], "path": { "prefix": "/shop" } })),
        route("post", &json!({ "methods": ["POST"], "path": { "exact": "/shop/cart" } })),
        { "id": "first", "priority": 1, "match": { "headers": [{ "name": "x-first" }] }, "action": { "kind": "module" } },
    ]))
    .unwrap();

    for (host, path, expected) in [
        ("b.example", "/", "any"),
        ("b.example", "/shop", "prefix"),
        ("b.example", "/shops", "any"),
        ("b.example", "/shop/old/x", "longer"),
        ("b.example", "/shop/7", "pattern"),
        ("b.example", "/shop/cart", "exact"),
        ("a.test", "/shop/cart", "host"),
        ("a.test", "/", "below"),
        ("x.y.test", "/shop/cart", "below"),
        ("test", "/", "any"),
    ] {
        assert_eq!(found(&table, &get(host, path)).as_deref(), Some(expected), "{host}{path}");
    }
    let mut post = get("b.example", "/shop/cart");
    post.method = Method::POST;
    assert_eq!(found(&table, &post).as_deref(), Some("post"));
    assert_eq!(found(&table, &get("a.test", "/shop").header("x-first", "")).as_deref(), Some("first"));
    let item = get("b.example", "/shop/7");
    assert_eq!(table.find(&item.view()).unwrap().parameters, [("item".to_owned(), "7".to_owned())]);
}

#[test]
fn an_explanation_names_the_condition_that_failed() {
    let table = compile(&json!([
        route("header", &json!({ "headers": [{ "name": "x-a", "regex": "^[0-9]+$" }] })),
        route("client", &json!({ "clients": ["10.0.0.0/8"], "methods": ["GET"] })),
        route("path", &json!({ "path": { "exact": "/x" } })),
        {
            "id": "all", "action": { "kind": "redirect", "to": "https://b.example/new{path}" },
            "modifiers": {
                "rewrite": { "replace": "/inner" },
                "request_headers": [{ "do": "set", "name": "X-B", "value": "1" }],
                "addresses": { "deny": ["192.0.2.0/24"] }
            }
        },
    ]))
    .unwrap();

    let asked = get("a.test", "/").header("x-a", "1a");
    let explained = table.explain(&asked.view(), Some("q=1"));

    let unmet: Vec<_> = explained.candidates.iter().map(|one| (one.id.as_str(), one.unmet.clone())).collect();
    let header = Some(Unmet::Header("x-a".to_owned()));
    assert_eq!(
        unmet,
        [("path", Some(Unmet::Path)), ("client", Some(Unmet::Client)), ("header", header), ("all", None)]
    );
    let outcome = explained.outcome.unwrap();
    assert_eq!(outcome.target.as_deref(), Some("/inner?q=1"));
    assert_eq!(outcome.location.as_deref(), Some("https://b.example/new/?q=1"));
    assert!(outcome.request_headers.contains(&("x-b".to_owned(), "1".to_owned())));
    assert!(!outcome.admitted_by_address);
}

#[test]
fn ten_thousand_hosts_are_told_apart() {
    let routes: Vec<Value> = (0..10_000)
        .map(|n| route(&format!("r{n}"), &json!({ "hosts": [format!("h{n}.test")], "path": { "prefix": "/a" } })))
        .collect();
    let table = compile(&Value::from(routes)).unwrap();

    assert_eq!(found(&table, &get("h7777.test", "/a/b")).as_deref(), Some("r7777"));
    assert_eq!(found(&table, &get("h7777.test", "/b")), None);
    assert_eq!(found(&table, &get("h10000.test", "/a")), None);
}

#[test]
fn a_swap_leaves_those_who_began_their_routes() {
    let live = Arc::new(LiveRoutes::new(compile(&json!([route("old", &json!({}))])).unwrap()));
    let began = live.current();
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let live = Arc::clone(&live);
            std::thread::spawn(move || {
                (0..1000)
                    .all(|_| found(&live.current(), &get("a.test", "/")).is_some_and(|id| id == "old" || id == "new"))
            })
        })
        .collect();

    live.replace(compile(&json!([route("new", &json!({}))])).unwrap());

    assert!(asking.into_iter().all(|thread| thread.join().unwrap()));
    assert_eq!(found(&began, &get("a.test", "/")).as_deref(), Some("old"));
    assert_eq!(found(&live.current(), &get("a.test", "/")).as_deref(), Some("new"));
}

/// The first of all routes, one after the other, that an explanation calls matching.
fn naive(table: &Compiled, asked: &crate::support::Asked) -> Option<String> {
    let explained = table.explain(&asked.view(), None);
    explained.candidates.into_iter().find(|one| one.unmet.is_none()).map(|one| one.id)
}

fn conditions() -> impl Strategy<Value = Value> {
    let host = prop::sample::select(vec!["", "a.test", "b.test", "*.test", "*.a.test", "x.a.test"]);
    let segment = prop::sample::select(vec!["a", "b", "ab", "{p}", ""]);
    let path = (0..4_usize, prop::collection::vec(segment, 1..4));
    let method = prop::sample::select(vec!["", "GET", "POST"]);
    (host, path, method, any::<bool>()).prop_map(|(host, (kind, segments), method, header)| {
        let mut condition = json!({});
        if !host.is_empty() {
            condition["hosts"] = json!([host]);
        }
        let segments: Vec<&str> = segments.into_iter().filter(|s| kind == 3 || !s.starts_with('{')).collect();
        let segments: Vec<String> =
            segments.iter().enumerate().map(|(n, s)| s.replace('p', &format!("p{n}"))).collect();
        let path = format!("/{}", segments.join("/"));
        let path = if kind == 3 { path } else { path.replace("//", "/") };
        if kind > 0 {
            condition["path"] = json!({ (["", "exact", "prefix", "pattern"][kind]): path });
        }
        if !method.is_empty() {
            condition["methods"] = json!([method]);
        }
        if header {
            condition["headers"] = json!([{ "name": "x-a" }]);
        }
        condition
    })
}

proptest! {
    #[test]
    fn the_index_finds_what_asking_every_route_finds(
        table in prop::collection::vec((conditions(), -1_i32..2), 1..12),
        asked in prop::collection::vec(
            (prop::sample::select(vec!["a.test", "x.a.test", "y.x.a.test", "c.test", "test", ""]), "(/[ab]{0,2}){1,4}", any::<bool>()),
            1..12,
        ),
    ) {
        let rows: Vec<Value> = table.iter().enumerate().map(|(n, (condition, priority))| {
            json!({ "id": format!("r{n}"), "priority": priority, "match": condition, "action": { "kind": "module" } })
        }).collect();
        // Routes that another leaves nothing for are refused; they are left out here.
        let mut rows = rows;
        let compiled = loop {
            match compile(&Value::from(rows.clone())) {
                Ok(compiled) => break compiled,
                Err(problems) => {
                    let at: usize = problems[0].path[7..].split(']').next().unwrap().parse().unwrap();
                    prop_assert!(["routes.conflict", "routes.unreachable"].contains(&problems[0].code), "{:?}", problems);
                    rows.remove(at);
                }
            }
        };
        for (host, path, header) in asked {
            let request = get(host, &path);
            let request = if header { request.header("x-a", "1") } else { request };
            prop_assert_eq!(found(&compiled, &request), naive(&compiled, &request));
        }
    }

    /// A route that is called unreachable takes no request when it is put in alone with the one that covers it.
    #[test]
    fn what_is_called_unreachable_is(first in conditions(), second in conditions(), path in "(/[ab]{0,1}){1,3}", host in prop::sample::select(vec!["a.test", "x.a.test", "b.test"])) {
        let rows = json!([
            { "id": "first", "priority": 1, "match": first, "action": { "kind": "module" } },
            { "id": "second", "match": second, "action": { "kind": "module" } },
        ]);
        if compile(&rows).is_err() {
            let alone = |n: usize| compile(&json!([rows[n]])).unwrap();
            for request in [get(host, &path), get(host, &path).header("x-a", "1")] {
                if found(&alone(1), &request).is_some() {
                    prop_assert!(found(&alone(0), &request).is_some());
                }
            }
        }
    }
}
