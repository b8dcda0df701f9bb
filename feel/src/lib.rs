//! FEEL
mod ast;
mod clock;
mod error;
mod limits;
mod number;
mod parser;
mod temporal;
pub use error::*;
pub use limits::Limits;
pub use number::{Number, NumberError, RoundingMode};
