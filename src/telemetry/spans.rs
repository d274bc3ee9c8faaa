//! Export of one span a request to an OpenTelemetry collector, when one is configured.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use gateway::TraceContext;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use crate::config::TelemetryConfig;

/// Why spans can't be exported.
#[derive(Debug, thiserror::Error)]
#[error("telemetry.otlp_endpoint {endpoint:?} can't be used: {reason}")]
pub struct SpansError {
    endpoint: String,
    reason: String,
}

/// The exporter; does nothing when none is configured. Finished spans go straight to the batch processor, because a
/// request's ids are known before its span is.
#[derive(Clone, Debug, Default)]
pub struct Spans(Option<Arc<Exporter>>);

#[derive(Debug)]
struct Exporter {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
    sample_ratio: f64,
}

impl Spans {
    /// Starts the exporter if an endpoint is configured.
    ///
    /// # Errors
    /// A malformed address.
    pub fn start(config: &TelemetryConfig) -> Result<Self, SpansError> {
        if config.otlp_endpoint.is_empty() {
            return Ok(Self(None));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&config.otlp_endpoint)
            .with_timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| SpansError { endpoint: config.otlp_endpoint.clone(), reason: error.to_string() })?;
        let resource = Resource::builder()
            .with_service_name("holdfast")
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        processor.set_resource(&resource);
        let scope = InstrumentationScope::builder("holdfast").build();
        Ok(Self(Some(Arc::new(Exporter { processor, scope, sample_ratio: config.sample_ratio }))))
    }

    /// Hands over the span of one answered request.
    pub fn request(
        &self,
        trace: &TraceContext,
        route: &'static str,
        method: &'static str,
        status: u16,
        took: Duration,
    ) {
        let Some(exporter) = self.0.as_ref().filter(|exporter| exporter.samples(trace)) else { return };
        #[expect(clippy::disallowed_methods, reason = "a collector compares spans of many machines by the wall clock")]
        let end_time = SystemTime::now();
        exporter.processor.on_end(SpanData {
            span_context: SpanContext::new(
                TraceId::from_bytes(trace.trace_id),
                SpanId::from_bytes(trace.span_id),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: trace.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
            parent_span_is_remote: trace.parent.is_some(),
            span_kind: SpanKind::Server,
            name: format!("{method} {route}").into(),
            start_time: end_time - took,
            end_time,
            attributes: vec![
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route),
                KeyValue::new("http.response.status_code", i64::from(status)),
            ],
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: if status >= 500 { Status::error("server error") } else { Status::Unset },
            instrumentation_scope: exporter.scope.clone(),
        });
    }

    /// Sends what is still buffered.
    pub fn stop(&self) {
        if let Some(exporter) = &self.0
            && let Err(error) = exporter.processor.shutdown_with_timeout(Duration::from_secs(3))
        {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

impl Exporter {
    /// A caller who records its trace decides; otherwise the ratio, by the trace's id so that all parts agree.
    fn samples(&self, trace: &TraceContext) -> bool {
        trace.is_among(self.sample_ratio)
    }
}
