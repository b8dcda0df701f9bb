//! A job worker that carries out the Salesforce tasks of BPMN processes on Camunda 8 (Zeebe).
