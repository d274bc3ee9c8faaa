//! Routes in front of the application, through real sockets.

mod actions;
mod caching;
mod changing;
mod protecting;
mod streams;
mod support;
mod troubles;
