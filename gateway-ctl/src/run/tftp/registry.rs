//! How many transfers there are, and whose.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::counters::Counters;

/// Transfers at once.
const MOST: usize = 512;
/// Transfers at once of one address: a phone reads a few files side by side, and one that
/// was restarted leaves transfers behind that wait for it.
const MOST_OF_ONE: usize = 16;

/// What runs.
#[derive(Debug)]
pub(super) struct Registry {
    running: Mutex<Running>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Running {
    /// By client and by number.
    transfers: BTreeMap<(SocketAddrV4, u64), Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    request: Box<[u8]>,
    heard: Arc<AtomicBool>,
}

/// A transfer's place in the registry, for as long as it lives.
#[derive(Debug)]
pub(super) struct Place {
    registry: Arc<Registry>,
    key: (SocketAddrV4, u64),
    heard: Arc<AtomicBool>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The same request is being answered: the client repeats what it has no answer to yet.
    Repeated,
    /// There are too many, of all or of this client.
    Full,
}

impl Registry {
    pub(super) fn new(counters: Arc<Counters>) -> Arc<Self> {
        Arc::new(Self {
            running: Mutex::default(),
            counters,
        })
    }

    /// Takes a place for a request.
    ///
    /// The same request from the same port is a repetition only as long as the client has
    /// not answered: after that it is a client that has been restarted.
    pub(super) fn enter(
        self: &Arc<Self>,
        client: SocketAddrV4,
        request: &[u8],
    ) -> Result<Place, NoPlace> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let one = SocketAddrV4::new(*client.ip(), 0)..=SocketAddrV4::new(*client.ip(), u16::MAX);
        let of_one = running
            .transfers
            .range((*one.start(), 0)..=(*one.end(), u64::MAX));
        let mut count = 0;
        for ((from, _), entry) in of_one {
            count += 1;
            let waits = !entry.heard.load(Ordering::Relaxed);
            if *from == client && waits && *entry.request == *request {
                return Err(NoPlace::Repeated);
            }
        }
        if count >= MOST_OF_ONE || running.transfers.len() >= MOST {
            return Err(NoPlace::Full);
        }
        running.next += 1;
        let (key, heard) = ((client, running.next), Arc::default());
        let entry = Entry {
            request: request.into(),
            heard: Arc::clone(&heard),
        };
        running.transfers.insert(key, entry);
        self.counters.set_running(running.transfers.len());
        Ok(Place {
            registry: Arc::clone(self),
            key,
            heard,
        })
    }
}

impl Place {
    /// The client has answered.
    pub(super) fn heard(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let registry = &self.registry;
        let mut running = registry
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        running.transfers.remove(&self.key);
        registry.counters.set_running(running.transfers.len());
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn client(host: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 0, host, 1), port)
    }

    #[test]
    fn a_repeated_request_is_answered_once() {
        let registry = Registry::new(Arc::default());
        let place = registry.enter(client(1, 5), b"a").unwrap();
        assert_eq!(
            registry.enter(client(1, 5), b"a").unwrap_err(),
            NoPlace::Repeated
        );
        let other = registry.enter(client(1, 5), b"b").unwrap();
        assert_eq!(registry.counters.running(), 2);
        place.heard();
        let again = registry.enter(client(1, 5), b"a").unwrap();
        drop((place, other, again));
        assert_eq!(registry.counters.running(), 0);
    }

    #[test]
    fn nobody_takes_all_places() {
        let registry = Registry::new(Arc::default());
        let mut places = Vec::new();
        for host in 0..=255 {
            for port in 1..=20 {
                places.extend(registry.enter(client(host, port), b"a"));
            }
        }
        assert_eq!(places.len(), MOST);
        assert_eq!(
            places
                .iter()
                .filter(|place| place.key.0.ip().octets()[2] == 0)
                .count(),
            16
        );
        places.truncate(MOST - 1);
        assert!(registry.enter(client(99, 1), b"a").is_ok());
    }
}
