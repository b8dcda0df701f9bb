//! The page at `/`: HTML without scripts, for a person who was woken up.

use std::fmt::{self, Display, Write as _};

use super::status::Status;
use crate::{
    connector::{ConnectionStatus, FailedJob},
    salesforce::{ApiUsage, CircuitState},
};

/// The style sheet at `/style.css`.
pub(super) const STYLE: &str = include_str!("style.css");

const NONE: &str = "<span class=\"dim\">none</span>";
/// From this share of its daily calls on, an org is shown as in danger, in percent.
const MUCH_USED: u64 = 80;

/// A text in HTML, whatever is in it.
struct Text<T>(T);

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// The whole page.
pub(super) fn render(status: &Status) -> String {
    let (class, state) = state(status);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"refresh\" content=\"10\">\
         <title>{state} · salesforce-connector</title><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"style.css\"></head>\n\
         <body><header><h1>salesforce-connector</h1><span class=\"{class}\" role=\"status\">{state}</span>\
         <span class=\"dim\">version {version}, up {uptime}</span></header>\n<main>\n{facts}{connections}{failures}</main>\n\
         <footer>Renewed every ten seconds. Also: <a href=\"api/status\">/api/status</a>, \
         <a href=\"metrics\">/metrics</a>, <a href=\"ready\">/ready</a>, <a href=\"live\">/live</a></footer></body></html>\n",
        version = status.version,
        uptime = time(status.uptime_seconds),
        facts = facts(status),
        connections = connections(&status.connections),
        failures = failures(&status.failures),
    )
}

fn state(status: &Status) -> (&'static str, &'static str) {
    let worker = status.worker;
    match worker {
        _ if worker.stopping => ("warn", "Stopping"),
        _ if worker.ready => ("good", "Ready"),
        _ if !worker.gateway_answers => ("bad", "The gateway does not answer"),
        _ => ("bad", "No job stream is open"),
    }
}

fn facts(status: &Status) -> String {
    let gateway =
        if status.worker.gateway_answers { ("good", "answers") } else { ("bad", "does not answer") };
    let stream = match status.worker.stream {
        "open" => ("good", "open"),
        "off" => ("dim", "off, jobs come by polling"),
        "opening" => ("warn", "opening"),
        _ => ("bad", "down, jobs come by polling"),
    };
    let permits = status.permits;
    let load = if permits.free == 0 { "warn" } else { "good" };
    let fact = |title: &str, class: &str, value: String, more: String| {
        let (value, more) = (Text(value), Text(more));
        format!(
            "<div class=\"card\"><dt>{title}</dt><dd><span class=\"{class}\">{value}</span><br><span class=\"dim\">{more}</span></dd></div>\n"
        )
    };
    format!(
        "<dl class=\"facts\">{}{}{}</dl>\n",
        fact("Gateway", gateway.0, gateway.1.into(), status.gateway.clone()),
        fact("Job stream", stream.0, stream.1.into(), status.job_type.clone()),
        fact(
            "Room for jobs",
            load,
            format!("{} of {} free", permits.free, permits.limit),
            "an idle stream holds one".into(),
        ),
    )
}

