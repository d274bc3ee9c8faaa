//! A record of the gateway's as filters and clients see it.

use chrono::{DateTime, SubsecRound, Utc};
use gateway::{CacheOutcome, Record};
use kernel::{Datum, Filter};

use crate::model::EdgeRequest;

/// Whether a request passes.
pub(super) fn pass(filter: &Filter, record: &Record) -> bool {
    // Texts that the record holds in another form are made only if the filter names them.
    let (address, credential, trace) = (Lazy::default(), Lazy::default(), Lazy::default());
    filter.passes(|name| match name {
        "address" => Datum::Text(address.get_or_init(|| record.address.to_string())),
        "credential" => record
            .credential
            .map_or(Datum::Null, |credential_of| Datum::Text(credential.get_or_init(|| hex_of(credential_of)))),
        "trace_id" => Datum::Text(trace.get_or_init(|| hex::encode(record.trace_id))),
        _ => plain(name, record),
    })
}

type Lazy = std::cell::OnceCell<String>;

fn plain<'a>(name: &str, record: &'a Record) -> Datum<'a> {
    let text = |value: Option<&'a str>| value.map_or(Datum::Null, Datum::Text);
    let particulars = &record.particulars;
    match name {
        "number" => whole(record.number),
        "at" => Datum::Time(came(record)),
        "method" => Datum::Text(record.method.as_str()),
        "scheme" => Datum::Text(record.scheme.as_str()),
        "host" => text(record.host.as_deref()),
        "path" => Datum::Text(&record.path),
        "protocol" => Datum::Text(record.protocol()),
        "status" => Datum::Integer(record.status.into()),
        "duration_us" => Datum::Integer(micros(record)),
        "bytes" => whole(record.sent()),
        "complete" => Datum::Boolean(record.is_over()),
        "route" => text(particulars.route.as_deref()),
        "operation" => text(particulars.operation),
        "pool" => text(particulars.pool.as_deref()),
        "upstream" => text(particulars.target.as_deref()),
        "cache" => text(particulars.cache.map(CacheOutcome::word)),
        "limit_outcome" => text(outcome(record)),
        "tenant_id" => text(particulars.tenant.as_deref()),
        "tenant" => text(particulars.tenant_name.as_deref()),
        "account_id" => text(particulars.account.as_deref()),
        "actor" => text(particulars.actor),
        "request_id" => Datum::Text(record.request_id.as_str()),
        _ => Datum::Null,
    }
}

/// As clients see it.
pub(super) fn told(record: &Record) -> EdgeRequest {
    let particulars = &record.particulars;
    let names = |limits: &[std::sync::Arc<str>]| limits.iter().map(ToString::to_string).collect();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    EdgeRequest {
        number: signed(record.number),
        at: came(record),
        method: record.method.as_str().to_owned(),
        scheme: record.scheme.as_str().to_owned(),
        host: owned(record.host.as_deref()),
        path: record.path.to_string(),
        protocol: record.protocol().to_owned(),
        status: record.status.into(),
        duration_us: micros(record),
        bytes: signed(record.sent()),
        complete: record.is_over(),
        route: owned(particulars.route.as_deref()),
        operation: owned(particulars.operation),
        pool: owned(particulars.pool.as_deref()),
        upstream: owned(particulars.target.as_deref()),
        cache: owned(particulars.cache.map(CacheOutcome::word)),
        limit_outcome: owned(outcome(record)),
        refused_by: names(&record.refused_by),
        would_refuse: names(&record.would_refuse),
        address: record.address.to_string(),
        tenant_id: owned(particulars.tenant.as_deref()),
        tenant: owned(particulars.tenant_name.as_deref()),
        account_id: owned(particulars.account.as_deref()),
        actor: owned(particulars.actor),
        credential: record.credential.map(hex_of),
        request_id: record.request_id.to_string(),
        trace_id: hex::encode(record.trace_id),
    }
}

/// When the request came, to the microsecond.
pub(super) fn came(record: &Record) -> DateTime<Utc> {
    DateTime::<Utc>::from(record.at).trunc_subsecs(6)
}

fn outcome(record: &Record) -> Option<&'static str> {
    match (record.refused_by.is_empty(), record.would_refuse.is_empty()) {
        (false, _) => Some("refused"),
        (true, false) => Some("would_refuse"),
        (true, true) => None,
    }
}

fn hex_of(credential: u64) -> String {
    format!("{credential:016x}")
}

fn micros(record: &Record) -> i64 {
    i64::try_from(record.took.as_micros()).unwrap_or(i64::MAX)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole(number: u64) -> Datum<'static> {
    Datum::Integer(signed(number))
}
