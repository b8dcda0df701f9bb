//! Traces as a collector gets them: the program itself, between its doubles, with OpenTelemetry's variables.

use std::{
    io::Read as _,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value as AnyValue},
    trace::v1::{Span, span::SpanKind},
};
use salesforce_connector_dev::{
    gateway::{DevGateway, JobRecord},
    org::DevOrg,
};
use serde_json::{Value, json};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    support::{JOB_TYPE, job, worker_program},
    tls_end::TlsEnd,
};

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Taken>>>);

/// A request, with the key that came with it.
type Taken = (Option<String>, ExportTraceServiceRequest);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let key = request.metadata().get("api-key").map(|key| key.to_str().unwrap().to_owned());
        self.0.lock().unwrap().push((key, request.into_inner()));
        Ok(Response::new(ExportTraceServiceResponse { partial_success: None }))
    }
}

impl Collector {
    async fn start() -> (Self, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (collector, address) = (Self::default(), listener.local_addr().unwrap());
        let server = Server::builder().add_service(TraceServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
        (collector, format!("http://{address}"))
    }

    /// The spans so far, and the attributes of who sent them.
    fn taken(&self) -> (Vec<Span>, Value) {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|(_, request)| &request.resource_spans);
        let resource = resources
            .clone()
            .next()
            .map_or(Value::Null, |resource| attributes(&resource.resource.as_ref().unwrap().attributes));
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        (scopes.flat_map(|scope| scope.spans.clone()).collect(), resource)
    }
}

fn attributes(pairs: &[KeyValue]) -> Value {
    let value = |pair: &KeyValue| match pair.value.clone().unwrap().value.unwrap() {
        AnyValue::StringValue(text) => json!(text),
        AnyValue::IntValue(number) => json!(number),
        other => panic!("{other:?}"),
    };
    pairs.iter().map(|pair| (pair.key.clone(), value(pair))).collect::<serde_json::Map<_, _>>().into()
}

struct Program {
    child: Child,
    gateway: DevGateway,
    org: DevOrg,
}

impl Program {
    async fn start(environment: &[(&str, &str)]) -> Self {
        let (org, gateway) = (DevOrg::start().await.unwrap(), DevGateway::start().await.unwrap());
        let child = worker_program(&gateway)
            .env("SALESFORCE_CONNECTOR_LOG__LEVEL", "debug")
            .envs(environment.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, gateway, org }
    }

    async fn run(&self, operation: Value, traceparent: Option<&str>) -> JobRecord {
        let authentication = json!({"type": "oauth-client-credentials-flow", "clientId": "dev-client",
            "clientSecret": "dev-secret"});
        let connection = json!({"baseUrl": self.org.base_url(), "authentication": authentication});
        let request = json!({"connection": connection, "operation": operation});
        let variables = json!({"salesforceRequest": request, "traceparent": traceparent});
        let key = self.gateway.create_job(job(json!({})).variables(variables).element_id("ask"));
        self.gateway.finished(key).await
    }

    /// SIGTERM, and the log lines up to the end.
    fn stop(mut self) -> String {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let mut lines = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut lines).unwrap();
        assert!(self.child.wait().unwrap().success(), "{lines}");
        lines
    }
}

