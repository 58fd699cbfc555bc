//! Numbers of blocks at their ends.

use super::*;

#[test]
fn blocks_are_numbered_address_by_address() {
    for shift in 3..=15 {
        let each = blocks_per_address(shift);
        assert_eq!(each << shift, 0x1_0000);
        for pool in [0, 1, 4095, 65535] {
            let first = block_index(pool, 0, shift);
            assert_eq!(first, pool * each, "{pool}, {shift}");
            assert_eq!(block_index(pool, (1 << shift) - 1, shift), first);
            assert_eq!(block_index(pool, 1 << shift, shift), first + 1);
            assert_eq!(block_index(pool, u16::MAX, shift), first + each - 1);
        }
    }
}

#[test]
fn block_0_is_no_phones() {
    use crate::port_range::{FIRST_PORT, PortRange};
    // However large blocks are, a range of one starts above the first.
    for shift in 3..=15u32 {
        let ports = 1u16 << shift;
        let first = ports.max(FIRST_PORT);
        let range = PortRange::new(first, first + (ports - 1)).expect("a valid range");
        assert_ne!(block_index(0, range.first(), shift), 0);
    }
}

#[test]
fn records_are_their_words() {
    let record = AddressRecord {
        entry: 1,
        inside: 2,
        reserved: 0,
        public: 3,
        first_port: 4,
        last_port: 5,
        packets: 0,
        bytes: 0,
    };
    assert_eq!(AddressRecord::from_words(record.words()), record);
    let block = BlockRecord {
        private: 1,
        inside: 2,
        reserved: 0,
        first_port: 3,
        last_port: 4,
        public: 5,
        packets: 6,
        bytes: 7,
    };
    let words_only = BlockRecord {
        packets: 0,
        bytes: 0,
        ..block
    };
    assert_eq!(BlockRecord::from_words(block.words()), words_only);
}
