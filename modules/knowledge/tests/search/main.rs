//! The module on its floor, on both engines.

#[cfg(test)]
mod access;
#[cfg(test)]
mod house;
#[cfg(test)]
mod ingest;
#[cfg(test)]
mod ladder;
#[cfg(test)]
mod meaning;
#[cfg(test)]
mod remote;
#[cfg(test)]
mod service;
#[cfg(test)]
mod traces;
