//! Black-box tests through the front door, on both engines, and the rules of the house.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod certificates;
#[cfg(test)]
mod chat;
#[cfg(test)]
mod contracts;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod domains;
#[cfg(test)]
mod edge_access;
#[cfg(test)]
mod edge_cache;
#[cfg(test)]
mod edge_routes;
#[cfg(test)]
mod edge_shared_limits;
#[cfg(test)]
mod faces;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod http3;
#[cfg(test)]
mod knowledge;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod sockets;
#[cfg(test)]
mod traffic;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod vault;
