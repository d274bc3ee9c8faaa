//! How many connections are open: over all, and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{app::ListenerKind, limits::address_key, telemetry::OpenConnection};

/// The places for connections of the public, or of the operators.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    places: Arc<Semaphore>,
    per_address: Option<Arc<PerAddress>>,
}

/// A place taken; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    _of_address: Option<OfAddress>,
    _open: OpenConnection,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Everywhere,
    ForAddress,
}

impl Full {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Everywhere => "capacity",
            Self::ForAddress => "address",
        }
    }
}

impl Connections {
    /// `per_address` of 0 is no cap.
    pub(crate) fn new(most: usize, per_address: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(most));
        let per_address = (per_address > 0).then(|| Arc::new(PerAddress { most: per_address, open: Mutex::default() }));
        Self { most, places, per_address }
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// Takes a place; `capped` says whether the cap per address counts for this peer.
    pub(crate) fn admit(&self, kind: ListenerKind, peer: IpAddr, capped: bool) -> Result<Place, Full> {
        let permit = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Full::Everywhere)?;
        let of_address = match &self.per_address {
            Some(per_address) if capped => Some(PerAddress::admit(per_address, peer).ok_or(Full::ForAddress)?),
            _ => None,
        };
        Ok(Place { _permit: permit, _of_address: of_address, _open: OpenConnection::new(kind) })
    }
}

#[derive(Debug)]
struct PerAddress {
    most: usize,
    open: Mutex<HashMap<u64, usize>>,
}

#[derive(Debug)]
struct OfAddress {
    key: u64,
    all: Arc<PerAddress>,
}

impl PerAddress {
    fn admit(all: &Arc<Self>, peer: IpAddr) -> Option<OfAddress> {
        let key = address_key(peer);
        let mut open = all.open();
        let count = open.entry(key).or_default();
        if *count >= all.most {
            return None;
        }
        *count += 1;
        Some(OfAddress { key, all: Arc::clone(all) })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut open = self.all.open();
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_over_all_and_by_address_and_given_back() {
        let connections = Connections::new(3, 2);
        let admit = |last: u8| connections.admit(ListenerKind::Http, [192, 0, 2, last].into(), true);

        let one = admit(1).unwrap();
        let _two = admit(1).unwrap();
        assert_eq!(admit(1).unwrap_err(), Full::ForAddress);
        let _three = admit(2).unwrap();
        assert_eq!(admit(3).unwrap_err(), Full::Everywhere);

        drop(one);
        assert!(admit(1).is_ok());
    }
}
