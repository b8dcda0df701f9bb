//! Figures as people read them: medians, percentiles, tables in Markdown, and the conditions of a run.

use std::{io::Write as _, process::Command};

/// Prints a line at once; a reader that has gone away is no failure.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{line}").and_then(|()| out.flush()));
}

/// The same to standard error, where a child is heard.
pub(crate) fn warn(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// The value in the middle; of an even number, the mean of the two. 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[length / 2],
        length => f64::midpoint(sorted[length / 2 - 1], sorted[length / 2]),
    }
}

/// The smallest value that this share (0 to 1) of all values does not exceed.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// A figure with three digits that matter.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// `middle [least..most]`; the middle alone where there is one value.
pub(crate) fn spread(values: &[f64]) -> String {
    let (least, most) = (percentile(values, 0.0), percentile(values, 1.0));
    match values {
        [] => "–".to_owned(),
        [one] => figure(*one),
        _ => format!("{} [{}..{}]", figure(median(values)), figure(least), figure(most)),
    }
}

/// A table in Markdown.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    [head, rule].iter().chain(rows).map(|cells| line(cells)).collect()
}

/// When, where and what was measured, in one line.
pub(crate) fn conditions() -> String {
    let commit = text_of(Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=9"]));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC");
    format!("{date}, commit {commit}, {cores} cores shared by all parts, load {load} before the run")
}

fn text_of(command: &mut Command) -> String {
    let output = command.output().ok().filter(|output| output.status.success());
    output.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let medians =
            [vec![], vec![3.0, 1.0, 2.0], vec![4.0, 1.0]].map(|values: Vec<f64>| figure(median(&values)));
        assert_eq!(medians, ["0.00", "2.00", "2.50"]);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        let found = [0.0, 0.5, 0.99, 1.0].map(|share| figure(percentile(&values, share)));
        assert_eq!(found, ["1.00", "50.0", "99.0", "100"]);
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!([figure(0.714_2), figure(23.18), figure(429.4)], ["0.71", "23.2", "429"]);
    }

    #[test]
    fn a_table_is_markdown() {
        let rows = [vec!["query".to_owned(), "7".to_owned()]];
        assert_eq!(table(&["case", "jobs"], &rows), "| case | jobs |\n| --- | --- |\n| query | 7 |\n");
    }
}
