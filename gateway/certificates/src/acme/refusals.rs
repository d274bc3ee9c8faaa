//! The CA's problem documents (RFC 8555, section 6.7) and the transport's faults, as refusals.

use instant_acme::{Error, Problem};

use super::heard::Heard;
use crate::authority::{Refusal, RefusalKind};

const PREFIX: &str = "urn:ietf:params:acme:error:";

/// What a call was for: the same problem means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Account,
    Order { replaces: bool },
    Other,
}

/// The refusal that an error and what was heard with it stand for.
pub(crate) fn refusal(error: &Error, heard: Heard, call: Call) -> Refusal {
    let kind = kind(error, heard, call);
    let status = heard.status.map(|status| format!("{status}: ")).unwrap_or_default();
    Refusal::new(kind, format!("{status}{error}")).after(heard.retry_after)
}

fn kind(error: &Error, heard: Heard, call: Call) -> RefusalKind {
    let status = heard.status.map(|status| status.as_u16());
    match error {
        _ if heard.timed_out => RefusalKind::Timeout,
        Error::Api(problem) => of_problem(problem, status, call),
        Error::Unsupported(_) if call == (Call::Order { replaces: true }) => RefusalKind::Replaces,
        _ => match status {
            Some(429) => RefusalKind::RateLimited,
            None | Some(500..) => RefusalKind::Unavailable,
            Some(status) if refuses_replaces(status, error, call) => RefusalKind::Replaces,
            Some(404 | 410) => RefusalKind::OrderGone,
            Some(_) => RefusalKind::Unreadable,
        },
    }
}

/// Said outright, or by an order that does not say which certificate it replaces.
fn refuses_replaces(status: u16, error: &Error, call: Call) -> bool {
    let unsaid = status == 201 && error.to_string().starts_with("replaces field mismatch");
    call == (Call::Order { replaces: true }) && (unsaid || matches!(status, 403 | 409))
}

fn of_problem(problem: &Problem, status: Option<u16>, call: Call) -> RefusalKind {
    let word = problem.r#type.as_deref().unwrap_or_default();
    match word.strip_prefix(PREFIX).unwrap_or_default() {
        "rateLimited" => RefusalKind::RateLimited,
        "badNonce" => RefusalKind::BadNonce,
        "serverInternal" => RefusalKind::Unavailable,
        "accountDoesNotExist" | "externalAccountRequired" | "userActionRequired" => RefusalKind::Account,
        "alreadyReplaced" => RefusalKind::Replaces,
        _ if status == Some(429) => RefusalKind::RateLimited,
        _ if status.is_some_and(|status| status >= 500) => RefusalKind::Unavailable,
        _ if matches!(call, Call::Order { replaces: true }) && matches!(status, Some(403 | 409)) => {
            RefusalKind::Replaces
        }
        "rejectedIdentifier" | "unsupportedIdentifier" => RefusalKind::Name,
        "caa" => RefusalKind::Caa,
        "unauthorized" | "malformed" if call == Call::Account => RefusalKind::Account,
        "orderNotReady" => RefusalKind::OrderGone,
        _ if matches!(status, Some(404 | 410)) => RefusalKind::OrderGone,
        _ => RefusalKind::Refused,
    }
}

/// Why a validation failed, from the problem of its challenge.
pub(crate) fn failed_validation(problem: &Problem) -> Refusal {
    let word = problem.r#type.as_deref().unwrap_or_default();
    let kind = match word.strip_prefix(PREFIX).unwrap_or_default() {
        "dns" => RefusalKind::Dns,
        "connection" | "tls" => RefusalKind::Connection,
        "unauthorized" | "incorrectResponse" => RefusalKind::WrongAnswer,
        "caa" => RefusalKind::Caa,
        _ => RefusalKind::Validation,
    };
    Refusal::new(kind, problem.to_string())
}
