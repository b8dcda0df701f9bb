//! `templates`: the element templates as files.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;

use crate::connector::template::element_templates;

/// Writes every template to a directory, and says which.
pub(super) fn write(directory: &Path) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let mut report = String::new();
    for (name, json) in element_templates() {
        let path = directory.join(name);
        std::fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))?;
        report.push_str("wrote ");
        report.push_str(&path.to_string_lossy());
        report.push('\n');
    }
    super::print(&report)
}
