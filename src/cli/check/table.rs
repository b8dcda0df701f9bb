//! The table of `check`: a line for each thing that was looked at, and below it what to do where it failed.

use std::fmt::Write as _;

use super::report::{ConnectionReport, FindingReport, GatewayReport, Report};
use crate::connector::Part;

/// How a line begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Failed,
    Note,
}

/// Where the second column begins, and how long lines get; addresses and names are never cut.
const INDENT: usize = 25;
const WIDTH: usize = 110;

struct Table {
    text: String,
    colours: bool,
}

/// The whole table.
pub(super) fn of(report: &Report, colours: bool) -> String {
    let mut table = Table { text: String::new(), colours };
    if let Some(gateway) = &report.gateway {
        table.gateway(gateway);
    }
    for connection in &report.connections {
        table.connection(connection);
    }
    if let Some(allow_inline) = report.only_inline {
        table.no_connections(allow_inline);
    }
    table.verdict(report);
    table.text
}

impl Table {
    fn title(&mut self, kind: &str, name: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{kind} {name}");
    }

    fn line(&mut self, mark: Mark, what: &str, text: &str) {
        let (word, colour) = match mark {
            Mark::Ok => ("ok", "32"),
            Mark::Failed => ("FAILED", "31"),
            Mark::Note => ("note", "33"),
        };
        let padding = " ".repeat(8 - word.len());
        let word = if self.colours { format!("\x1b[{colour}m{word}\x1b[0m") } else { word.to_owned() };
        let _ = writeln!(self.text, "  {word}{padding}{what:<15}{}", wrapped(text, INDENT));
    }

    fn detail(&mut self, label: &str, text: &str) {
        let _ = writeln!(self.text, "          {label:<15}{}", wrapped(text, INDENT));
    }

    fn gateway(&mut self, gateway: &GatewayReport) {
        self.title("gateway", &gateway.address);
        let problem = gateway.problem.as_deref().unwrap_or_default();
        let Some(version) = &gateway.version else {
            self.line(Mark::Failed, "reached", problem);
            self.detail(
                "next",
                "Correct gateway.address (or CAMUNDA_GRPC_ADDRESS), TLS and gateway.authentication; \
                                 see whether the engine is up and the network lets gRPC through.",
            );
            return;
        };
        let brokers = gateway.brokers.unwrap_or_default();
        let size = gateway.cluster_size.unwrap_or_default();
        self.line(Mark::Ok, "reached", &format!("Zeebe {version}, {brokers} of {size} brokers"));
        self.line(Mark::Ok, "authentication", gateway.authentication);
        let partitions = format!(
            "{} of {} have a healthy leader",
            gateway.healthy_partitions.unwrap_or_default(),
            gateway.partitions.unwrap_or_default()
        );
        if gateway.ok {
            self.line(Mark::Ok, "partitions", &partitions);
        } else {
            self.line(Mark::Failed, "partitions", problem);
        }
    }

    fn connection(&mut self, connection: &ConnectionReport) {
        self.title("connection", &connection.name);
        self.part(
            connection,
            Part::Configuration,
            "configuration",
            connection.secrets_found.then(|| "its secrets, addresses and certificates are there".to_owned()),
        );
        let login = connection
            .address
            .as_ref()
            .map(|address| format!("{}, calls go to {address}", connection.authentication));
        self.part(connection, Part::Login, "login", login);
        let user = connection.user.as_ref().map(|user| format!("{}, {}", user.username, user.id));
        self.part(connection, Part::User, "user", user);
        let org = connection.org.as_ref().map(|org| {
            let kind = if org.sandbox { "sandbox" } else { "production" };
            let instance = org.instance.as_ref().map(|name| format!(" on {name}")).unwrap_or_default();
            format!("{}, {}, {kind}{instance}", org.name, org.id)
        });
        self.part(connection, Part::Org, "org", org);
        let version = &connection.api_version;
        let version =
            version.available.as_ref().map(|_| format!("{}; the org has {}", version.wanted, version.told));
        self.part(connection, Part::ApiVersion, "API version", version);
        let requests = connection.daily_api_requests.as_ref().map(|requests| {
            format!("{} of {} left in these 24 hours", grouped(requests.left), grouped(requests.max))
        });
        self.part(connection, Part::ApiRequests, "API requests", requests);
        let clock = connection.clock_skew_seconds.map(|_| "less than a minute from Salesforce's".to_owned());
        self.part(connection, Part::Clock, "clock", clock);
    }

    /// What was found about a part, or that it is well; nothing where it was not reached.
    fn part(&mut self, connection: &ConnectionReport, part: Part, what: &str, well: Option<String>) {
        let mut findings = connection.findings_of(part).peekable();
        if findings.peek().is_none()
            && let Some(text) = well
        {
            self.line(Mark::Ok, what, &text);
        }
        for finding in findings {
            self.finding(what, finding);
        }
    }

    fn finding(&mut self, what: &str, finding: &FindingReport) {
        let mark = if finding.fails { Mark::Failed } else { Mark::Note };
        self.line(mark, what, &format!("{}: {}", finding.code, finding.message));
        for (number, cause) in finding.causes.iter().enumerate() {
            self.detail(if number == 0 { "most likely" } else { "or" }, cause);
        }
        self.detail("next", &finding.next);
    }

    fn no_connections(&mut self, allow_inline: bool) {
        self.text.push_str("\nno connections\n");
        if allow_inline {
            self.line(Mark::Note, "configuration", "none is configured: each task has to bring its own");
        } else {
            self.line(Mark::Failed, "configuration", "none is configured, and tasks may not bring their own");
        }
        self.detail(
            "next",
            "Add a table [connections.NAME]; docs/connections.md has a recipe for every way to log in.",
        );
    }

    fn verdict(&mut self, report: &Report) {
        let failed: Vec<&str> = report
            .gateway
            .iter()
            .filter(|gateway| !gateway.ok)
            .map(|_| "the gateway")
            .chain(report.connections.iter().filter(|own| !own.ok).map(|own| own.name.as_str()))
            .collect();
        let verdict = match (report.ok, failed.is_empty()) {
            (true, _) => "All well.".to_owned(),
            (false, true) => "Failed: no connection can be used.".to_owned(),
            (false, false) => format!("Failed: {}.", failed.join(", ")),
        };
        let _ = writeln!(self.text, "\n{verdict}");
    }
}

/// Breaks a text between words; further lines begin at the indent.
fn wrapped(text: &str, indent: usize) -> String {
    let (mut lines, mut column) = (String::new(), indent);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            let _ = write!(lines, "\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// `15000` as `15,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_between_words_and_long_words_are_kept() {
        let text = wrapped(&format!("{} {} end", "a".repeat(60), "b".repeat(90)), INDENT);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines, ["a".repeat(60), format!("{:25}{}", "", "b".repeat(90)), format!("{:25}end", "")]);
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (15_000, "15,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), text);
        }
    }
}
