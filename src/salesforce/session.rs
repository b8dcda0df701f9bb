//! What it means when an org refuses the token of a call.

use super::{
    codes,
    error::{Error, ErrorClass},
};

/// Said with status 401 although a new token would not help; a refresh would run in circles.
const REFRESH_IS_USELESS: &[&str] =
    &["Connected app is not attached to Agent", "This session is not valid for use with the REST API"];

/// Whether the org no longer knows the session: by its code, or a 401 that names none.
pub(super) fn is_refused(error: &Error) -> bool {
    error.class == ErrorClass::Authentication && matches!(error.code(), "INVALID_SESSION_ID" | "HTTP_401")
}

/// Whether a new token would be refused too.
pub(super) fn is_refresh_useless(error: &Error) -> bool {
    error.errors.iter().any(|detail| REFRESH_IS_USELESS.iter().any(|text| detail.message.contains(text)))
}

/// The error of a call whose session stays refused.
pub(super) fn refused(mut error: Error, why: &str) -> Error {
    codes::AUTHENTICATION_FAILED.clone_into(&mut error.code);
    error.message = format!("{}; {why}", error.message);
    error
}

/// The refusal as calls see it that come later: without the path and the answer of this one.
pub(super) fn refused_for_others(error: &Error, host: &str, why: &str) -> Error {
    let code = error.errors.first().map_or(error.code(), |first| first.error_code.as_str());
    let message = format!("{host}: {code}, a moment ago, for another call; {why}");
    let mut told = Error::new(codes::AUTHENTICATION_FAILED, ErrorClass::Authentication, message);
    told.errors.clone_from(&error.errors);
    told
}
