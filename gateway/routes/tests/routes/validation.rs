//! What a table may not say, and how it is told.

use edge_routes::RouteTable;
use serde_json::{Value, json};

use crate::support::compile;

fn codes(routes: &Value) -> Vec<(String, &'static str)> {
    let problems = compile(routes).err().unwrap_or_default();
    problems.into_iter().map(|problem| (problem.path, problem.code)).collect()
}

fn one(fields: &Value) -> Vec<(String, &'static str)> {
    let mut route = json!({ "id": "r", "action": { "kind": "module" } });
    route.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    codes(&json!([route]))
}

fn modified(name: &str, value: &Value) -> Vec<(String, &'static str)> {
    one(&json!({ "modifiers": { name: value } }))
}

#[test]
fn each_fault_is_told_by_its_place() {
    for (fields, path, code) in [
        (json!({ "id": "a b" }), "id", "routes.id_invalid"),
        (json!({ "match": { "hosts": ["a.test", "https://b"] } }), "match.hosts[1]", "routes.host_invalid"),
        (json!({ "match": { "hosts": ["a.*.test"] } }), "match.hosts[0]", "routes.host_invalid"),
        (json!({ "match": { "path": { "exact": "a" } } }), "match.path", "routes.path_invalid"),
        (json!({ "match": { "path": { "prefix": "/a/../b" } } }), "match.path", "routes.path_invalid"),
        (json!({ "match": { "path": { "pattern": "/{a" } } }), "match.path", "routes.path_invalid"),
        (json!({ "match": { "methods": ["get"] } }), "match.methods[0]", "routes.method_invalid"),
        (
            json!({ "match": { "headers": [{ "name": "x", "regex": "(" }] } }),
            "match.headers[0]",
            "routes.header_invalid",
        ),
        (json!({ "action": { "kind": "upstream", "pool": "none" } }), "action.pool", "routes.pool_unknown"),
        (
            json!({ "action": { "kind": "redirect", "to": "/x", "status": 200 } }),
            "action.status",
            "routes.status_invalid",
        ),
        (json!({ "action": { "kind": "redirect", "to": "//x" } }), "action.to", "routes.redirect_invalid"),
        (json!({ "action": { "kind": "respond", "status": 101 } }), "action.status", "routes.status_invalid"),
        (json!({ "action": { "kind": "respond", "status": 204, "body": "x" } }), "action.body", "routes.body_refused"),
        (json!({ "action": { "kind": "files", "folder": "www" } }), "action.folder", "routes.folder_invalid"),
        (
            json!({ "action": { "kind": "files", "folder": "/srv", "index": "../x" } }),
            "action.index",
            "routes.file_invalid",
        ),
    ] {
        assert_eq!(one(&fields), [(format!("routes[0].{path}"), code)], "{fields}");
    }
}

#[test]
fn modifiers_are_checked_too() {
    for (name, value, path, code) in [
        ("rewrite", json!({ "regex": { "find": "(", "replace": "" } }), "rewrite", "routes.rewrite_invalid"),
        ("rewrite", json!({ "replace": "/{id}" }), "rewrite", "routes.rewrite_invalid"),
        ("rate_limits", json!(["login", "none"]), "rate_limits[1]", "routes.rate_limit_unknown"),
        ("rate_limits", json!([{ "name": "login", "cost": 6 }]), "rate_limits[0]", "routes.rate_limit_cost"),
        ("rate_limits", json!(["login", { "name": "login", "cost": 2 }]), "rate_limits[1]", "routes.rate_limit_twice"),
        ("cors", json!({ "origins": ["app.test"] }), "cors.origins[0]", "routes.origin_invalid"),
        ("forward_auth", json!({ "url": "ftp://a" }), "forward_auth.url", "routes.url_invalid"),
        ("forward_auth", json!({ "url": "http://a:b@c/" }), "forward_auth.url", "routes.url_invalid"),
        (
            "forward_auth",
            json!({ "url": "http://a", "copy_headers": ["X-User", "Holdfast-Identity"] }),
            "forward_auth.copy_headers[1]",
            "routes.header_refused",
        ),
        ("require", json!({}), "require", "routes.require_empty"),
        ("require", json!({ "scopes": ["a b"] }), "require.scopes[0]", "routes.scope_invalid"),
        (
            "request_headers",
            json!([{ "do": "set", "name": "Holdfast-Identity", "value": "me" }]),
            "request_headers[0]",
            "routes.header_refused",
        ),
        (
            "basic_auth",
            json!({ "realm": "x", "users": [{ "name": "a", "hash": "secret" }] }),
            "basic_auth.users[0].hash",
            "routes.hash_invalid",
        ),
        ("limits", json!({ "timeout_seconds": 0 }), "limits.timeout_seconds", "routes.limit_zero"),
        ("cache", json!({ "vary_allowed": ["a b"] }), "cache.vary_allowed", "routes.header_invalid"),
    ] {
        assert_eq!(modified(name, &value), [(format!("routes[0].modifiers.{path}"), code)], "{value}");
    }
}

