//! The client over real sockets, against an org that does what the test says.

mod answers;
mod flows;
mod losses;
mod secrecy;
mod server;
mod sessions;
