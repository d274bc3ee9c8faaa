//! Domains of the tenants' own: claimed, proved by a TXT record, checked again and again, released.
//!
//! A claim is [`claims`]; a check asks DNS and [`check`]s in its result; what a result means is [`judgement`]'s, without
//! database and network; [`rounds`] brings checks about by themselves.

pub(crate) mod certificates;
mod check;
mod claims;
pub(crate) mod config;
mod judgement;
pub(crate) mod lookup;
pub(crate) mod model;
mod name;
mod records;
mod rounds;
mod timeline;

pub(crate) use judgement::{NewStep, State};
pub(crate) use name::{covering, is_host, shown};
pub(crate) use records::records;
