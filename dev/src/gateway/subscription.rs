//! What a worker asks for, checked: the same for a poll and for a stream.

use std::time::Duration;

use tonic::Status;

use super::DEFAULT_TENANT;
use super::proto::{ActivateJobsRequest, StreamActivatedJobsRequest, TenantFilter};
use super::settings::Settings;

/// A worker's wish: which jobs, how long locked, with which variables.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) job_type: String,
    pub(super) worker: String,
    pub(super) timeout: Duration,
    /// Empty: all.
    pub(super) fetch: Vec<String>,
    pub(super) tenants: Vec<String>,
    pub(super) with_lease: bool,
}

impl Subscription {
    /// Whether a job of this tenant, leased before or not, may go to this worker.
    pub(super) fn accepts(&self, tenant: &str, leased: bool) -> bool {
        (self.with_lease || !leased) && self.tenants.iter().any(|own| own == tenant)
    }

    pub(super) fn of_poll(request: ActivateJobsRequest, settings: &Settings) -> Result<Self, Status> {
        if request.max_jobs_to_activate < 1 {
            let found = format!("'{}'", request.max_jobs_to_activate);
            return Err(refused("max jobs to activate", "greater than zero", &found));
        }
        let tenants = Tenants { rpc: "ActivateJobs", ids: request.tenant_ids, filter: request.tenant_filter };
        let wish = Self {
            job_type: request.r#type,
            worker: request.worker,
            timeout: duration(request.timeout),
            fetch: request.fetch_variable,
            tenants: tenants.resolve(settings)?,
            with_lease: request.with_lease && settings.leases(),
        };
        wish.checked(request.timeout)
    }

    pub(super) fn of_stream(
        request: StreamActivatedJobsRequest,
        settings: &Settings,
    ) -> Result<Self, Status> {
        let rpc = "StreamActivatedJobs";
        let tenants = Tenants { rpc, ids: request.tenant_ids, filter: request.tenant_filter };
        let wish = Self {
            job_type: request.r#type,
            worker: request.worker,
            timeout: duration(request.timeout),
            fetch: request.fetch_variable,
            tenants: tenants.resolve(settings)?,
            with_lease: request.with_lease && settings.leases(),
        };
        wish.checked(request.timeout)
    }

    fn checked(self, timeout: i64) -> Result<Self, Status> {
        if self.job_type.trim().is_empty() {
            return Err(refused("type", "present", "blank"));
        }
        if self.worker.trim().is_empty() {
            return Err(refused("worker", "present", "blank"));
        }
        if timeout < 1 {
            return Err(refused("timeout", "greater than zero", &format!("'{timeout}'")));
        }
        Ok(self)
    }
}

/// Milliseconds of the wire as a duration; negative ones are none.
pub(super) fn duration(millis: i64) -> Duration {
    // A year is longer than any test and keeps sums with an instant far from overflow.
    const LONGEST: Duration = Duration::from_hours(24 * 365);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0)).min(LONGEST)
}

fn refused(field: &str, expected: &str, found: &str) -> Status {
    Status::invalid_argument(format!(
        "Command 'ACTIVATE' rejected with code 'INVALID_ARGUMENT': \
         Expected to activate job batch with {field} to be {expected}, but it was {found}"
    ))
}

struct Tenants {
    rpc: &'static str,
    ids: Vec<String>,
    filter: i32,
}

impl Tenants {
    fn resolve(self, settings: &Settings) -> Result<Vec<String>, Status> {
        let head =
            format!("Expected to handle gRPC request {} with tenant identifiers {:?}", self.rpc, self.ids);
        let assigned = self.filter == TenantFilter::Assigned as i32 && settings.tenant_filter();
        match (&settings.tenants, assigned) {
            (None, true) => Ok(vec![DEFAULT_TENANT.to_owned()]),
            (Some(own), true) => Ok(own.clone()),
            (None, false) if self.ids.iter().all(|id| id == DEFAULT_TENANT) => {
                Ok(vec![DEFAULT_TENANT.to_owned()])
            }
            (None, false) => Err(Status::invalid_argument(format!("{head}, but multi-tenancy is disabled"))),
            (Some(_), false) if self.ids.is_empty() => {
                Err(Status::invalid_argument(format!("{head}, but no tenant identifier was provided")))
            }
            (Some(own), false) => match self.ids.iter().find(|id| !own.contains(id)) {
                Some(_) => Err(Status::permission_denied(format!("{head}, but tenant is not authorized"))),
                None => Ok(self.ids),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn poll() -> ActivateJobsRequest {
        ActivateJobsRequest {
            r#type: "t".into(),
            worker: "w".into(),
            timeout: 1,
            max_jobs_to_activate: 1,
            ..Default::default()
        }
    }

    fn with_tenants() -> Settings {
        Settings { tenants: Some(vec!["a".into(), "b".into()]), ..Settings::default() }
    }

    #[test]
    fn each_missing_or_impossible_field_is_named() {
        let cases = [
            (ActivateJobsRequest { r#type: " ".into(), ..poll() }, "type to be present"),
            (ActivateJobsRequest { worker: String::new(), ..poll() }, "worker to be present"),
            (ActivateJobsRequest { timeout: 0, ..poll() }, "timeout to be greater than zero, but it was '0'"),
            (ActivateJobsRequest { max_jobs_to_activate: -1, ..poll() }, "max jobs to activate"),
        ];
        for (request, text) in cases {
            let status = Subscription::of_poll(request, &Settings::default()).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
            assert!(status.message().contains(text), "{}", status.message());
        }
    }

    #[test]
    fn no_tenants_mean_the_default_one_where_multi_tenancy_is_off() {
        let wish = Subscription::of_poll(poll(), &Settings::default()).unwrap();
        assert_eq!(wish.tenants, [DEFAULT_TENANT]);
        let request = ActivateJobsRequest { tenant_ids: vec!["a".into()], ..poll() };
        let status = Subscription::of_poll(request, &Settings::default()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
    }

    #[test]
    fn no_tenants_are_an_error_where_multi_tenancy_is_on() {
        let status = Subscription::of_poll(poll(), &with_tenants()).unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("no tenant identifier"), "{}", status.message());
    }

    #[test]
    fn a_foreign_tenant_is_denied() {
        let request = ActivateJobsRequest { tenant_ids: vec!["a".into(), "z".into()], ..poll() };
        assert_eq!(
            Subscription::of_poll(request, &with_tenants()).unwrap_err().code(),
            Code::PermissionDenied
        );
    }

    #[test]
    fn assigned_means_all_tenants_of_the_caller_and_ignores_the_list() {
        let request = ActivateJobsRequest {
            tenant_ids: vec!["z".into()],
            tenant_filter: TenantFilter::Assigned as i32,
            ..poll()
        };
        let wish = Subscription::of_poll(request.clone(), &with_tenants()).unwrap();
        assert_eq!(wish.tenants, ["a", "b"]);
        let old = Settings { gateway_version: "8.8.3".into(), ..with_tenants() };
        let status = Subscription::of_poll(request, &old).unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "a gateway before 8.9 does not know the filter");
    }

    #[test]
    fn a_gateway_before_8_10_ignores_the_wish_for_a_lease() {
        let request = ActivateJobsRequest { with_lease: true, ..poll() };
        assert!(Subscription::of_poll(request.clone(), &Settings::default()).unwrap().with_lease);
        let old = Settings { gateway_version: "8.9.0".into(), ..Settings::default() };
        assert!(!Subscription::of_poll(request, &old).unwrap().with_lease);
    }
}
