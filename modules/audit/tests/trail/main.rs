//! The audit trail on real databases of both engines.
#[cfg(test)]
mod background;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod sequencing;
#[cfg(test)]
mod tampering;
