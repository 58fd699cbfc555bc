//! Hash or tree and arrays? Both lead from the same random keys to a record of the phone,
//! and read it; `keys` makes the keys only.

use aya_ebpf::bindings::xdp_action;
use gateway_common::abi::{AddressRecord, block_index};
use gateway_common::address_tree;

use crate::abi::{self, Traffic};
use crate::generate::first_port;
use crate::{count, craft, maps};

/// What a packet of some phone is known by.
struct Keys {
    private: u32,
    public: u32,
    /// Number of the public address in the pool.
    pool: u32,
    port: u32,
}

#[inline(always)]
fn draw() -> Option<(Keys, &'static Traffic)> {
    let traffic = maps::LAB_TRAFFIC.get(0)?;
    let random = craft::random()?;
    let phone = craft::phone(traffic, random);
    let pool = phone / traffic.phones_per_address;
    let keys = Keys {
        private: traffic.first_private + phone,
        public: traffic.first_public + pool,
        pool,
        port: first_port(traffic, phone) + (random as u32 & (traffic.ports_per_phone - 1)),
    };
    Some((keys, traffic))
}

/// Makes keys, so that their cost can be taken off.
#[inline(always)]
pub fn keys() -> u32 {
    match draw() {
        Some((keys, _)) if keys.private ^ keys.public ^ keys.pool ^ keys.port == 0 => {
            xdp_action::XDP_PASS
        }
        _ => xdp_action::XDP_DROP,
    }
}

/// Counts what was not found.
#[inline(always)]
pub fn verdict(found: Option<bool>) -> u32 {
    if found != Some(true) {
        count::one(abi::MISSED);
    }
    xdp_action::XDP_DROP
}

#[inline(always)]
pub fn hash_out() -> Option<bool> {
    let (keys, _) = draw()?;
    // SAFETY: nobody writes to the map meanwhile.
    let record = unsafe { maps::LAB_BY_PRIVATE.get(keys.private) }?;
    Some(record[0] == u64::from(keys.private))
}

#[inline(always)]
pub fn hash_in() -> Option<bool> {
    let (keys, traffic) = draw()?;
    let range = keys.port / traffic.ports_per_phone;
    // SAFETY: as above.
    let record = unsafe { maps::LAB_BY_PUBLIC.get([keys.public, range]) }?;
    Some(record[0] == u64::from(keys.private))
}

#[inline(always)]
fn owner(address: u32) -> address_tree::Entry {
    address_tree::look_up(
        address,
        |node, byte| match maps::NODES.get(node) {
            Some(node) => node[byte as usize],
            None => 0,
        },
        |record| address_record(record).map_or(0, |record| record.entry),
    )
}

#[inline(always)]
fn address_record(record: u32) -> Option<&'static AddressRecord> {
    let leaf = maps::LEAVES.get_ptr(record >> 8)?;
    // SAFETY: a leaf has 256 records, and nobody writes to them meanwhile.
    Some(unsafe { &*leaf.cast::<AddressRecord>().add(record as usize & 0xff) })
}

#[inline(always)]
pub fn tree_out() -> Option<bool> {
    let (keys, traffic) = draw()?;
    let phone = address_record(owner(keys.private).phone())?;
    let port = keys.port as u16 & !(traffic.ports_per_phone as u16 - 1);
    Some(phone.first_port == port)
}

#[inline(always)]
pub fn tree_in() -> Option<bool> {
    let (keys, traffic) = draw()?;
    let pool = owner(keys.public);
    if !pool.is_pool() {
        return None;
    }
    let block = block_index(pool.pool(), keys.port as u16, traffic.block_shift);
    Some(maps::BLOCKS.get(block)?.private == keys.private)
}
