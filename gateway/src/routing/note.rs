//! Figures of requests that a route took, and of the cache.

use std::sync::OnceLock;

use edge_cache::Stats;
use http::StatusCode;
use metrics::{Counter, Histogram, counter, gauge, histogram};

use super::passage::Passage;

/// One route's figures, looked up by its name with its first request only.
#[derive(Default)]
pub(crate) struct Figures {
    /// By class of status.
    requests: [OnceLock<Counter>; 5],
    seconds: OnceLock<Histogram>,
}

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counts a request by its route. Routes are named by the operator, so their number is bounded.
pub(crate) fn request(passage: &Passage, status: StatusCode) {
    let took = passage.begun.elapsed();
    let extras = &passage.found.extras;
    let route = || extras.id.as_ref().to_owned();
    let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
    let counter = || counter!("holdfast_edge_route_requests_total", "route" => route(), "status" => CLASSES[class]);
    extras.figures.requests[class].get_or_init(counter).increment(1);
    let seconds = || histogram!("holdfast_edge_route_seconds", "route" => route());
    extras.figures.seconds.get_or_init(seconds).record(took.as_secs_f64());
}

/// What the cache has done.
pub(crate) fn cache(stats: &Stats) {
    let counts = [
        ("hit", stats.hits),
        ("stale", stats.stale_hits),
        ("revalidated", stats.revalidated),
        ("miss", stats.misses),
        ("collapsed", stats.collapsed),
        ("bypass", stats.bypassed),
    ];
    for (outcome, count) in counts {
        counter!("holdfast_edge_cache_requests_total", "outcome" => outcome).absolute(count);
    }
    counter!("holdfast_edge_cache_stored_total").absolute(stats.stored);
    counter!("holdfast_edge_cache_purged_total").absolute(stats.purged);
    gauge!("holdfast_edge_cache_bytes")
        .set(u32::try_from(stats.memory_bytes / 1024).map_or(f64::INFINITY, f64::from) * 1024.0);
    counter!("holdfast_edge_cache_recalled_total").absolute(stats.recalled);
    counter!("holdfast_edge_cache_broken_files_total").absolute(stats.broken);
    gauge!("holdfast_edge_cache_disk_bytes")
        .set(u32::try_from(stats.disk_bytes / 1024).map_or(f64::INFINITY, f64::from) * 1024.0);
    gauge!("holdfast_edge_cache_targets").set(u32::try_from(stats.memory_targets).map_or(f64::INFINITY, f64::from));
}
