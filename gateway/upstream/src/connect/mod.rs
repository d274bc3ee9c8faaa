//! Connections to targets.

mod connector;
mod io;
mod stream;

pub(crate) use connector::{Connector, Spoken};
pub(crate) use io::{Io, Strings};
