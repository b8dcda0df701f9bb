//! A process with one Salesforce task, as BPMN.

use std::fmt::Write as _;

use crate::workload::Workload;

/// A process of this id whose only task has jobs of this type; its variable `name` names the record.
pub(crate) fn bpmn(id: &str, job_type: &str, workload: Workload, headers: &[(&str, &str)]) -> String {
    let mut inputs = input("connection.name", "org0");
    for (field, source) in fields(workload) {
        inputs += &input(&format!("operation.{field}"), source);
    }
    let mut lines = String::new();
    for (key, value) in headers {
        // A String takes all.
        let _ = write!(lines, r#"<zeebe:header key="{key}" value="{}"/>"#, escape(value));
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="http://bpmn.io/schema/bpmn" id="definitions">
  <bpmn:process id="{id}" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>toTask</bpmn:outgoing></bpmn:startEvent>
    <bpmn:sequenceFlow id="toTask" sourceRef="start" targetRef="task"/>
    <bpmn:serviceTask id="task">
      <bpmn:extensionElements>
        <zeebe:taskDefinition type="{job_type}" retries="3"/>
        <zeebe:ioMapping>{inputs}</zeebe:ioMapping>
        <zeebe:taskHeaders>{lines}</zeebe:taskHeaders>
      </bpmn:extensionElements>
      <bpmn:incoming>toTask</bpmn:incoming><bpmn:outgoing>toEnd</bpmn:outgoing>
    </bpmn:serviceTask>
    <bpmn:sequenceFlow id="toEnd" sourceRef="task" targetRef="end"/>
    <bpmn:endEvent id="end"><bpmn:incoming>toEnd</bpmn:incoming></bpmn:endEvent>
  </bpmn:process>
</bpmn:definitions>"#
    )
}

fn fields(workload: Workload) -> &'static [(&'static str, &'static str)] {
    match workload {
        Workload::Empty | Workload::Query => {
            &[("type", "query"), ("soqlQuery", "SELECT Id, Name FROM Account LIMIT 1")]
        }
        Workload::Create => &[("type", "createRecord"), ("objectType", "Account"), ("body", "={Name: name}")],
        Workload::Upsert => &[
            ("type", "upsertRecord"),
            ("objectType", "Account"),
            ("externalIdField", "External_Key__c"),
            ("externalId", "=name"),
            ("body", "={Name: name}"),
        ],
    }
}

fn input(target: &str, source: &str) -> String {
    format!(r#"<zeebe:input source="{}" target="salesforceRequest.{target}"/>"#, escape(source))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
