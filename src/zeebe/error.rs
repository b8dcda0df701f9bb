//! What can go wrong between the worker and the gateway, and what it means for a repetition.

use std::{error::Error, fmt, time::Duration};

use tonic::{Code, Status};

/// What failed with the gateway. Its text says what was tried, what came back, and what to look at.
#[derive(Debug)]
pub struct GatewayError(pub(super) Cause);

#[derive(Debug)]
pub(super) enum Cause {
    /// The options cannot work, whatever the gateway says.
    Options(String),
    /// No access token: what the token endpoint said.
    Credentials(String),
    /// No answer in time.
    Timeout { rpc: &'static str, after: Duration },
    /// The gateway's answer, or the transport's.
    Status { rpc: &'static str, status: Status },
}

impl GatewayError {
    pub(super) fn options(message: impl Into<String>) -> Self {
        Self(Cause::Options(message.into()))
    }

    pub(super) fn status(rpc: &'static str, status: Status) -> Self {
        Self(Cause::Status { rpc, status })
    }

    /// The gateway's status code, when there is one.
    pub(super) fn code(&self) -> Option<Code> {
        match &self.0 {
            Cause::Status { status, .. } => Some(status.code()),
            _ => None,
        }
    }

    /// The label of this error in metrics.
    pub(super) fn label(&self) -> &'static str {
        match &self.0 {
            Cause::Options(_) => "options",
            Cause::Credentials(_) => "credentials",
            Cause::Timeout { .. } => "timeout",
            Cause::Status { status, .. } => code_label(status.code()),
        }
    }

    /// The text beside the status code, or nothing.
    pub(super) fn text(&self) -> &str {
        match &self.0 {
            Cause::Status { status, .. } => status.message(),
            _ => "",
        }
    }

    /// Whether the connection failed rather than the gateway answered.
    pub(super) fn is_transport(&self) -> bool {
        match &self.0 {
            Cause::Status { status, .. } => status.source().is_some(),
            Cause::Timeout { .. } => true,
            _ => false,
        }
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Options(message) => f.write_str(message),
            Cause::Credentials(message) => write!(f, "no access token for the gateway: {message}"),
            Cause::Timeout { rpc, after } => {
                write!(f, "{rpc}: the gateway did not answer within {after:?}")
            }
            Cause::Status { rpc, status } => {
                write!(f, "{rpc}: {:?}: {}", status.code(), status.message())?;
                write_sources(f, status)?;
                if let Some(hint) = hint(status) {
                    write!(f, " ({hint})")?;
                }
                Ok(())
            }
        }
    }
}

impl Error for GatewayError {}

fn code_label(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "cancelled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// Transport errors hide the reason at the end of their chain of sources; texts already seen are left out.
fn write_sources(f: &mut fmt::Formatter<'_>, status: &Status) -> fmt::Result {
    let mut written = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !written.contains(&text) {
            write!(f, ": {text}")?;
            written.push_str(&text);
        }
        source = error.source();
    }
    Ok(())
}

/// What helps, for the failures whose own text does not say it.
fn hint(status: &Status) -> Option<&'static str> {
    let mut chain = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        chain.push_str(&error.to_string());
        source = error.source();
    }
    if chain.contains("NotValidForName") || chain.contains("not valid for name") {
        Some(
            "the certificate is for another host name: correct the gateway's address or override the authority",
        )
    } else if chain.contains("UnknownIssuer") || chain.contains("BadSignature") {
        Some(
            "the certificate is signed by an authority that is not trusted here: name its CA certificate file",
        )
    } else if chain.contains("InvalidContentType") || chain.contains("HttpNotSupported") {
        Some("the gateway does not speak TLS on this port: is the address meant to be http://?")
    } else if status.code() == Code::Unauthenticated {
        Some(
            "the gateway does not accept the credentials: check the way of authentication, the user or client, and the audience",
        )
    } else {
        None
    }
}

/// An error with all its causes, the outermost first.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_call_the_code_and_the_gateways_words() {
        let error = GatewayError::status("CompleteJob", Status::not_found("no such job was found"));
        assert_eq!(error.to_string(), "CompleteJob: NotFound: no such job was found");
        assert!(!error.is_transport());
    }

    #[test]
    fn a_timeout_counts_as_a_lost_connection() {
        let after = Duration::from_secs(10);
        let error = GatewayError(Cause::Timeout { rpc: "FailJob", after });
        assert_eq!(error.to_string(), "FailJob: the gateway did not answer within 10s");
        assert!(error.is_transport());
    }

    #[test]
    fn unknown_credentials_come_with_a_hint() {
        let error = GatewayError::status("Topology", Status::unauthenticated("bad token"));
        assert!(error.to_string().contains("check the way of authentication"), "{error}");
    }
}
