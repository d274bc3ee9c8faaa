//! Routes in front of the application, through real sockets.

mod access;
mod actions;
mod caching;
mod changing;
mod forward_auth;
mod journal;
mod limited;
mod protecting;
mod streams;
pub(crate) mod support;
mod troubles;