/// A table; each row has the cells of its columns, already in HTML.
fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut html = "<div class=\"scroll\"><table><thead><tr>".to_owned();
    for column in columns {
        let _ = write!(html, "<th scope=\"col\">{column}</th>");
    }
    html.push_str("</tr></thead><tbody>\n");
    for row in rows {
        html.push_str("<tr>");
        for (column, cell) in columns.iter().zip(row) {
            let _ = write!(html, "<td data-label=\"{column}\"><span>{cell}</span></td>");
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
    html
}

fn connections(all: &[ConnectionStatus]) -> String {
    let title = "<h2>Connections</h2>\n";
    if all.is_empty() {
        return format!(
            "{title}<p class=\"dim\">No connection is configured, and no task has brought one yet.</p>\n"
        );
    }
    let columns = ["Connection", "Calls", "Latency", "API usage", "Token", "Last error"];
    format!("{title}{}", table(&columns, all.iter().map(connection)))
}

fn connection(one: &ConnectionStatus) -> Vec<String> {
    let name = one.connection.as_deref().unwrap_or("written in tasks");
    let org = &one.org;
    let latency = org.latency_ms.map_or_else(|| NONE.to_owned(), |latency| format!("{latency} ms"));
    let token = one.token_age_seconds.map_or_else(|| NONE.to_owned(), |age| format!("{} old", time(age)));
    let error = org.last_error.as_ref().map_or_else(
        || NONE.to_owned(),
        |error| {
            let (code, message, at) = (Text(&error.code), Text(&error.message), Text(&error.at));
            format!("<code>{code}</code> {message}<br><span class=\"dim\">{at}</span>")
        },
    );
    vec![
        format!("<strong>{}</strong><br><span class=\"dim\">{}</span>", Text(name), Text(&org.host)),
        circuit(one),
        latency,
        org.api_usage.map_or_else(|| NONE.to_owned(), usage),
        token,
        error,
    ]
}

fn circuit(one: &ConnectionStatus) -> String {
    let circuit = &one.org.circuit;
    let (class, state) = match circuit.state {
        CircuitState::Closed => ("good", "go through"),
        CircuitState::HalfOpen => ("warn", "one is tried"),
        CircuitState::ReadOnly => ("warn", "only reads"),
        CircuitState::Open => ("bad", "held back"),
    };
    let mut cell = format!("<span class=\"{class}\">{state}</span>");
    if let Some(reason) = &circuit.reason {
        let _ = write!(cell, "<br>{}", Text(reason));
    }
    if let Some(seconds) = circuit.retry_in_seconds {
        let _ = write!(cell, "<br><span class=\"dim\">next try in {}</span>", time(seconds));
    }
    let _ = write!(cell, "<br><span class=\"dim\">{} under way</span>", one.org.calls_in_flight);
    cell
}

fn usage(usage: ApiUsage) -> String {
    let ApiUsage { used, max, age_seconds } = usage;
    let percent = used.saturating_mul(100).checked_div(max).unwrap_or(100);
    let class = if percent >= MUCH_USED { "bad" } else { "good" };
    format!(
        "<meter min=\"0\" max=\"100\" low=\"{MUCH_USED}\" high=\"95\" optimum=\"0\" value=\"{percent}\">{percent} %</meter>\
         <span class=\"{class}\">{percent} %</span> <span class=\"dim\">{used} of {max} a day<br>seen {} ago</span>",
        time(age_seconds)
    )
}

fn failures(all: &[FailedJob]) -> String {
    let title = "<h2>Last failures</h2>\n";
    if all.is_empty() {
        return format!("{title}<p class=\"dim\">None since the start.</p>\n");
    }
    let columns = ["When (UTC)", "Outcome", "Error", "Task", "Operation", "Job"];
    format!("{title}{}", table(&columns, all.iter().map(failure)))
}

fn failure(failed: &FailedJob) -> Vec<String> {
    let (class, outcome) = match (failed.outcome, failed.retries) {
        ("failed", Some(0)) => ("bad", "incident".to_owned()),
        ("failed", retries) => ("warn", format!("tried again, {} left", retries.unwrap_or_default())),
        ("error_thrown", _) => ("dim", "BPMN error".to_owned()),
        ("parked", _) => ("warn", "parked".to_owned()),
        _ => ("dim", "ignored by the task".to_owned()),
    };
    let connection = failed.connection.as_deref().unwrap_or("none of the configuration");
    let request =
        failed.request_id.as_ref().map(|id| format!("<br><span class=\"dim\">request {}</span>", Text(id)));
    vec![
        Text(failed.at.replace(['T', 'Z'], " ")).to_string(),
        format!("<span class=\"{class}\">{outcome}</span>"),
        format!(
            "<code>{}</code> {}{}",
            Text(&failed.code),
            Text(&failed.message),
            request.unwrap_or_default()
        ),
        format!("{}<br><span class=\"dim\">{}</span>", Text(&failed.element), Text(&failed.process)),
        format!("{}<br><span class=\"dim\">{}</span>", failed.operation, Text(connection)),
        format!(
            "<code>{}</code><br><span class=\"dim\">instance <code>{}</code></span>",
            failed.job_key, failed.process_instance_key
        ),
    ]
}

/// `3 d 4 h`, `5 min`, `12 s`: as exact as is of use.
fn time(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_from_outside_is_markup() {
        assert_eq!(Text("<b a=\"1\" c='2'>&").to_string(), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;");
    }

    #[test]
    fn a_time_is_as_exact_as_is_of_use() {
        for (seconds, text) in [(59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")] {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn an_org_close_to_its_limit_is_marked() {
        let of = |used| usage(ApiUsage { used, max: 1_000, age_seconds: 5 });
        assert!(of(790).contains("class=\"good\"") && of(800).contains("class=\"bad\""));
        assert!(of(800).contains("value=\"80\""));
    }
}
