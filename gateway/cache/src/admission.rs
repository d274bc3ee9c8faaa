//! Which requests have anything to do with the cache.

use http::{Method, Request, header};
use http_body::Body;

use crate::{cache_status::Forward, policy::Policy, precondition};

/// The way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Looked up, perhaps stored.
    Through,
    Past(Forward),
    /// It may change what is stored (RFC 9111, section 4.4).
    Unsafe,
}

/// Tells the way of a request under a policy.
pub(crate) fn way<B: Body>(policy: &Policy, request: &Request<B>) -> Way {
    if !request.method().is_safe() {
        return Way::Unsafe;
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Way::Past(Forward::Method);
    }
    let headers = request.headers();
    let signed_in = policy.bypass_authorization && headers.contains_key(header::AUTHORIZATION);
    let unusual = headers.contains_key(header::UPGRADE) || !request.body().is_end_stream();
    if !policy.enabled || signed_in || unusual || has_cookie(policy, request) {
        return Way::Past(Forward::Bypass);
    }
    if precondition::is_for_origin(headers) {
        return Way::Past(Forward::Request);
    }
    Way::Through
}

fn has_cookie<B>(policy: &Policy, request: &Request<B>) -> bool {
    if policy.bypass_cookies.is_empty() {
        return false;
    }
    let lines = request.headers().get_all(header::COOKIE).iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    let mut names = pairs.map(|pair| pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii());
    names.any(|name| policy.bypass_cookies.iter().any(|wanted| wanted.as_bytes() == name))
}

#[cfg(test)]
mod tests {
    use http_body_util::{Empty, Full};

    use super::*;

    fn of(policy: &Policy, request: http::request::Builder) -> Way {
        way(policy, &request.body(Empty::<&[u8]>::new()).unwrap())
    }

    #[test]
    fn only_plain_reads_go_through() {
        let policy =
            Policy { bypass_cookies: vec!["session".to_owned()], bypass_authorization: true, ..Policy::default() };
        let get = Request::get;

        assert_eq!(of(&policy, get("/")), Way::Through);
        assert_eq!(of(&policy, Request::head("/")), Way::Through);
        assert_eq!(of(&policy, get("/").header("cookie", "mysession=1; sessions=2")), Way::Through);
        assert_eq!(of(&policy, Request::options("/")), Way::Past(Forward::Method));
        assert_eq!(of(&policy, Request::put("/")), Way::Unsafe);
        assert_eq!(of(&policy, get("/").header("if-match", "\"a\"")), Way::Past(Forward::Request));
        for (name, value) in [("cookie", "a=1; session=2"), ("authorization", "x"), ("upgrade", "websocket")] {
            assert_eq!(of(&policy, get("/").header(name, value)), Way::Past(Forward::Bypass), "{name}");
        }
        let with_body = Request::get("/").body(Full::new(&b"x"[..])).unwrap();
        assert_eq!(way(&policy, &with_body), Way::Past(Forward::Bypass));
        assert_eq!(of(&Policy { enabled: false, ..policy }, get("/")), Way::Past(Forward::Bypass));
    }
}
