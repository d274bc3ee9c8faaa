//! The edge's rows: names and their certificates, as the gateway's crates need them kept.
//!
//! Start at [`CertificateRows`], the certificate store of all replicas. Owns the tables `edge_*`; stands on `kernel` and
//! on the gateway's own crates, whose traits it implements.
//!
//! Deliberately absent: what is done with them. Ordering, renewing and serving certificates is `edge-certificates`',
//! which names a tenant may have is `tenancy`'s.

mod certificates;
mod store;
#[cfg(test)]
mod tests;

pub use certificates::CertificateRows;
