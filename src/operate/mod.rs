//! The operators' listener: alive, ready, and the figures.

use std::sync::Arc;

use bytes::Bytes;
use gateway::{App, Edge, EdgeBody, ResponseBody};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde::Serialize;

use crate::overview::{Overview, PartStatus};
use crate::telemetry::Metrics;

/// Answers `/healthz`, `/readyz` and `/metrics`.
pub struct Operators {
    overview: Overview,
    edge: Edge,
    metrics: Metrics,
}

/// What `/readyz` says.
#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// Each dependency by name.
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Dependency {
    name: String,
    ready: bool,
    detail: String,
    latency_ms: f64,
}

impl Operators {
    /// An application for the operators' listener.
    pub fn new(overview: Overview, edge: Edge, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self { overview, edge, metrics })
    }

    async fn ready(&self) -> Response<ResponseBody> {
        let database = self.overview.database().await;
        let serving = !self.edge.is_draining();
        let dependencies = vec![
            Dependency {
                name: database.name,
                ready: database.status == PartStatus::Up,
                detail: database.detail,
                latency_ms: database.latency_ms,
            },
            Dependency {
                name: "listeners".to_owned(),
                ready: serving,
                detail: if serving { "serving" } else { "draining" }.to_owned(),
                latency_ms: 0.0,
            },
        ];
        let ready = dependencies.iter().all(|dependency| dependency.ready);
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let body = serde_json::to_vec(&Readiness { ready, dependencies }).unwrap_or_default();
        answer(status, "application/json", body)
    }

    fn figures(&self) -> Response<ResponseBody> {
        let pool = self.overview.hash_pool();
        metrics::gauge!("holdfast_hash_pool_busy").set(to_f64(pool.busy));
        metrics::gauge!("holdfast_hash_pool_waiting").set(to_f64(pool.waiting));
        metrics::gauge!("holdfast_hash_pool_capacity").set(to_f64(pool.capacity));
        let connections = self.overview.connections();
        metrics::gauge!("holdfast_db_connections", "state" => "busy").set(f64::from(connections.busy));
        metrics::gauge!("holdfast_db_connections", "state" => "idle").set(f64::from(connections.idle));
        metrics::gauge!("holdfast_db_connections_max").set(f64::from(connections.most));
        metrics::gauge!("holdfast_db_writers_waiting").set(to_f64(connections.waiting));
        self.edge.note_figures();
        metrics::gauge!("holdfast_process_uptime_seconds").set(self.overview.uptime().as_secs_f64());
        answer(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", self.metrics.render().into_bytes())
    }
}

impl App for Operators {
    async fn call(&self, request: Request<EdgeBody>) -> Response<ResponseBody> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", b"GET only\n".to_vec());
        }
        match request.uri().path() {
            "/healthz" => answer(StatusCode::OK, "text/plain", b"ok\n".to_vec()),
            "/readyz" => self.ready().await,
            "/metrics" => self.figures(),
            _ => answer(StatusCode::NOT_FOUND, "text/plain", b"There are /healthz, /readyz and /metrics.\n".to_vec()),
        }
    }
}

fn answer(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<ResponseBody> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response
}

#[expect(clippy::cast_precision_loss, reason = "figures far below 2^52")]
fn to_f64(figure: usize) -> f64 {
    figure as f64
}
