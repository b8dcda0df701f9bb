//! What the org's administrator allows: the switches of a dev org's login.

use std::collections::BTreeSet;
use std::time::Duration;

use super::error::OAuthError;

/// The ways to get a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grant {
    /// `client_credentials` (RFC 6749, section 4.4).
    ClientCredentials,
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523).
    JwtBearer,
    /// `refresh_token` (RFC 6749, section 6).
    RefreshToken,
    /// `password` (RFC 6749, section 4.3).
    Password,
    /// `authorization_code` (RFC 6749, section 4.1), with PKCE (RFC 7636).
    AuthorizationCode,
}

impl Grant {
    /// The grant of a `grant_type` parameter.
    pub(super) fn named(grant_type: &str) -> Option<Self> {
        Some(match grant_type {
            "client_credentials" => Self::ClientCredentials,
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => Self::JwtBearer,
            "refresh_token" => Self::RefreshToken,
            "password" => Self::Password,
            "authorization_code" => Self::AuthorizationCode,
            _ => return None,
        })
    }
}

/// What stands between the org's user and a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UserAccess {
    /// Nothing: the user is active and the app is approved.
    #[default]
    Granted,
    /// The app was never approved for the user: a JWT is answered with `invalid_grant`, "user hasn't approved this
    /// consumer". Other flows pass.
    NotApproved,
    /// The user turns the app down when asked: the authorization endpoint answers `access_denied`. Other flows pass.
    Denied,
    /// The app is for users whom an administrator approved, and this one is not: `invalid_app_access`.
    NotAdminApproved,
    /// The user is deactivated: `inactive_user`, without a description.
    UserInactive,
    /// The org is locked, closed or suspended: `inactive_org`, without a description.
    OrgInactive,
}

impl UserAccess {
    /// Whether the user may have a token through `grant`.
    pub(super) fn admit(self, grant: Grant) -> Result<(), OAuthError> {
        match self {
            Self::NotApproved if grant == Grant::JwtBearer => Err(OAuthError::NOT_APPROVED),
            Self::Granted | Self::NotApproved | Self::Denied => Ok(()),
            Self::NotAdminApproved => Err(OAuthError::NOT_ADMIN_APPROVED),
            Self::UserInactive => Err(OAuthError::INACTIVE_USER),
            Self::OrgInactive => Err(OAuthError::INACTIVE_ORG),
        }
    }
}

/// How the org treats logins. Set before the start with
/// [`DevOrgBuilder::login_policy`](crate::org::DevOrgBuilder::login_policy), changed later with
/// [`DevOrg::login_policy`](crate::org::DevOrg::login_policy).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoginPolicy {
    /// Grants that are switched off. The password grant is then answered with a bare `invalid_grant`,
    /// "authentication failure", as Salesforce does; the others with `unsupported_grant_type`. Default: none.
    pub refused_grants: BTreeSet<Grant>,
    /// Whether the user may log in. Default: yes.
    pub user_access: UserAccess,
    /// Whether the app has a user to run as. Without one, client credentials are answered with `invalid_grant`, "no
    /// client credentials user enabled". Default: true.
    pub run_as_user: bool,
    /// Whether the org's address is a My Domain. `false` makes it `login.salesforce.com`, where client credentials
    /// are answered with `invalid_grant`, "request not supported on this domain". Default: true.
    pub my_domain: bool,
    /// Whether each use of a refresh token replaces it by a new one. Default: false.
    pub rotate_refresh_tokens: bool,
    /// Logins in any 60 minutes, of all grants and also failed ones; above that: `rate_limit_exceeded`. Default:
    /// 3,600, Salesforce's limit for one user.
    pub logins_per_hour: usize,
    /// How long a session lives without being used. Default: two hours.
    pub session_timeout: Duration,
    /// How far the org's clock is ahead of this machine's, in seconds; negative: behind. Seen in the `Date` header of
    /// every reply, in `issued_at`, and in the check of a JWT's `exp`. Default: 0.
    pub clock_skew_seconds: i64,
    /// What a JWT may name as its `aud`. Default: empty, which stands for the org's own address,
    /// `https://login.salesforce.com` and `https://test.salesforce.com`.
    pub jwt_audiences: Vec<String>,
}

impl Default for LoginPolicy {
    fn default() -> Self {
        Self {
            refused_grants: BTreeSet::new(),
            user_access: UserAccess::default(),
            run_as_user: true,
            my_domain: true,
            rotate_refresh_tokens: false,
            logins_per_hour: 3600,
            session_timeout: Duration::from_hours(2),
            clock_skew_seconds: 0,
            jwt_audiences: Vec::new(),
        }
    }
}
