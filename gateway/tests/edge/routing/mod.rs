//! Routes in front of the application, through real sockets.

mod access;
mod actions;
mod caching;
mod changing;
mod forward_auth;
mod limited;
mod protecting;
mod streams;
mod support;
mod troubles;
