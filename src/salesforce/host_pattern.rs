//! A host as the list of allowed hosts names it.

use std::net::Ipv6Addr;

/// An exact name, an address, or `*.` before at least two labels, which stands for one or more of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    Exact(String),
    /// With its leading dot.
    Suffix(String),
}

impl Pattern {
    /// Reads one; `None`: it is neither a name, an address nor such a pattern.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lower = text.trim_end_matches('.').to_ascii_lowercase();
        if let Some(suffix) = lower.strip_prefix("*.") {
            // `*.com` would allow nearly everybody.
            let enough = suffix.split('.').count() >= 2 && suffix.split('.').all(is_label);
            return enough.then(|| Self::Suffix(format!(".{suffix}")));
        }
        let bare = lower.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<Ipv6Addr>() {
            return Some(Self::Exact(format!("[{address}]")));
        }
        lower.split('.').all(is_label).then_some(Self::Exact(lower))
    }

    pub(super) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
