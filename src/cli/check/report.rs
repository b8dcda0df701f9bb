//! What `check` found, in the shape of `--json`, which is stable: fields are added, never renamed.

use serde::Serialize;

use super::Looked;
use crate::{
    connector::{Checkup, Finding, Part},
    salesforce::Versions,
    zeebe::{GatewayAuthentication, GatewayInfo, GatewayOptions},
};

/// Everything.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// Whether nothing failed.
    pub(super) ok: bool,
    /// Not there where only one connection was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway: Option<GatewayReport>,
    /// In alphabetical order.
    pub(super) connections: Vec<ConnectionReport>,
    /// Said where there is no connection: whether tasks may bring their own.
    #[serde(skip)]
    pub(super) only_inline: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GatewayReport {
    pub(super) ok: bool,
    pub(super) address: String,
    /// `none`, `basic` or `oauth`.
    pub(super) authentication: &'static str,
    pub(super) version: Option<String>,
    pub(super) brokers: Option<usize>,
    pub(super) cluster_size: Option<i32>,
    pub(super) partitions: Option<i32>,
    pub(super) healthy_partitions: Option<usize>,
    pub(super) problem: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectionReport {
    pub(super) ok: bool,
    pub(super) name: String,
    pub(super) authentication: &'static str,
    pub(super) secrets_found: bool,
    pub(super) address: Option<String>,
    pub(super) user: Option<UserReport>,
    pub(super) org: Option<OrgReport>,
    pub(super) api_version: VersionReport,
    pub(super) daily_api_requests: Option<RequestsReport>,
    /// This machine's clock ahead of the org's; 0 where the difference is less than a minute.
    pub(super) clock_skew_seconds: Option<i64>,
    pub(super) findings: Vec<FindingReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserReport {
    pub(super) id: String,
    pub(super) username: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrgReport {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) instance: Option<String>,
    pub(super) sandbox: bool,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionReport {
    pub(super) wanted: String,
    pub(super) available: Option<Vec<String>>,
    #[serde(skip)]
    pub(super) told: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestsReport {
    pub(super) left: u64,
    pub(super) max: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FindingReport {
    pub(super) part: &'static str,
    /// Whether jobs fail because of it; else it is a hint.
    pub(super) fails: bool,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) next: String,
}

impl Report {
    /// `only_inline`: whether tasks may bring their own connections, where that is of interest.
    pub(super) fn new(looked: Vec<Looked>, only_inline: Option<bool>) -> Self {
        let (mut gateway, mut connections) = (None, Vec::new());
        for look in looked {
            match look {
                Looked::Gateway(report) => gateway = Some(report),
                Looked::Connection(report) => connections.push(*report),
            }
        }
        connections.sort_by(|a, b| a.name.cmp(&b.name));
        let only_inline = only_inline.filter(|_| connections.is_empty());
        let ok = gateway.as_ref().is_none_or(|gateway| gateway.ok)
            && connections.iter().all(|connection| connection.ok)
            && only_inline != Some(false);
        Self { ok, gateway, connections, only_inline }
    }

    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl GatewayReport {
    /// Nothing is known yet.
    pub(super) fn new(options: &GatewayOptions) -> Self {
        let authentication = match options.authentication {
            GatewayAuthentication::None => "none",
            GatewayAuthentication::Basic { .. } => "basic",
            GatewayAuthentication::OAuth { .. } => "oauth",
        };
        Self {
            ok: false,
            address: options.address.clone(),
            authentication,
            version: None,
            brokers: None,
            cluster_size: None,
            partitions: None,
            healthy_partitions: None,
            problem: None,
        }
    }

    pub(super) fn reached(&mut self, info: GatewayInfo) {
        let all = usize::try_from(info.partitions).unwrap_or_default();
        self.ok = info.healthy_partitions >= all && all > 0;
        if !self.ok {
            let missing = all.saturating_sub(info.healthy_partitions);
            self.problem = Some(if all == 0 {
                "the gateway knows no partition: are its brokers up?".to_owned()
            } else {
                format!(
                    "{missing} of {all} partitions have no healthy leader; their jobs stand still: see the brokers' logs"
                )
            });
        }
        self.brokers = Some(info.brokers);
        self.cluster_size = Some(info.cluster_size);
        self.partitions = Some(info.partitions);
        self.healthy_partitions = Some(info.healthy_partitions);
        self.version = Some(info.version);
    }

    pub(super) fn failed(&mut self, problem: String) {
        self.problem = Some(problem);
    }
}

impl ConnectionReport {
    pub(super) fn of(checkup: &Checkup) -> Self {
        let versions = checkup.versions.as_ref();
        Self {
            ok: checkup.is_well(),
            name: checkup.name.clone(),
            authentication: checkup.authentication,
            secrets_found: checkup.secrets_found,
            address: checkup.address.clone(),
            user: checkup
                .user
                .as_ref()
                .map(|user| UserReport { id: user.id.clone(), username: user.username.clone() }),
            org: checkup.organization.as_ref().map(|org| OrgReport {
                id: org.id.clone(),
                name: org.name.clone(),
                instance: org.instance_name.clone(),
                sandbox: org.is_sandbox,
            }),
            api_version: VersionReport {
                wanted: checkup.api_version.to_string(),
                available: versions.map(|own| own.versions.iter().map(ToString::to_string).collect()),
                told: versions.map(Versions::told).unwrap_or_default(),
            },
            daily_api_requests: checkup
                .daily_requests
                .map(|requests| RequestsReport { left: requests.left, max: requests.most }),
            clock_skew_seconds: versions.map(|own| own.clock_skew.unwrap_or_default()),
            findings: checkup.findings.iter().map(FindingReport::from).collect(),
        }
    }

    /// Nothing is known but that it failed.
    pub(super) fn failed(name: &str, code: &str, message: &str) -> Self {
        let finding = FindingReport {
            part: name_of(Part::Login),
            fails: true,
            code: code.to_owned(),
            message: message.to_owned(),
            causes: Vec::new(),
            next: "Try again, with a longer --timeout.".to_owned(),
        };
        Self {
            ok: false,
            name: name.to_owned(),
            authentication: "",
            secrets_found: false,
            address: None,
            user: None,
            org: None,
            api_version: VersionReport::default(),
            daily_api_requests: None,
            clock_skew_seconds: None,
            findings: vec![finding],
        }
    }

    /// What was found about a part, the worst first.
    pub(super) fn findings_of(&self, part: Part) -> impl Iterator<Item = &FindingReport> {
        let fails_first = [true, false];
        fails_first.into_iter().flat_map(move |fails| {
            let is_meant = move |own: &&FindingReport| own.part == name_of(part) && own.fails == fails;
            self.findings.iter().filter(is_meant)
        })
    }
}

impl From<&Finding> for FindingReport {
    fn from(finding: &Finding) -> Self {
        Self {
            part: name_of(finding.part),
            fails: finding.fails,
            code: finding.code.clone(),
            message: finding.message.clone(),
            causes: finding.causes.clone(),
            next: finding.next.clone(),
        }
    }
}

/// The name of a part in JSON.
fn name_of(part: Part) -> &'static str {
    match part {
        Part::Configuration => "configuration",
        Part::Login => "login",
        Part::User => "user",
        Part::Org => "org",
        Part::ApiVersion => "apiVersion",
        Part::ApiRequests => "apiRequests",
        Part::Clock => "clock",
    }
}
