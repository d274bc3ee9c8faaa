use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version, header};
use proptest::{collection::vec, prelude::*};

use super::{
    request::{Length, Rewritten, rewrite},
    response::{clean, switched},
};
use crate::{
    config::{Forwarded, HostHeader},
    error::UpstreamError,
    forwarding::Forwarding,
};

fn context() -> Forwarding {
    Forwarding::new("203.0.113.7".parse().unwrap(), "https")
}

fn with(fields: &[(&str, &str)], context: &Forwarding, settings: &Forwarded) -> Result<Rewritten, UpstreamError> {
    let mut request = Request::builder().uri("/path?q=1");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    rewrite(head, Length::None, &mut context.clone(), settings, &HostHeader::Keep)
}

fn text(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?"))).collect();
    lines.sort();
    lines
}

#[test]
fn what_belongs_to_the_connection_stays_on_it() {
    let fields = [
        ("host", "example.com"),
        ("connection", "keep-alive, X-Secret, cookie"),
        ("x-secret", "1"),
        ("cookie", "a=b"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "close"),
        ("proxy-authorization", "basic x"),
        ("te", "gzip, trailers;q=0.5"),
        ("transfer-encoding", "chunked"),
        ("content-length", "7"),
        ("upgrade", "websocket"),
        ("http2-settings", "AAA"),
        ("expect", "100-continue"),
        ("date", "kept"),
        ("x-end-to-end", "kept"),
    ];

    let rewritten = with(&fields, &context(), &Forwarded::default()).unwrap();

    assert!(rewritten.manner.trailers);
    let head = rewritten.for_http1("target:80").unwrap();
    assert_eq!(
        text(&head.headers),
        [
            "connection: te",
            "date: kept",
            "host: example.com",
            "te: trailers",
            "via: 1.1 holdfast",
            "x-end-to-end: kept",
            "x-forwarded-for: 203.0.113.7",
            "x-forwarded-host: example.com",
            "x-forwarded-proto: https",
        ]
    );
}

#[test]
fn what_the_client_says_about_itself_is_dropped_or_kept_as_set() {
    let fields = [
        ("host", "example.com"),
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "7.7.7.7"),
        ("x-forwarded-proto", "gopher"),
        ("x-real-ip", "6.6.6.6"),
        ("forwarded", "for=6.6.6.6"),
    ];
    let both = |append| Forwarded { forwarded: true, append, ..Forwarded::default() };

    let dropped = with(&fields, &context(), &both(false)).unwrap().headers;
    assert_eq!(dropped["x-forwarded-for"], "203.0.113.7");
    assert_eq!(dropped["x-forwarded-proto"], "https");
    assert_eq!(dropped["forwarded"], r#"for=203.0.113.7;proto=https;host="example.com""#);
    assert!(!dropped.contains_key("x-real-ip"));

    let appended = with(&fields, &context(), &both(true)).unwrap().headers;
    assert_eq!(appended["x-forwarded-for"], "6.6.6.6, 7.7.7.7, 203.0.113.7");
    assert_eq!(appended["x-forwarded-proto"], "gopher");
    assert_eq!(appended["forwarded"], r#"for=6.6.6.6, for=203.0.113.7;proto=https;host="example.com""#);

    let silent = Forwarded { x_forwarded: false, ..Forwarded::default() };
    let nothing = with(&fields, &context(), &silent).unwrap().headers;
    assert!(nothing.keys().all(|name| !name.as_str().contains("forwarded")));
}

#[test]
fn our_own_fields_win_and_the_client_can_not_strip_them() {
    let mut context = context();
    context.fields.insert("x-identity", HeaderValue::from_static("alice"));

    let rewritten = with(
        &[
            ("x-identity", "mallory"),
            ("x_identity", "mallory"),
            ("x_forwarded_for", "6.6.6.6"),
            ("x_other", "1"),
            ("connection", "x-identity, x-forwarded-for, via"),
            ("via", "1.0 old"),
        ],
        &context,
        &Forwarded::default(),
    );

    let headers = rewritten.unwrap().headers;
    assert_eq!(headers.get_all("x-identity").iter().collect::<Vec<_>>(), ["alice"]);
    assert_eq!(headers["x-forwarded-for"], "203.0.113.7");
    assert_eq!(headers["via"], "1.1 holdfast");
    let underscores: Vec<_> = headers.keys().filter(|name| name.as_str().contains('_')).collect();
    assert_eq!(underscores, ["x_other"]);
}

#[test]
fn only_a_proper_upgrade_is_passed_on() {
    let mut allowed = context();
    allowed.upgrades = true;
    let upgrade = |fields: &[(&str, &str)], context: &Forwarding| {
        with(fields, context, &Forwarded::default())
            .unwrap()
            .manner
            .upgrade
            .map(|value| value.to_str().unwrap().to_owned())
    };
    let websocket = [("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")];

    assert_eq!(upgrade(&websocket, &allowed).as_deref(), Some("websocket"));
    assert_eq!(upgrade(&websocket, &context()), None);
    for refused in [
        &[("connection", "close"), ("upgrade", "websocket")][..],
        &[("connection", "upgrade"), ("upgrade", "h2c")],
        &[("connection", "upgrade"), ("upgrade", "websocket, H2C")],
        &[("connection", "upgrade"), ("upgrade", "HTTP/2.0")],
        &[("connection", "upgrade"), ("upgrade", "websocket"), ("upgrade", "other")],
        &[("connection", "upgrade"), ("upgrade", ",")],
    ] {
        assert_eq!(upgrade(refused, &allowed), None, "{refused:?}");
    }
}

#[test]
fn a_request_that_goes_round_in_circles_is_stopped() {
    let few = "1.1 holdfast, 1.1 other, 1.1 holdfast, 2 holdfast";
    let many = "1.1 holdfast, 1.1 holdfast, 1.1 holdfast, 1.1 holdfast";

    let passed = with(&[("via", few)], &context(), &Forwarded::default()).unwrap();
    assert_eq!(passed.headers["via"], format!("{few}, 1.1 holdfast"));
    let stopped = with(&[("via", many)], &context(), &Forwarded::default());
    assert!(matches!(stopped, Err(UpstreamError::Loop)));
}

#[test]
fn framing_is_ours_on_both_protocols() {
    let head = |method: Method, length| {
        let (head, ()) = Request::builder().method(method).uri("http://a:8080/x").body(()).unwrap().into_parts();
        rewrite(head, length, &mut context(), &Forwarded::default(), &HostHeader::Target).unwrap()
    };

    let empty_post = head(Method::POST, Length::None).for_http1("t:1").unwrap();
    assert_eq!(empty_post.headers[header::CONTENT_LENGTH], "0");
    assert_eq!(empty_post.headers[header::HOST], "t:1");
    assert_eq!(empty_post.uri, "/x");
    let streamed_get = head(Method::GET, Length::Unknown).for_http1("t:1").unwrap();
    assert_eq!(streamed_get.headers[header::TRANSFER_ENCODING], "chunked");
    let h2 = head(Method::GET, Length::Unknown).for_http2("https", "t:1").unwrap();
    assert_eq!((h2.uri.to_string().as_str(), h2.version), ("https://t:1/x", Version::HTTP_2));
    assert!(!h2.headers.contains_key(header::TRANSFER_ENCODING) && !h2.headers.contains_key(header::HOST));
}

#[test]
fn an_answer_keeps_only_what_is_for_the_client() {
    let answer = |status: u16, fields: &[(&str, &str)]| {
        let mut answer = http::Response::builder().status(status);
        for (name, value) in fields {
            answer = answer.header(*name, *value);
        }
        answer.body(()).unwrap().into_parts().0
    };

    let mut head = answer(
        200,
        &[
            ("connection", "close, x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "5"),
            ("upgrade", "h2c"),
            ("date", "d"),
            ("server", "s"),
        ],
    );
    clean(&mut head);
    assert_eq!(text(&head.headers), ["date: d", "server: s"]);

    let asked = HeaderValue::from_static("websocket, other");
    assert!(switched(&mut answer(101, &[("upgrade", "WebSocket"), ("connection", "upgrade")]), &asked));
    assert!(!switched(&mut answer(101, &[("upgrade", "h2c")]), &asked));
    assert!(!switched(&mut answer(101, &[]), &asked));
}

fn hostile_name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "connection",
        "keep-alive",
        "te",
        "transfer-encoding",
        "content-length",
        "upgrade",
        "proxy-connection",
        "expect",
        "host",
        "forwarded",
        "x-forwarded-for",
        "via",
        "x-a",
        "x-b",
    ])
}

