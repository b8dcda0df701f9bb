//! Grades files of recorded cases.
//!
//! `cargo run --release -p camunda-feel --example conformance -- [--misses] [--markdown] FILE.jsonl...`

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

mod grade;
mod report;

use std::process::ExitCode;

use grade::Case;
use report::Report;

fn main() -> ExitCode {
    let (mut files, mut misses, mut markdown) = (Vec::new(), false, false);
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--misses" => misses = true,
            "--markdown" => markdown = true,
            _ => files.push(argument),
        }
    }
    if files.is_empty() {
        eprintln!("usage: conformance [--misses] [--markdown] FILE.jsonl...");
        return ExitCode::from(2);
    }
    let mut reports = Vec::new();
    for file in files {
        match grade_file(&file) {
            Ok(report) => reports.push(report),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    if markdown {
        print!("{}", report::markdown(&reports));
    } else {
        print!("{}", report::plain(&reports, misses));
    }
    ExitCode::SUCCESS
}

fn grade_file(file: &str) -> Result<Report, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let name = std::path::Path::new(file).file_name().map_or_else(|| file.into(), |n| n.to_string_lossy());
    let mut report = Report::new(&name);
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let case = Case::parse(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        let outcome = case.grade();
        report.add(&case, outcome);
    }
    Ok(report)
}