fn query() -> Value {
    json!({"type": "query", "soqlQuery": "SELECT Id FROM Account WHERE Name = 'private'"})
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_a_trace_of_its_calls_and_commands_below_the_span_that_caused_it() {
    let (collector, endpoint) = Collector::start().await;
    let program = Program::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=for-the-collector"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ])
    .await;
    let cause = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let record = program.run(query(), Some(cause)).await;
    let lines = program.stop();

    let (spans, resource) = collector.taken();
    let named = |name: &str| named(&spans, name);
    let job = named("job");
    assert_eq!(job.trace_id, 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    assert_eq!(job.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    let of_job = attributes(&job.attributes);
    assert_eq!((job.kind(), &of_job["job.key"]), (SpanKind::Consumer, &json!(record.key)));
    assert_eq!((&of_job["job.type"], &of_job["element"]), (&json!(JOB_TYPE), &json!("ask")));
    assert_eq!((&of_job["operation"], &of_job["end"]), (&json!("query"), &json!("completed")));

    for name in ["POST /services/oauth2/token", "GET /services/data/{version}/query"] {
        let call = named(name);
        assert_eq!((&call.trace_id, &call.parent_span_id), (&job.trace_id, &job.span_id), "{name}");
        assert_eq!(call.kind(), SpanKind::Client);
        let of_call = attributes(&call.attributes);
        assert_eq!(of_call["http.response.status_code"], json!(200));
        assert_eq!(of_call["server.address"], json!("127.0.0.1"));
        assert!(of_call["server.port"].is_i64() && name.ends_with(of_call["url.template"].as_str().unwrap()));
    }
    let command = named("gateway_protocol.Gateway/CompleteJob");
    assert_eq!((&command.trace_id, &command.parent_span_id), (&job.trace_id, &job.span_id));
    let of_command = attributes(&command.attributes);
    assert_eq!(
        (&of_command["rpc.system"], &of_command["rpc.method"]),
        (&json!("grpc"), &json!("CompleteJob"))
    );
    assert_eq!(of_command["rpc.grpc.status_code"], json!(0));

    assert_eq!(resource["service.name"], json!("salesforce-connector"));
    assert_eq!(resource["service.version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(resource["deployment.environment.name"], json!("test"));
    assert!(collector.0.lock().unwrap().iter().all(|(key, _)| key.as_deref() == Some("for-the-collector")));
    let all = format!("{spans:?}");
    for hidden in ["dev-secret", "dev-client", "private", "Bearer", "00D"] {
        assert!(!all.contains(hidden), "{hidden} is in {all}");
    }
    // The spans of a trace are not those of log lines.
    assert!(!lines.contains("url.template") && !lines.contains("for-the-collector"), "{lines}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_and_a_refused_call_are_errors_and_a_job_without_a_cause_begins_a_trace() {
    let (collector, endpoint) = Collector::start().await;
    let program =
        Program::start(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), ("OTEL_SERVICE_NAME", "crm")])
            .await;
    let get = json!({"type": "getRecord", "objectType": "Account", "objectId": "001000000000404AAA"});
    program.run(get, None).await;
    program.stop();

    let (spans, resource) = collector.taken();
    assert_eq!(resource["service.name"], json!("crm"));
    let job = named(&spans, "job");
    assert!(job.parent_span_id.is_empty());
    let status = |span: &Span| span.status.as_ref().map(|status| status.code);
    assert_eq!(status(job), Some(2), "{job:?}");
    assert_eq!(attributes(&job.attributes)["error.type"], json!("business"));
    let call = named(&spans, "GET /services/data/{version}/sobjects/Account/{}");
    assert_eq!((status(call), &attributes(&call.attributes)["error.type"]), (Some(2), &json!("404")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_behind_tls_is_trusted_with_its_authority_and_shown_a_certificate_where_there_is_one() {
    let (collector, plain) = Collector::start().await;
    let plain = plain.trim_start_matches("http://").parse().unwrap();
    let (open, guarded) =
        (TlsEnd::before(plain, "localhost").await, TlsEnd::for_known_clients(plain, "localhost").await);
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (certificate, key) = guarded.client();
    let known = [("CLIENT_CERTIFICATE", text(&certificate)), ("CLIENT_KEY", text(&key))];
    let mut jobs = 0;
    for (tls, authority, client, is_taken) in [
        (&open, Some(open.authority()), &[][..], true),
        (&open, Some(guarded.authority()), &[], false),
        (&open, None, &[], false),
        (&guarded, Some(guarded.authority()), &known, true),
        (&guarded, Some(guarded.authority()), &[], false),
    ] {
        let authority = authority.map(|path| ("CERTIFICATE", text(path)));
        let files = authority.iter().chain(client);
        let mut environment: Vec<_> =
            files.map(|(name, path)| (format!("OTEL_EXPORTER_OTLP_{name}"), path.clone())).collect();
        environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT".into(), format!("https://localhost:{}", tls.port())));
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let program = Program::start(&environment).await;
        program.run(query(), None).await;
        let lines = program.stop();
        jobs += usize::from(is_taken);
        let taken = collector.taken().0.iter().filter(|span| span.name == "job").count();
        assert_eq!(
            (taken, lines.contains("the collector does not take spans")),
            (jobs, !is_taken),
            "{lines}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_down_or_silent_holds_up_neither_jobs_nor_the_end_and_is_said_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    // Port 1 of loopback: reserved, and nobody listens there.
    for (endpoint, complaint) in [
        ("http://127.0.0.1:1", "the collector does not take spans"),
        (silent.as_str(), "the last spans were not taken"),
    ] {
        // Spans leave at once, and an attempt to hand them over may take ten minutes: the end must not wait for it.
        let program = Program::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1"),
        ])
        .await;
        for _ in 0..3 {
            program.run(query(), None).await;
        }
        let lines = program.stop();
        let said = lines.lines().filter(|line| line.contains(complaint)).count();
        assert_eq!(said, 1, "{endpoint}: {lines}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_variable_or_with_the_sdk_switched_off_nothing_is_sent_and_nothing_is_fetched() {
    let (collector, endpoint) = Collector::start().await;
    for environment in [
        vec![],
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_SDK_DISABLED", "true")],
        vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_TRACES_EXPORTER", "none")],
        vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ],
    ] {
        let program = Program::start(&environment).await;
        program.run(query(), None).await;
        let lines = program.stop();
        let is_wrong = environment.iter().any(|(name, _)| name.ends_with("PROTOCOL"));
        assert_eq!(lines.contains("expected grpc, but found \\\"http/protobuf\\\""), is_wrong, "{lines}");
        assert!(!lines.contains("last spans"), "{lines}");
    }
    assert_eq!(collector.taken().0, []);
}
