//! Figures of requests that a route took, and of the cache.

use edge_cache::Stats;
use http::StatusCode;
use metrics::{counter, gauge, histogram};

use super::passage::Passage;

/// Counts a request by its route. Routes are named by the operator, so their number is bounded.
pub(crate) fn request(passage: &Passage, status: StatusCode) {
    let took = passage.begun.elapsed();
    let route = passage.found.extras.id.as_ref();
    let class = match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    counter!("holdfast_edge_route_requests_total", "route" => route.to_owned(), "status" => class).increment(1);
    histogram!("holdfast_edge_route_seconds", "route" => route.to_owned()).record(took.as_secs_f64());
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
