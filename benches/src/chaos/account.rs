//! The account: each instance with its end and its record.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use salesforce_connector_dev::org::DevOrg;

use super::engine_log::EngineLog;
use crate::workload::Workload;

/// In the message of an incident whose worker is gone.
const ORPHANED: &str = "by a worker that died";
/// The most incidents, as a share of the jobs.
const MOST_INCIDENTS: f64 = 0.02;
/// The longest time from the last fault to the end of the last job.
const SETTLED_WITHIN: Duration = Duration::from_mins(1);
/// Logins beside those that are forced.
const MORE_LOGINS: u64 = 5;

/// What became of the instances.
pub(super) struct Account {
    jobs: usize,
    instances: usize,
    completed: usize,
    /// Incidents by code.
    incidents: BTreeMap<String, usize>,
    /// Incidents of writes that nobody waited for any more: their worker had died, or lost the job.
    orphaned: usize,
    /// What happened to the jobs of the instances that have not ended.
    open: Vec<String>,
    records: usize,
    doubled: usize,
    completed_without_record: usize,
    logins: u64,
    locks_expired: usize,
    settled: bool,
    late: Duration,
    workload: Workload,
    /// A message of each code that is not OUTCOME_UNKNOWN.
    unexpected: BTreeMap<String, String>,
    /// The message of one incident OUTCOME_UNKNOWN.
    example: String,
}

impl Account {
    /// Counts everything.
    pub(super) fn of(
        created: &[(usize, i64)],
        log: &EngineLog,
        org: &DevOrg,
        workload: Workload,
        (settled, late): (bool, Duration),
    ) -> Self {
        let mut records: HashMap<String, usize> = HashMap::new();
        for record in org.records("Account") {
            *records.entry(record["Name"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        let mut account = Self {
            jobs: log.jobs(),
            instances: created.len(),
            completed: 0,
            incidents: BTreeMap::new(),
            orphaned: 0,
            open: Vec::new(),
            records: records.values().sum(),
            doubled: records.values().filter(|count| **count > 1).count(),
            completed_without_record: 0,
            logins: org.counters().tokens_issued,
            locks_expired: log.timed_out,
            settled,
            late,
            workload,
            unexpected: BTreeMap::new(),
            example: String::new(),
        };
        for (number, instance) in created {
            let has_record = records.contains_key(&Workload::name(*number));
            match (log.is_completed(*instance), log.incident(*instance)) {
                (true, _) => {
                    account.completed += 1;
                    account.completed_without_record += usize::from(!has_record);
                }
                (false, Some(message)) => account.incident(message),
                (false, None) => account.open.push(log.history(*instance)),
            }
        }
        account
    }

    fn incident(&mut self, message: &str) {
        let code = code(message);
        *self.incidents.entry(code.to_owned()).or_default() += 1;
        self.orphaned += usize::from(message.contains(ORPHANED));
        if code == OUTCOME_UNKNOWN {
            message.clone_into(&mut self.example);
        } else {
            self.unexpected.entry(code.to_owned()).or_insert_with(|| message.to_owned());
        }
    }

    /// What misses the goal, logins apart.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, problem: String| {
            if !holds {
                problems.push(problem);
            }
        };
        let incidents: usize = self.incidents.values().sum();
        check(self.doubled == 0, format!("{} names have more than one record", self.doubled));
        check(self.lost() == 0, format!("{} are lost", self.lost()));
        for history in &self.open {
            check(false, format!("open: {history}"));
        }
        check(
            self.jobs == self.instances,
            format!("the engine made {} jobs for {} instances", self.jobs, self.instances),
        );
        for (code, message) in &self.unexpected {
            check(false, format!("incident {code}: {message}"));
        }
        let most = if self.workload == Workload::Upsert { 0.0 } else { MOST_INCIDENTS };
        check(
            incidents as f64 <= most * self.instances as f64,
            format!("{incidents} incidents of {} jobs; at most {:.0} %", self.instances, most * 100.0),
        );
        check(
            self.settled && self.late <= SETTLED_WITHIN,
            format!(
                "settled after {:.0} s; at most {:.0} s",
                self.late.as_secs_f64(),
                SETTLED_WITHIN.as_secs_f64()
            ),
        );
        problems
    }

    /// More logins than starts and revocations explain.
    pub(super) fn excess_logins(&self, starts: usize, revocations: usize) -> Vec<String> {
        let forced = (starts + 2 * revocations) as u64;
        let excess = self.logins > forced + MORE_LOGINS;
        let (logins, more) = (self.logins, MORE_LOGINS);
        let told = format!(
            "{logins} logins; {starts} starts and {revocations} revocations for two workers force up to {forced}, and at \
             most {more} more are allowed"
        );
        crate::report::say(&told);
        excess.then_some(told).into_iter().collect()
    }

    fn lost(&self) -> usize {
        self.open.len() + self.completed_without_record
    }

    /// The account in words.
    pub(super) fn told(&self) -> String {
        let incidents: Vec<String> =
            self.incidents.iter().map(|(code, count)| format!("{count} {code}")).collect();
        let example =
            if self.example.is_empty() { String::new() } else { format!("  such as: {}\n", self.example) };
        let incidents = if incidents.is_empty() { "none".to_owned() } else { incidents.join(", ") };
        format!(
            "jobs {} = completed {} + incidents {} + open {}\nincidents by code: {incidents}; {} of them left by a worker \
             that died or lost the job\n{example}\
             records {}; doubled {}; lost {} (open {}, completed without a record {})\n\
             settled {:.1} s after the last fault; locks expired {}",
            self.instances,
            self.completed,
            self.incidents.values().sum::<usize>(),
            self.open.len(),
            self.orphaned,
            self.records,
            self.doubled,
            self.lost(),
            self.open.len(),
            self.completed_without_record,
            self.late.as_secs_f64(),
            self.locks_expired,
        )
    }
}

const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";

/// The code in the message of an incident: its first word in capitals.
fn code(message: &str) -> &str {
    let word = |word: &&str| {
        word.len() > 3
            && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && word.contains('_')
    };
    message.split(|c: char| !c.is_alphanumeric() && c != '_').find(word).unwrap_or("no code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_found_in_the_message() {
        let message =
            "Create record failed: OUTCOME_UNKNOWN: the request was sent, its answer was lost (HTTP 500).";
        assert_eq!(code(message), OUTCOME_UNKNOWN);
        assert_eq!(code("Expected an object, found SOQL."), "no code");
    }
}
