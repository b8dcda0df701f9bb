//! A process with one service task, as BPMN: small enough to stand inside the test that needs it.

use std::fmt::Write as _;

const NAMESPACES: &str = concat!(
    r#"xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" "#,
    r#"xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="http://bpmn.io/schema/bpmn""#
);

/// A service task, and perhaps an error boundary event on it.
#[derive(Debug, Clone)]
pub(crate) struct ServiceTask {
    retries: u32,
    inputs: Vec<(String, String)>,
    outputs: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    boundary: Option<Boundary>,
}

#[derive(Debug, Clone)]
struct Boundary {
    code: String,
    outputs: Vec<(String, String)>,
}

impl ServiceTask {
    /// A task that calls the org of the test through the connection that its worker knows.
    pub(crate) fn new(operation: &str) -> Self {
        Self::bare()
            .input("salesforceRequest.connection.name", "dev")
            .input("salesforceRequest.operation.type", operation)
    }

    /// A task without any input.
    pub(crate) fn bare() -> Self {
        Self { retries: 3, inputs: Vec::new(), outputs: Vec::new(), headers: Vec::new(), boundary: None }
    }

    /// Maps a FEEL expression (with `=`) or a text to a variable of the task.
    pub(crate) fn input(mut self, target: &str, source: &str) -> Self {
        self.inputs.push((target.to_owned(), source.to_owned()));
        self
    }

    /// Sets a field of the operation; `source` as in [`Self::input`].
    pub(crate) fn field(self, name: &str, source: &str) -> Self {
        self.input(&format!("salesforceRequest.operation.{name}"), source)
    }

    /// Adds a task header.
    pub(crate) fn header(mut self, key: &str, value: &str) -> Self {
        self.headers.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds an output mapping.
    pub(crate) fn output(mut self, target: &str, source: &str) -> Self {
        self.outputs.push((target.to_owned(), source.to_owned()));
        self
    }

    /// Catches a BPMN error; the output mappings are those of the boundary event.
    pub(crate) fn catching(mut self, code: &str, outputs: &[(&str, &str)]) -> Self {
        let outputs = outputs.iter().map(|(target, source)| ((*target).to_owned(), (*source).to_owned()));
        self.boundary = Some(Boundary { code: code.to_owned(), outputs: outputs.collect() });
        self
    }

    /// The process that consists of this task.
    pub(crate) fn process(&self, id: &str, job_type: &str) -> String {
        let (catch, error) = self.boundary.as_ref().map_or_else(Default::default, Boundary::bpmn);
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions {NAMESPACES} id="definitions">
  <bpmn:process id="{id}" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>toTask</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="toTask" sourceRef="start" targetRef="task"/>
    <bpmn:serviceTask id="task">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="{job_type}" retries="{retries}"/>
        {mappings}
        {headers}
      </bpmn:extensionElements>
      <bpmn:incoming>toTask</bpmn:incoming><bpmn:outgoing>toEnd</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="toEnd" sourceRef="task" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>toEnd</bpmn:incoming></bpmn:endEvent>
    {catch}
  </bpmn:process>
  {error}
</bpmn:definitions>"#,
            retries = self.retries,
            mappings = io_mapping(&self.inputs, &self.outputs),
            headers = task_headers(&self.headers),
        )
    }
}

impl Boundary {
    /// The event with its way to an end, and the error's definition.
    fn bpmn(&self) -> (String, String) {
        let event = format!(
            r#"<bpmn:boundaryEvent id="caught" attachedToRef="task">
      <bpmn:extensionElements>{mappings}</bpmn:extensionElements>
      <bpmn:outgoing>toCaughtEnd</bpmn:outgoing>
      <bpmn:errorEventDefinition id="catch" errorRef="error"/>
    </bpmn:boundaryEvent>
    <bpmn:sequenceFlow id="toCaughtEnd" sourceRef="caught" targetRef="caughtEnd"/>
    <bpmn:endEvent id="caughtEnd"><bpmn:incoming>toCaughtEnd</bpmn:incoming></bpmn:endEvent>"#,
            mappings = io_mapping(&[], &self.outputs),
        );
        let error = format!(r#"<bpmn:error id="error" name="error" errorCode="{}"/>"#, escape(&self.code));
        (event, error)
    }
}

fn io_mapping(inputs: &[(String, String)], outputs: &[(String, String)]) -> String {
    if inputs.is_empty() && outputs.is_empty() {
        return String::new();
    }
    let mut xml = String::from("<zeebe:ioMapping>");
    for (kind, mappings) in [("input", inputs), ("output", outputs)] {
        for (target, source) in mappings {
            let (source, target) = (escape(source), escape(target));
            write!(xml, r#"<zeebe:{kind} source="{source}" target="{target}"/>"#)
                .expect("a String takes all");
        }
    }
    xml + "</zeebe:ioMapping>"
}

fn task_headers(headers: &[(String, String)]) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let mut xml = String::from("<zeebe:taskHeaders>");
    for (key, value) in headers {
        let (key, value) = (escape(key), escape(value));
        write!(xml, r#"<zeebe:header key="{key}" value="{value}"/>"#).expect("a String takes all");
    }
    xml + "</zeebe:taskHeaders>"
}

/// A text as an attribute's value. A plain line break would be read as a blank; Modeler writes it like this too.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\n', "&#10;")
}
