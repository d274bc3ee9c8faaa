//! Whether an answer may be stored, and what of it (RFC 9111, section 3).

use std::time::SystemTime;

use http::{HeaderMap, StatusCode, header, response};

use crate::{
    date,
    directives::{Fields, RequestDirectives, ResponseDirectives},
    fields,
    freshness::Freshness,
    policy::Policy,
    scope::Scope,
    stored::Head,
    tags,
    targeted::targeted,
    vary::Selection,
};

/// Statuses whose meaning we know, for `must-understand` (RFC 9111, section 5.2.2.3).
const UNDERSTOOD: [u16; 20] =
    [200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 451, 500, 502, 503, 504];

/// What storing depends on, beside the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) policy: &'a Policy,
    pub(crate) request: &'a HeaderMap,
    pub(crate) directives: &'a RequestDirectives,
    /// When the origin was asked.
    pub(crate) asked: SystemTime,
    /// When its answer came.
    pub(crate) received: SystemTime,
}

/// The part of an answer to store, or a word that says why not (for `Cache-Status`).
pub(crate) fn head_to_store(asking: &Asking<'_>, answer: &response::Parts) -> Result<Head, &'static str> {
    let aimed = targeted(&answer.headers);
    let is_targeted = aimed.is_some();
    let directives = aimed.unwrap_or_else(|| ResponseDirectives::parse(&answer.headers));
    allowed(asking, &directives, answer.status, &answer.headers)?;
    let selection = Selection::of_answer(asking.policy, asking.request, &answer.headers).ok_or("vary")?;
    let tags = tags::of_answer(asking.scope, &answer.headers).ok_or("surrogate-key")?;
    let times = (asking.asked, asking.received);
    let freshness = Freshness::of(asking.policy, &directives, is_targeted, answer.status, &answer.headers, times);

    let validator = answer.headers.contains_key(header::ETAG) || answer.headers.contains_key(header::LAST_MODIFIED);
    if !freshness.is_usable(asking.received) && !validator {
        return Err("stale");
    }
    let mut headers = answer.headers.clone();
    fields::strip_connection(&mut headers);
    fields::strip_named(&mut headers, &directives.no_cache);
    fields::strip_named(&mut headers, &directives.private);
    if !headers.contains_key(header::DATE) {
        headers.insert(header::DATE, date::header_value(asking.received));
    }
    Ok(Head::new(answer.status, headers, selection, tags, freshness))
}

fn allowed(
    asking: &Asking<'_>,
    directives: &ResponseDirectives,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), &'static str> {
    let understood = UNDERSTOOD.contains(&status.as_u16());
    let whole = !matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED) && !status.is_informational();
    let no_store = directives.no_store && !(directives.must_understand && understood);
    if !whole || (directives.must_understand && !understood) {
        return Err("status");
    }
    if no_store || asking.directives.no_store {
        return Err("no-store");
    }
    if directives.private == Fields::All {
        return Err("private");
    }
    let shared = directives.public || directives.must_revalidate || directives.s_maxage.is_some();
    let personal = asking.policy.personal || asking.request.contains_key(header::AUTHORIZATION);
    if personal && !shared {
        return Err("authorization");
    }
    let withheld = [&directives.no_cache, &directives.private]
        .iter()
        .any(|fields| matches!(fields, Fields::Some(names) if names.contains(&header::SET_COOKIE)));
    if headers.contains_key(header::SET_COOKIE) && !asking.policy.store_cookies && !withheld {
        return Err("set-cookie");
    }
    Ok(())
}

/// Brings a stored answer up to date with a 304 (RFC 9111, section 4.3.4).
pub(crate) fn head_freshened(
    asking: &Asking<'_>,
    stored: &Head,
    not_modified: &response::Parts,
) -> Result<Head, &'static str> {
    let (mut whole, ()) = http::Response::new(()).into_parts();
    whole.status = stored.status;
    whole.headers = stored.headers.clone();
    let mut newer = not_modified.headers.clone();
    newer.entry(header::DATE).or_insert_with(|| date::header_value(asking.received));
    fields::update(&mut whole.headers, newer);
    head_to_store(asking, &whole)
}
