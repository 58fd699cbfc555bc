//! Early fragments, once their first one has come: the same engine as in the
//! kernel, over the same maps, on a packet in memory.

use aya::maps::{HashMap, MapData};
use gateway_common::Reason;
use gateway_common::abi::{
    Direction, EchoKey, FRAGMENT_LIFETIME_NS, FragmentKey, FragmentOwner, Interface, block_index,
    interface_flags, map,
};
use gateway_common::nat::{self, Translation, TtlChange};
use gateway_common::parse;
use gateway_common::tables::{FragmentReceiver, Hop, Phone, Route, RouteQuery, Tables};
use gateway_common::view::SliceView;

use crate::desired::Role;
use crate::events::HeldFragment;
use crate::interfaces::Abi;
use crate::open::Dataplane;

/// What is to be done with a held fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Release {
    /// Its first one has not come yet.
    Wait,
    /// It is none of ours after all (or the router's own): forget it.
    NotOurs,
    /// Send this translated IPv4 packet.
    Send(Vec<u8>),
}

impl Dataplane {
    /// Whether the first fragment of a held one's datagram has come, and what the
    /// held one then becomes.
    #[must_use]
    pub fn release_fragment(&self, held: &HeldFragment) -> Release {
        let mut bytes = held.packet.clone();
        let mut view = SliceView(&mut bytes);
        let Ok(packet) = parse::ipv4(&view, 0) else {
            return Release::NotOurs;
        };
        let Some(arrival) = self.arrival(held.slot) else {
            return Release::NotOurs;
        };
        let tables = MapTables {
            dataplane: self,
            held_ns: held.time_ns,
        };
        let mut translation = Translation::of(&packet);
        match nat::decide(&view, &packet, &arrival, &tables, &mut translation) {
            Ok(()) if packet.ttl > 1 => {}
            Err(Reason::FragmentHeld | Reason::EarlyFragmentShared) => return Release::Wait,
            _ => return Release::NotOurs,
        }
        if nat::rewrite(&mut view, &packet, &translation, TtlChange::Decrement).is_err() {
            return Release::NotOurs;
        }
        if translation.from != 0 {
            tables.count(translation.from, Direction::Out, packet.total_length);
        }
        if translation.to != 0 {
            tables.count(translation.to, Direction::In, packet.total_length);
        }
        bytes.truncate(usize::from(packet.total_length));
        Release::Send(bytes)
    }

    fn arrival(&self, slot: u32) -> Option<Interface> {
        let slot = u16::try_from(slot).ok()?;
        let spec = self.slots.get(&slot)?;
        let inside = matches!(spec.role, Role::Inside { .. });
        Some(Interface {
            ifindex: spec.ifindex,
            slot,
            flags: if inside { interface_flags::INSIDE } else { 0 },
            ..Interface::default()
        })
    }
}

/// The engine's look-ups over the maps, from outside the kernel.
struct MapTables<'d> {
    dataplane: &'d Dataplane,
    held_ns: u64,
}

impl Tables for MapTables<'_> {
    fn node_entry(&self, node: u32, byte: u8) -> u32 {
        self.dataplane.maps.tree().node_entry(node, byte)
    }

    fn leaf_entry(&self, record: u32) -> u32 {
        self.dataplane.maps.tree().leaf_entry(record)
    }

    fn sender(&self, record: u32, private: u32) -> Option<Phone> {
        Phone::sending(self.dataplane.maps.tree().record(record)?, record, private)
    }

    fn block(&self, pool: u32, port: u16) -> u32 {
        block_index(pool, port, self.dataplane.limits.block_shift())
    }

    fn receiver(&self, block: u32, public: u32) -> Option<Phone> {
        Phone::receiving(self.dataplane.block(block)?, block, public)
    }

    fn fragment_owner(&self, key: FragmentKey) -> Option<FragmentReceiver> {
        let map = self.dataplane.ebpf.map(map::FRAGMENTS)?;
        let map: HashMap<&MapData, Abi<FragmentKey>, Abi<FragmentOwner>> =
            HashMap::try_from(map).ok()?;
        let Abi(owner) = map.get(&Abi(key), 0).ok()?;
        let apart = owner.seen_ns.abs_diff(self.held_ns);
        (apart < FRAGMENT_LIFETIME_NS).then_some(FragmentReceiver {
            block: owner.block,
            private: owner.private,
        })
    }

    fn remember_fragment(&self, _key: FragmentKey, _receiver: FragmentReceiver) {}

    fn echo_id(&self, _key: EchoKey) -> Option<u16> {
        None
    }

    fn remember_echo_id(&self, _key: EchoKey, _id: u16) {}

    fn route(&self, _query: &RouteQuery, _hop: &mut Hop) -> Route {
        Route::None
    }

    fn egress(&self, _ifindex: u32) -> Option<&Interface> {
        None
    }

    fn count(&self, record: u32, direction: Direction, bytes: u16) {
        let maps = &self.dataplane.maps;
        let records = match direction {
            Direction::Out => maps.tree().leaves,
            Direction::In => maps.blocks(),
        };
        // The engine has found the phone there.
        records.count(record, bytes);
    }
}