#[test]
fn headers_of_the_connection_and_broken_values_are_refused() {
    for name in ["Connection", "transfer-encoding", "Content-Length", "Host", "Upgrade", "TE", "Keep-Alive"] {
        let rule = json!([{ "do": "set", "name": name, "value": "x" }]);
        assert_eq!(modified("request_headers", &rule)[0].1, "routes.header_refused", "{name}");
        assert_eq!(modified("response_headers", &rule)[0].1, "routes.header_refused", "{name}");
    }
    let smuggled = json!([{ "do": "add", "name": "X", "value": "a\r\nSet-Cookie: b" }]);
    assert_eq!(modified("response_headers", &smuggled)[0].1, "routes.header_invalid");
}

#[test]
fn routes_that_get_in_each_others_way_are_told() {
    let module = |id: &str, priority: i32, condition: Value| json!({ "id": id, "priority": priority, "match": condition, "action": { "kind": "module" } });
    let twice = json!([module("a", 0, json!({})), module("b", 0, json!({}))]);
    assert_eq!(codes(&twice), [("routes[1].match".to_owned(), "routes.conflict")]);
    let same_id = json!([module("a", 0, json!({})), module("a", 1, json!({ "methods": ["GET"] }))]);
    assert_eq!(codes(&same_id), [("routes[1].id".to_owned(), "routes.id_taken")]);
    let hidden = json!([
        module("a", 0, json!({ "path": { "exact": "/x/y" } })),
        module("b", 5, json!({ "path": { "prefix": "/x" } }))
    ]);
    assert_eq!(codes(&hidden), [("routes[0].match".to_owned(), "routes.unreachable")]);
    let mut off = hidden;
    off[1]["enabled"] = json!(false);
    assert_eq!(codes(&off), []);
}

#[test]
fn redirects_in_a_circle_are_told() {
    let redirect = |id: &str, from: Value, to: &str| json!({ "id": id, "match": from, "action": { "kind": "redirect", "to": to } });
    let exact = |path: &str| json!({ "path": { "exact": path } });
    let circle = json!([redirect("a", exact("/a"), "/b"), redirect("b", exact("/b"), "/a")]);
    let told: Vec<_> = codes(&circle).into_iter().map(|(_, code)| code).collect();
    assert_eq!(told, ["routes.redirect_loop"; 2]);
    let itself = json!([redirect("a", json!({ "hosts": ["a.test"] }), "https://a.test/x")]);
    assert_eq!(codes(&itself)[0].1, "routes.redirect_loop");
    let elsewhere = json!([redirect("a", json!({ "hosts": ["a.test"] }), "https://b.test{path}")]);
    assert_eq!(codes(&elsewhere), []);
    let chain = json!([redirect("a", exact("/a"), "/b"), redirect("b", exact("/b"), "/c")]);
    assert_eq!(codes(&chain), []);
}

#[test]
fn a_file_says_the_same_as_the_api_and_unknown_words_are_errors() {
    let toml = r#"
        [[routes]]
        id = "shop"
        match = { hosts = ["shop.test"], path = { prefix = "/" } }
        action = { kind = "upstream", pool = "shop" }
        [routes.modifiers]
        compression = {}
        rate_limits = ["login"]
        cache = { default_ttl = 60 }
    "#;
    let json = json!({ "routes": [{
        "id": "shop",
        "match": { "hosts": ["shop.test"], "path": { "prefix": "/" } },
        "action": { "kind": "upstream", "pool": "shop" },
        "modifiers": { "compression": {}, "rate_limits": ["login"], "cache": { "default_ttl": 60 } },
    }] });
    let from_file: RouteTable = toml::from_str(toml).unwrap();

    assert_eq!(from_file, serde_json::from_value(json.clone()).unwrap());
    let written = serde_json::to_value(&from_file).unwrap();
    assert_eq!(serde_json::from_value::<RouteTable>(written).unwrap(), from_file);
    for (pointer, word) in
        [("/routes/0", "x"), ("/routes/0/match", "x"), ("/routes/0/action", "x"), ("/routes/0/modifiers", "x")]
    {
        let mut wrong = json.clone();
        wrong.pointer_mut(pointer).unwrap()[word] = json!(1);
        assert!(serde_json::from_value::<RouteTable>(wrong).is_err(), "{pointer}");
    }
}
