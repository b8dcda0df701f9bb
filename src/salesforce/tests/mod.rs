//! The client over real sockets, against an org that does what the test says.

mod answers;
mod flows;
mod hosts;
mod http2;
mod losses;
mod orgs;
mod proxy;
mod secrecy;
mod server;
mod sessions;
mod sources;
mod statuses;
mod tls;
