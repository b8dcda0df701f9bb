//! A job worker that carries out the Salesforce tasks of BPMN processes on Camunda 8 (Zeebe).

pub mod backoff;
pub mod connector;
pub mod metrics;
pub mod salesforce;
pub mod tls;
pub mod token_cache;
pub mod zeebe;
