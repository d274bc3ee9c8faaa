//! Metrics for Prometheus. Labels come from closed sets: route templates, methods, classes of status.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of latency buckets, in seconds.
const LATENCY: &[f64] = &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of group sizes.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder for the process.
    ///
    /// # Errors
    /// Another one is installed.
    pub fn install() -> Result<Self, String> {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), LATENCY)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_size".to_owned()), SIZES))
            .map_err(|error| error.to_string())?;
        let handle = builder.install_recorder().map_err(|error| error.to_string())?;
        metrics::describe_counter!("holdfast_http_requests_total", "Requests by route, method and class of status");
        metrics::describe_histogram!(
            "holdfast_http_request_seconds",
            metrics::Unit::Seconds,
            "Time from a request's head to its answer's head, by route and method"
        );
        metrics::describe_histogram!(
            "holdfast_knowledge_stage_seconds",
            metrics::Unit::Seconds,
            "Time of each stage from a document's bytes to the indexes"
        );
        metrics::describe_gauge!("holdfast_process_uptime_seconds", metrics::Unit::Seconds, "Time since the start");
        Ok(Self(handle))
    }

    /// The figures in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Tidies what the recorder has collected; to be called every few seconds.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }

    /// Notes one answered request.
    pub fn request(route: &'static str, method: &'static str, status: u16, latency: Duration) {
        let class = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        metrics::counter!("holdfast_http_requests_total", "route" => route, "method" => method, "status" => class)
            .increment(1);
        metrics::histogram!("holdfast_http_request_seconds", "route" => route, "method" => method)
            .record(latency.as_secs_f64());
    }
}
