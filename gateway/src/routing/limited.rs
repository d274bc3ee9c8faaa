//! The limits that a route names: those by address, credential and route before anything is found out about a request,
//! those by account and tenant once it is known who asks.

use std::sync::PoisonError;

use http::{HeaderMap, Method, Response};

use super::{live::Routing, passage::Passage};
use crate::{
    app::ResponseBody,
    authenticator::{Identity, Verdict},
    limits::{Charges, Counted},
    refusal::Refusal,
};

/// Charges a request to those limits that need not know who asks; the refusal, if one of them is used up.
pub(crate) fn at_once(passage: &Passage) -> Option<Response<ResponseBody>> {
    charge(passage, None, false)
}

/// Charges it to those that do. Whoever can't be told apart counts by address: a limit is never why nobody gets in.
pub(crate) async fn by_identity(
    routing: &Routing,
    passage: &Passage,
    (method, headers): (&Method, &HeaderMap),
) -> Option<Response<ResponseBody>> {
    if !passage.found.extras.limits.iter().any(|(limit, _)| limit.asks_who()) {
        return None;
    }
    if let Some(identity) = passage.identity.get() {
        return charge(passage, Some(identity), true);
    }
    let verdict = match routing.authenticator() {
        Some(by) => by.identify(method, headers, &passage.edge).await,
        None => Verdict::Unavailable,
    };
    match verdict {
        Verdict::Known(identity) => charge(passage, Some(&identity), true),
        Verdict::Anonymous | Verdict::Refused(_) | Verdict::Unavailable => charge(passage, None, true),
    }
}

fn charge(passage: &Passage, identity: Option<&Identity>, asks_who: bool) -> Option<Response<ResponseBody>> {
    let extras = &passage.found.extras;
    let counted = Counted {
        address: passage.client(),
        key: passage.key,
        account: identity.map(|identity| identity.subject.as_ref()),
        tenant: identity.map(|identity| identity.tenant.as_ref()),
        route: &extras.id,
    };
    let mut charges = Charges::default();
    for (limit, cost) in extras.limits.iter().filter(|(limit, _)| limit.asks_who() == asks_who) {
        limit.charge(&counted, *cost, &mut charges);
    }
    let refused = charges.refused();
    passage.charges.lock().unwrap_or_else(PoisonError::into_inner).join(charges);
    refused.then(|| Refusal::TooManyRequests.response(&passage.edge.request_id))
}

/// Leaves in an answer what the request was charged, after what the application behind has charged.
pub(crate) fn tell(passage: &Passage, answer: &mut Response<ResponseBody>) {
    let charged = std::mem::take(&mut *passage.charges.lock().unwrap_or_else(PoisonError::into_inner));
    if !charged.is_empty() {
        let mut all = answer.extensions_mut().remove::<Charges>().unwrap_or_default();
        all.join(charged);
        answer.extensions_mut().insert(all);
    }
}