fn hostile_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(hostile_name(), 0..4).prop_map(|names| names.join(", ").into_bytes()),
        Just(b"chunked".to_vec()),
        Just(b"upgrade".to_vec()),
        Just(b"42".to_vec()),
        vec(prop_oneof![32_u8..127, 128_u8..=255], 0..20),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_nothing_of_the_connection_goes_on(
        fields in vec((hostile_name(), hostile_value()), 0..12),
        upgrades: bool,
        unknown: bool,
    ) {
        let mut request = Request::new(());
        for (name, value) in &fields {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        }
        let named: Vec<String> = request.headers().get_all("connection").iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(',').map(|name| name.trim().to_ascii_lowercase()).collect::<Vec<_>>())
            .collect();
        let mut context = context();
        context.upgrades = upgrades;
        let length = if unknown { Length::Unknown } else { Length::None };
        let Ok(rewritten) = rewrite(request.into_parts().0, length, &mut context, &Forwarded::default(), &HostHeader::Target)
        else { return Ok(()) };
        let upgraded = rewritten.manner.upgrade.is_some();
        let head = rewritten.clone().for_http1("t").unwrap();

        for name in ["keep-alive", "proxy-connection", "expect", "content-length"] {
            prop_assert!(!head.headers.contains_key(name), "{name}");
        }
        prop_assert_eq!(head.headers.contains_key("upgrade"), upgraded);
        prop_assert_eq!(head.headers.get_all("transfer-encoding").iter().count(), usize::from(unknown));
        prop_assert_eq!(head.headers.get_all("host").iter().count(), 1);
        prop_assert_eq!(head.headers.get_all("x-forwarded-for").iter().collect::<Vec<_>>(), ["203.0.113.7"]);
        for name in ["x-a", "x-b"] {
            prop_assert!(!named.iter().any(|named| named == name) || !head.headers.contains_key(name));
        }
        let again: Vec<_> = head.headers.get_all("connection").iter().collect();
        prop_assert!(again.len() <= 1 && again.iter().all(|value| *value == "te" || *value == "upgrade"));
        let h2 = rewritten.for_http2("http", "t").unwrap();
        for name in ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"] {
            prop_assert!(!h2.headers.contains_key(name), "{name}");
        }
        prop_assert!(h2.headers.get("te").is_none_or(|value| value == "trailers"));
    }
}
