//! Which address is whose: one tree for private and public addresses.
//!
//! ```text
//! 10.10.0.21:   node 0 (root)     node a           node b          leaf c
//!               [ 10 ] = child a  [ 10 ] = child b [ 0 ] = child c [ 21 ] = the phone
//! 192.168.0.0/16 inside:          [ 168 ] = inside (ends here, no more nodes)
//! ```
//!
//! Four levels of 256 entries, one byte of the address for each. A look-up is at
//! most four bounds checks and loads, the first three from a few hot lines; most
//! Internet addresses end at the root. Prefixes end at the level that holds them
//! (shorter ones fill several entries), so that a /8 costs nothing. A leaf holds no
//! words but records ([`crate::abi::AddressRecord`]): the line that says that an
//! address is a phone's also says what the phone's packets need.
//! Why not a hash: see ARCHITECTURE.md, "The look-ups".

/// What an address is to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Neither inside nor in the pool.
    Nobody,
    /// In an inside network, without a binding.
    Inside,
    /// A phone's private address, in leaves only; the index of its record, see [`record`].
    Binding(u32),
    /// The pool address with this index.
    Pool(u32),
    /// The pool address with this index, which the router has too: ports of no range
    /// are the kernel's.
    SharedPool(u32),
}

const KIND: u32 = 0b111 << 29;
const CHILD: u32 = 0b001 << 29;
const INSIDE: u32 = 0b010 << 29;
const BINDING: u32 = 0b011 << 29;
const POOL: u32 = 0b100 << 29;
const SHARED_POOL: u32 = 0b101 << 29;

/// Largest index an entry can hold.
pub const MAX_INDEX: u32 = !KIND;
/// Largest index of a leaf: those of its records fit in an entry.
pub const MAX_LEAF: u32 = MAX_INDEX >> 8;

/// Entry that leads on to node `index`.
#[must_use]
pub const fn child(index: u32) -> u32 {
    CHILD | (index & MAX_INDEX)
}

/// The node an entry leads to.
#[must_use]
pub const fn child_of(entry: u32) -> Option<u32> {
    if entry & KIND == CHILD {
        Some(entry & MAX_INDEX)
    } else {
        None
    }
}

impl Owner {
    /// The entry that stands for it in a node.
    #[must_use]
    pub const fn entry(self) -> u32 {
        match self {
            Self::Nobody => 0,
            Self::Inside => INSIDE,
            Self::Binding(record) => BINDING | (record & MAX_INDEX),
            Self::Pool(index) => POOL | (index & MAX_INDEX),
            Self::SharedPool(index) => SHARED_POOL | (index & MAX_INDEX),
        }
    }

    /// What an entry stands for; one that leads on is nobody's.
    #[must_use]
    pub const fn from_entry(entry: u32) -> Self {
        match entry & KIND {
            INSIDE => Self::Inside,
            BINDING => Self::Binding(entry & MAX_INDEX),
            POOL => Self::Pool(entry & MAX_INDEX),
            SHARED_POOL => Self::SharedPool(entry & MAX_INDEX),
            _ => Self::Nobody,
        }
    }
}

/// An entry as it was found: what the engine passes around instead of [`Owner`],
/// because the verifier wants every word of a value to have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(u32);

/// Index of an address' record among those of all leaves.
#[inline(always)]
#[must_use]
pub const fn record(leaf: u32, byte: u8) -> u32 {
    leaf << 8 | byte as u32
}

impl Entry {
    /// Neither inside nor in the pool.
    #[inline(always)]
    #[must_use]
    pub const fn is_nobodys(self) -> bool {
        !self.is_inside() && !self.is_pool()
    }

    /// In an inside network, with a binding or without.
    #[inline(always)]
    #[must_use]
    pub const fn is_inside(self) -> bool {
        matches!(self.0 & KIND, INSIDE | BINDING)
    }

    /// A pool address.
    #[inline(always)]
    #[must_use]
    pub const fn is_pool(self) -> bool {
        matches!(self.0 & KIND, POOL | SHARED_POOL)
    }

    /// A pool address that the router has too.
    #[inline(always)]
    #[must_use]
    pub const fn is_shared(self) -> bool {
        self.0 & KIND == SHARED_POOL
    }

    /// Index of the phone's record; 0: no phone's.
    #[inline(always)]
    #[must_use]
    pub const fn phone(self) -> u32 {
        if self.0 & KIND == BINDING {
            self.0 & MAX_INDEX
        } else {
            0
        }
    }

    /// Index of the pool address, where [`Self::is_pool`].
    #[inline(always)]
    #[must_use]
    pub const fn pool(self) -> u32 {
        self.0 & MAX_INDEX
    }

    /// The same, to be matched on.
    #[must_use]
    pub const fn owner(self) -> Owner {
        Owner::from_entry(self.0)
    }
}

/// Looks `address` (host byte order) up; `node(index, byte)` reads the upper levels,
/// `leaf(record)` the entry in an address' record.
#[inline(always)]
pub fn look_up(address: u32, node: impl Fn(u32, u8) -> u32, leaf: impl Fn(u32) -> u32) -> Entry {
    let [a, b, c, d] = address.to_be_bytes();
    let mut found = node(0, a);
    if found & KIND == CHILD {
        found = node(found & MAX_INDEX, b);
        if found & KIND == CHILD {
            found = node(found & MAX_INDEX, c);
            if found & KIND == CHILD {
                found = leaf(record(found & MAX_LEAF, d));
            }
        }
    }
    Entry(found)
}

#[cfg(test)]
mod tests;
