//! A job worker that carries out the Salesforce tasks of BPMN processes on Camunda 8 (Zeebe).

pub mod metrics;
pub mod salesforce;
pub mod zeebe;
