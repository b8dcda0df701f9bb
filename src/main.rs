//! The `salesforce-connector` program.

fn main() {}
