//! Active health checks: one task a target.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Request, header, uri::PathAndQuery};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Core;
use crate::{
    config::{HealthCheck, Timeouts},
    connect::Spoken,
    exchange::{HeadWatch, Http1, Http2Shelf, Outgoing},
    headers::{Length, Manner, Rewritten},
    target::Target,
};

const USER_AGENT: HeaderValue = HeaderValue::from_static("holdfast-health");

/// Asks until it is stopped.
pub(super) async fn watch(
    core: Arc<Core>,
    index: usize,
    check: HealthCheck,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    let member = &core.members[index];
    let (mut good, mut bad) = (0, 0);
    let mut known = member.known;
    loop {
        let asked = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            asked = timeout(check.timeout, ask(&member.target, &check, &tasks)) => asked,
        };
        match asked.unwrap_or_else(|_| Err("health check: no answer in time".to_owned())) {
            Ok(()) => (good, bad) = (good + 1, 0),
            Err(detail) => {
                (good, bad) = (0, bad + 1);
                member.target.note(&detail);
            }
        }
        let needed = |count| if known { count } else { 1 };
        if good >= needed(check.healthy_after) {
            tell(&core, &member.target, true);
        } else if bad >= needed(check.unhealthy_after) {
            tell(&core, &member.target, false);
        }
        known = true;
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(jittered(check.interval, core.balancer.dice().unit())) => {}
        }
    }
}

/// A tenth more or less, so that many checks don't come at once.
fn jittered(interval: Duration, chance: f64) -> Duration {
    interval.mul_f64(0.9 + 0.2 * chance)
}

fn tell(core: &Core, target: &Target, healthy: bool) {
    if target.standing.set_healthy(healthy, Instant::now()) {
        let (pool, target) = (&*core.name, &*target.key.place.authority);
        if healthy {
            tracing::info!(pool, target, "a target is healthy again");
        } else {
            tracing::warn!(pool, target, "a target is not healthy");
        }
    }
}

/// One question on a connection of its own; what is wrong if something is.
async fn ask(target: &Target, check: &HealthCheck, tasks: &TaskTracker) -> Result<(), String> {
    let now = Instant::now();
    let deadline = now + check.timeout;
    let timeouts = Timeouts { response_head: check.timeout, ..Timeouts::default() };
    let mut watch = HeadWatch::new(&timeouts, None, None, now);
    let place = &target.key.place;
    let question = question(check).ok_or("health check: the path is not valid")?;
    let told = |detail: String| format!("health check: {detail}");
    let answer = match target.probe(deadline).await.map_err(|fault| told(fault.detail))? {
        Spoken::Http1(io) => {
            let mut connection = Http1::new(io).await.map_err(|fault| told(fault.detail))?;
            let head = question.for_http1(&place.authority).ok_or("health check: the host is not valid")?;
            connection.exchange(Request::from_parts(head, Outgoing::Empty), &mut watch).await
        }
        Spoken::Http2(io) => {
            let alone = Http2Shelf::new(tasks.clone(), 1, 1);
            let mut connection = alone.add(io, deadline).await.map_err(|fault| told(fault.detail))?;
            let head =
                question.for_http2(place.scheme(), &place.authority).ok_or("health check: the host is not valid")?;
            connection.exchange(Request::from_parts(head, Outgoing::Empty), &mut watch).await
        }
    };
    let status = answer.map_err(|failure| told(failure.fault.detail))?.status().as_u16();
    let good = (check.expect.from..=check.expect.to).contains(&status);
    if good { Ok(()) } else { Err(told(format!("status {status}"))) }
}

fn question(check: &HealthCheck) -> Option<Rewritten> {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, USER_AGENT);
    let host = match &check.host {
        Some(host) => Some(HeaderValue::from_str(host).ok()?),
        None => None,
    };
    let target: PathAndQuery = check.path.parse().ok()?;
    let manner = Manner { host, length: Length::None, upgrade: None, trailers: false };
    Some(Rewritten { method: Method::GET, target, headers, manner })
}
