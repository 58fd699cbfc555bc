//! One router for all tables that leave it as they found it: the verifier reads the programs once
//! instead of a dozen times, which takes minutes under emulation.
//!
//! It goes with the last test that uses or awaits it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aya::maps::{HashMap, Map, MapData};
use gateway_common::abi::{EchoKey, FragmentKey, FragmentOwner, map};

use crate::bed::{Bed, Router};

const MAPS: &str = "/sys/fs/bpf/gateway/gen-1";

struct Shared {
    bed: Bed,
    router: Router,
}

static SHARED: Mutex<Weak<Mutex<Shared>>> = Mutex::new(Weak::new());

/// Runs `work` on the shared router, which has forgotten all traffic before.
pub(crate) fn with<T: Send>(work: impl FnOnce(&mut Bed) -> T + Send) -> T {
    let shared = standing();
    let Ok(mut shared) = shared.lock() else {
        // A row failed half-way: what it left behind is no other row's business.
        return Bed::with(work);
    };
    let Shared { bed, router } = &mut *shared;
    router.enter(|| {
        forget_traffic();
        work(bed)
    })
}

fn standing() -> Arc<Mutex<Shared>> {
    // Poisoned when a router could not be made: the next test tries again.
    let mut known = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(shared) = known.upgrade() {
        return shared;
    }
    let router = Router::new();
    let bed = router.enter(|| Bed::open(crate::bed::MANY_ICMP_ERRORS));
    let shared = Arc::new(Mutex::new(Shared { bed, router }));
    *known = Arc::downgrade(&shared);
    shared
}

/// Clears the two maps in which packets leave something for later ones.
fn forget_traffic() {
    clear::<{ size_of::<FragmentKey>() }, { size_of::<FragmentOwner>() }>(map::FRAGMENTS);
    clear::<{ size_of::<EchoKey>() }, { size_of::<u32>() }>(map::ECHO_IDS);
}

fn clear<const KEY: usize, const VALUE: usize>(name: &str) {
    let data = MapData::from_pin(Path::new(MAPS).join(name)).unwrap();
    let mut entries: HashMap<_, [u8; KEY], [u8; VALUE]> = Map::LruHashMap(data).try_into().unwrap();
    let keys: Result<Vec<_>, _> = entries.keys().collect();
    for key in keys.unwrap() {
        entries.remove(&key).unwrap();
    }
    assert_eq!(entries.keys().count(), 0);
}
