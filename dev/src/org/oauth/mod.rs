//! Logins: every OAuth flow that a connector may use, and the endpoints beside them.
//!
//! | Path | What |
//! |---|---|
//! | `/services/oauth2/token` | all grants: `grants`, with `client` and `assertion` |
//! | `/services/oauth2/authorize` | the web server flow with PKCE: `authorize` |
//! | `/services/oauth2/userinfo`, `/id/<org>/<user>` | who a token belongs to: `identity` |
//! | `/services/oauth2/introspect`, `/services/oauth2/revoke` | `tokens` |
//!
//! What was handed out is kept in `sessions`; what the administrator allows stands in `policy`. Source: Salesforce
//! Help, "OAuth Authorization Flows" and "OAuth 2.0 Authorization Errors". A token reply carries no `expires_in`:
//! the session lives until it ends.

mod assertion;
mod authorize;
mod client;
mod der;
mod error;
mod grants;
mod identity;
mod policy;
mod public_key;
mod route;
mod server;
mod sessions;
mod setup;
mod tokens;

pub use policy::{Grant, LoginPolicy, UserAccess};
pub(crate) use route::route;
pub(crate) use server::OAuth;
pub(crate) use setup::Setup;
