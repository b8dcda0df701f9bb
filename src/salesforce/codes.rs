//! The stable codes of this client's own errors; every other code is Salesforce's own `errorCode`.
//!
//! An answer without an `errorCode` has the code `HTTP_` and its status, such as `HTTP_502`.

/// No complete answer came in time. The call may be repeated.
pub const TIMEOUT: &str = "TIMEOUT";
/// The request was never sent: name not resolved, connection refused, TLS handshake failed.
pub const CONNECTION_FAILED: &str = "CONNECTION_FAILED";
/// The connection broke before the answer was complete. The call may be repeated.
pub const CONNECTION_LOST: &str = "CONNECTION_LOST";
/// The org is over a limit, in maintenance or does not answer; it is left alone for now. The call was not sent.
pub const ORG_PAUSED: &str = "ORG_PAUSED";
/// The org has its share of calls in hand already, or the connection has. The call was not sent.
pub const ORG_BUSY: &str = "ORG_BUSY";
/// The org's API budget is down to its reserve. The call was not sent.
pub const API_BUDGET_RESERVED: &str = "API_BUDGET_RESERVED";
/// A write that must not be repeated was sent, and what became of it is not known.
pub const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";
/// The token endpoint refused the credentials, or the org refused the token.
pub const AUTHENTICATION_FAILED: &str = "AUTHENTICATION_FAILED";
/// The refresh token is expired or revoked; it will not be good again.
pub const REFRESH_TOKEN_EXPIRED: &str = "REFRESH_TOKEN_EXPIRED";
/// The user of a JWT has not been approved for the app.
pub const USER_NOT_APPROVED: &str = "USER_NOT_APPROVED";
/// The token endpoint refused a JWT, and this machine's clock differs from Salesforce's by more than it allows.
pub const CLOCK_SKEW: &str = "CLOCK_SKEW";
/// The token endpoint could not issue a token for a reason that passes by itself.
pub const TOKEN_ENDPOINT_UNAVAILABLE: &str = "TOKEN_ENDPOINT_UNAVAILABLE";
/// A credential is empty or cannot be sent in a header.
pub const INVALID_CREDENTIALS: &str = "INVALID_CREDENTIALS";
/// The proxy or a certificate of the connection is not usable.
pub const INVALID_CONNECTION: &str = "INVALID_CONNECTION";
/// The configuration does not allow calls to this host.
pub const HOST_NOT_ALLOWED: &str = "HOST_NOT_ALLOWED";
/// A base URL, token endpoint or path that no request may go to.
pub const INVALID_ADDRESS: &str = "INVALID_ADDRESS";
/// The answer is larger than the configuration allows.
pub const BODY_TOO_LARGE: &str = "BODY_TOO_LARGE";
/// The answer points to another address; redirects are not followed.
pub const REDIRECT_NOT_FOLLOWED: &str = "REDIRECT_NOT_FOLLOWED";
/// Status 300: an external id names several records.
pub const MULTIPLE_CHOICES: &str = "MULTIPLE_CHOICES";
/// Status 304: not changed since the given time.
pub const NOT_MODIFIED: &str = "NOT_MODIFIED";
/// Address and headers are longer than Salesforce takes; also where the org says so (414, 431).
pub const REQUEST_TOO_LONG: &str = "REQUEST_TOO_LONG";
/// The HTTP client could not be built, or refused to build a request.
pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
/// The org does not have the API version of the call, which was not sent.
pub const UNSUPPORTED_API_VERSION: &str = "UNSUPPORTED_API_VERSION";
/// A file on another host is not there, or is not what it should be.
pub const SOURCE_REFUSED: &str = "SOURCE_REFUSED";
/// A file on another host could not be read to its end.
pub const SOURCE_UNAVAILABLE: &str = "SOURCE_UNAVAILABLE";
