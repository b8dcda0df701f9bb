//! Traces: the spans of jobs, calls and commands, handed to a collector over OTLP/gRPC.
//!
//! The SDK reads the standard variables of OpenTelemetry by itself (sampler, headers, timeouts, sizes, resource); here
//! is what it leaves out: whether to start at all, our name, TLS, and a log line when the collector goes and comes.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{
    WithTonicConfig as _,
    tonic_types::transport::{Certificate, ClientTlsConfig, Identity},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use crate::{config::Environment, spans, tls};

/// How long the end of the program waits for the last spans to be taken.
const FLUSH: Duration = Duration::from_secs(5);
const NAME: &str = env!("CARGO_PKG_NAME");

/// The way of spans to a collector; without one, nothing is set up.
#[derive(Debug, Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Reads OpenTelemetry's variables. An error says which of them is wrong.
    pub(super) fn open(environment: &Environment) -> Result<Self, String> {
        let Some(endpoint) = endpoint(environment) else { return Ok(Self::default()) };
        if let Some(protocol) = signal(environment, "PROTOCOL").filter(|protocol| *protocol != "grpc") {
            return Err(format!("OTEL_EXPORTER_OTLP_PROTOCOL: expected grpc, but found {protocol:?}"));
        }
        let mut builder = opentelemetry_otlp::SpanExporter::builder().with_tonic();
        if !endpoint.starts_with("http://") {
            tls::use_ring();
            builder = builder.with_tls_config(tls_config(environment)?);
        }
        let exporter = builder.build().map_err(|error| error.to_string())?;
        let exporter = Watched { exporter, is_failing: AtomicBool::new(false) };
        let provider = SdkTracerProvider::builder().with_resource(resource(environment));
        Ok(Self(Some(provider.with_batch_exporter(exporter).build())))
    }

    /// Whether spans go anywhere; only then it is worth while to ask who caused a job.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Takes the spans that are meant for it, and no log lines: those may hold more than a trace should.
    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> Option<impl Layer<S> + use<S>> {
        let tracer = self.0.as_ref()?.tracer(NAME);
        let filter = filter_fn(|metadata| metadata.is_span() && metadata.target() == spans::TARGET)
            .with_max_level_hint(LevelFilter::INFO);
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // Code places, threads and busy times are of no use to whoever reads the trace of a process.
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        Some(layer.with_target(false).with_filter(filter))
    }

    /// Hands over what is left, within five seconds; what is not taken by then is lost.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let finished = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH)).await;
        if !matches!(finished, Ok(Ok(()))) {
            tracing::warn!("the last spans were not taken by the collector");
        }
    }
}

/// The first that is set: of traces alone, of all signals. None where the SDK or traces are switched off.
fn endpoint(environment: &Environment) -> Option<&str> {
    let is = |name: &str, value: &str| {
        environment.get(name).is_some_and(|found| found.trim().eq_ignore_ascii_case(value))
    };
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return None;
    }
    signal(environment, "ENDPOINT")
}

/// A variable of the exporter: that of traces alone wins. An empty one counts as not set.
fn signal<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"]
        .iter()
        .filter_map(|prefix| environment.get(&format!("{prefix}{name}")))
        .map(|value| value.trim())
        .find(|value| !value.is_empty())
}

fn tls_config(environment: &Environment) -> Result<ClientTlsConfig, String> {
    let pem = |name: &str| {
        signal(environment, name)
            .map(|path| {
                std::fs::read(path).map_err(|error| format!("OTEL_EXPORTER_OTLP_{name}: {path}: {error}"))
            })
            .transpose()
    };
    let mut tls = ClientTlsConfig::new().with_enabled_roots();
    if let Some(roots) = pem("CERTIFICATE")? {
        tls = tls.ca_certificate(Certificate::from_pem(roots));
    }
    match (pem("CLIENT_CERTIFICATE")?, pem("CLIENT_KEY")?) {
        (Some(certificate), Some(key)) => Ok(tls.identity(Identity::from_pem(certificate, key))),
        (None, None) => Ok(tls),
        _ => Err("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and …_CLIENT_KEY belong together".to_owned()),
    }
}

/// Who sends. The SDK takes the name and the attributes from the environment; ours is the name where there is none.
fn resource(environment: &Environment) -> Resource {
    let is_set = |name: &str| environment.get(name).is_some_and(|value| !value.trim().is_empty());
    let attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES").map_or("", String::as_str);
    let is_named = is_set("OTEL_SERVICE_NAME")
        || attributes.split(',').any(|attribute| attribute.trim_start().starts_with("service.name="));
    let resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if is_named { resource.build() } else { resource.with_service_name(NAME).build() }
}

/// An exporter that says once when its collector does not take spans, and once when it does again.
#[derive(Debug)]
struct Watched {
    exporter: opentelemetry_otlp::SpanExporter,
    is_failing: AtomicBool,
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let result = self.exporter.export(batch).await;
        let was_failing = self.is_failing.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_failing => {
                tracing::warn!(%error, "the collector does not take spans; they are dropped until it does");
            }
            Ok(()) if was_failing => tracing::info!("the collector takes spans again"),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
