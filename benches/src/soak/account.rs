//! The account of a soak, job by job and record by record.

use std::collections::{BTreeMap, HashMap};

use salesforce_connector_dev::{
    gateway::{Account, DevGateway, JobEventKind, JobRecord, JobState},
    org::{Counters, DevOrg},
};

use super::faults::Strikes;
use super::workload;
use crate::workload::Workload;

/// What was found.
pub(super) struct Settlement {
    account: Account,
    counters: Counters,
    /// Jobs by state and, for incidents, code.
    ends: BTreeMap<String, usize>,
    creates_completed: usize,
    /// Incidents of creates whose answer was lost.
    incidents: usize,
    /// How many of them the faults explain at most.
    expected: usize,
    /// Incidents of creates whose lock ran out in the middle: the mark told of it.
    interrupted: usize,
    records: usize,
    records_of_incidents: usize,
    problems: Vec<String>,
}

impl Settlement {
    /// Counts everything.
    pub(super) fn of(gateway: &DevGateway, org: &DevOrg, strikes: &Strikes) -> Self {
        let account = gateway.account();
        let mut records: HashMap<String, usize> = HashMap::new();
        for record in org.records("Account") {
            *records.entry(record["Name"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        records.remove("Acme");
        let mut settlement = Self {
            expected: strikes.unclear,
            interrupted: 0,
            account,
            counters: org.counters(),
            ends: BTreeMap::new(),
            creates_completed: 0,
            incidents: 0,
            records: records.values().sum(),
            records_of_incidents: 0,
            problems: Vec::new(),
        };
        for (number, job) in gateway.jobs().iter().enumerate() {
            settlement.settle(number, job, &records);
        }
        settlement.compare();
        settlement
    }

    fn settle(&mut self, number: usize, job: &JobRecord, records: &HashMap<String, usize>) {
        let (work, name) = (workload(number), Workload::name(number));
        let found = records.get(&name).copied().unwrap_or_default();
        let message = job.error_message.as_deref().unwrap_or_default();
        match job.state {
            JobState::Completed => {
                *self.ends.entry("completed".to_owned()).or_default() += 1;
                let wanted = usize::from(work != Workload::Query);
                self.creates_completed += wanted;
                if found != wanted {
                    self.problems.push(format!("{work:?} {number} is completed, with {found} records"));
                }
            }
            JobState::Incident if work == Workload::Create && message.contains("OUTCOME_UNKNOWN") => {
                *self.ends.entry("incident OUTCOME_UNKNOWN of a create".to_owned()).or_default() += 1;
                let interrupted = job.history.iter().any(|event| event.kind == JobEventKind::LockExpired);
                *if interrupted { &mut self.interrupted } else { &mut self.incidents } += 1;
                self.records_of_incidents += found;
                if found > 1 {
                    self.problems.push(format!("create {number} made {found} records"));
                }
            }
            state => {
                *self.ends.entry(format!("{state:?}")).or_default() += 1;
                self.problems
                    .push(format!("{work:?} {number} is {state:?}, with {found} records: {message}"));
            }
        }
    }

    fn compare(&mut self) {
        if self.incidents > self.expected {
            let (incidents, expected) = (self.incidents, self.expected);
            self.problems.push(format!("{incidents} incidents, but the faults explain {expected} at most"));
        }
        let wanted = self.creates_completed + self.records_of_incidents;
        if self.records != wanted {
            self.problems.push(format!("{} records, but jobs account for {wanted}", self.records));
        }
        if self.problems.len() > 20 {
            let more = self.problems.len() - 20;
            self.problems.truncate(20);
            self.problems.push(format!("and {more} more"));
        }
    }

    /// What does not add up.
    pub(super) fn problems(&self) -> Vec<String> {
        self.problems.clone()
    }

    /// The account in words.
    pub(super) fn told(&self) -> String {
        let ends: Vec<String> = self.ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
        let Account { created, activated, expired_locks, returned_unchanged, refused, .. } = self.account;
        format!(
            "jobs: {created} created = {}\nincidents: {} by lost answers, of which the faults explain up to {}; {} by locks that ran out in the middle\n\
             records: {} = {} of completed creates and upserts + {} of incidents\n\
             on the way: {activated} activations, {expired_locks} locks expired, {returned_unchanged} handed back, \
             {refused} commands refused; {} requests, {} logins, {} connections",
            ends.join(" + "),
            self.incidents,
            self.expected,
            self.interrupted,
            self.records,
            self.creates_completed,
            self.records_of_incidents,
            self.counters.api_requests,
            self.counters.tokens_issued,
            self.counters.connections,
        )
    }
}
