//! Which requests have a line in the log, and the line.

use std::{net::IpAddr, time::Duration};

use serde::{Serialize, Serializer};

use super::{AccessLog, record::Record};
use crate::trace::TraceContext;

impl AccessLog {
    /// How many requests a line about this one stands for, as a share: 1 if it always has one; none: no line. With the
    /// share, counts can be scaled.
    pub(super) fn share(&self, status: u16, took: Duration, trace: &TraceContext) -> Option<f64> {
        if !self.enabled {
            return None;
        }
        let slow = !self.slow.is_zero() && took >= self.slow;
        if status >= self.failures_from || slow || trace.sampled {
            return Some(1.0);
        }
        trace.is_among(self.sample).then_some(self.sample)
    }

    /// What is wrong with it.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if !(0.0..=1.0).contains(&self.sample) {
            return Err("sample must be a share from 0 to 1");
        }
        if !(100..=600).contains(&self.failures_from) {
            return Err("failures_from must be a status from 100 to 600");
        }
        Ok(())
    }
}

/// A request's line in the log. Fields that are not there are left out.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AccessLine<'a> {
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    path: &'a str,
    protocol: &'static str,
    /// The application's operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<&'static str>,
    status: u16,
    /// From the request's head to its answer's.
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_refuse: Option<&'a str>,
    request_id: &'a str,
    #[serde(serialize_with = "hexadecimal")]
    trace_id: [u8; 16],
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'static str>,
    address: IpAddr,
    /// The share of requests of which such a line tells one.
    sample: f64,
}

/// Where lines go that are not left to `tracing`, which takes several times as long for them: a log that writes them in
/// a form of its own. It must not wait.
pub trait AccessLines: Send + Sync + 'static {
    /// Takes one.
    fn write(&self, line: &AccessLine<'_>);
}

impl<'a> AccessLine<'a> {
    pub(super) fn new(record: &'a Record, share: f64) -> Self {
        let particulars = &record.particulars;
        Self {
            method: record.method.as_str(),
            host: record.host.as_deref(),
            path: &record.path,
            protocol: record.protocol(),
            route: particulars.operation,
            edge_route: particulars.route.as_deref(),
            pool: particulars.pool.as_deref(),
            upstream: particulars.target.as_deref(),
            cache: particulars.cache.map(super::CacheOutcome::word),
            status: record.status,
            ms: f64::from(u32::try_from(record.took.as_micros()).unwrap_or(u32::MAX)) / 1000.0,
            refused_by: record.refused_by.first().map(|limit| &**limit),
            would_refuse: record.would_refuse.first().map(|limit| &**limit),
            request_id: record.request_id.as_str(),
            trace_id: record.trace_id,
            tenant: particulars.tenant_name.as_deref().or(particulars.tenant.as_deref()),
            actor: particulars.actor,
            address: record.address,
            sample: share,
        }
    }

    /// Leaves it to `tracing`.
    pub(super) fn trace(&self) {
        tracing::info!(
            target: "request",
            method = self.method,
            host = self.host,
            path = self.path,
            protocol = self.protocol,
            route = self.route,
            edge_route = self.edge_route,
            pool = self.pool,
            upstream = self.upstream,
            cache = self.cache,
            status = self.status,
            ms = self.ms,
            refused_by = self.refused_by,
            would_refuse = self.would_refuse,
            request_id = self.request_id,
            trace_id = hex::encode(self.trace_id),
            tenant = self.tenant,
            actor = self.actor,
            address = %self.address,
            sample = self.sample,
        );
    }
}

fn hexadecimal<S: Serializer>(bytes: &[u8; 16], serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = [0; 32];
    // It has room for as much.
    let _ = hex::encode_to_slice(bytes, &mut text);
    serializer.serialize_str(str::from_utf8(&text).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(last: u8, sampled: bool) -> TraceContext {
        let mut trace_id = [1; 16];
        trace_id[12] = last;
        TraceContext { trace_id, parent: None, span_id: [1; 8], sampled }
    }

    fn share(log: &AccessLog, status: u16, ms: u64, (last, sampled): (u8, bool)) -> Option<f64> {
        log.share(status, Duration::from_millis(ms), &trace(last, sampled))
    }

    #[test]
    fn failures_slow_ones_and_recorded_traces_always_have_a_line_others_by_their_trace() {
        let log = AccessLog { enabled: true, sample: 0.25, failures_from: 400, slow: Duration::from_secs(1) };

        assert_eq!(share(&log, 200, 5, (0x3f, false)), Some(0.25));
        assert_eq!(share(&log, 200, 5, (0x40, false)), None);
        assert_eq!(share(&log, 200, 1000, (0xff, false)), Some(1.0));
        assert_eq!(share(&log, 404, 5, (0xff, false)), Some(1.0));
        assert_eq!(share(&log, 200, 5, (0xff, true)), Some(1.0));
        let few = AccessLog { sample: 0.0, failures_from: 500, slow: Duration::ZERO, ..log };
        assert_eq!(share(&few, 404, 100_000, (0, false)), None);
        assert_eq!(share(&few, 500, 1, (0xff, false)), Some(1.0));
        assert_eq!(share(&AccessLog { enabled: false, ..log }, 500, 1, (0, true)), None);
    }

    #[test]
    fn what_can_t_work_is_named() {
        let log = AccessLog { enabled: true, sample: 1.0, failures_from: 400, slow: Duration::ZERO };

        assert!(log.check().is_ok());
        assert!(AccessLog { sample: 1.5, ..log }.check().unwrap_err().contains("sample"));
        assert!(AccessLog { sample: f64::NAN, ..log }.check().is_err());
        assert!(AccessLog { failures_from: 0, ..log }.check().unwrap_err().contains("failures_from"));
    }
}
