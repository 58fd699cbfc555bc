//! What holds for any message, and for any octets.

mod descriptors;
mod messages;
mod words;

use megaco::{Limits, Message, PartsBody, Style, encode, parse, parse_parts};
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in messages::message()) {
        for style in [Style::Compact, Style::Pretty] {
            let bytes = encode(&message, style);
            let text = String::from_utf8_lossy(&bytes);
            match parse(&bytes) {
                Ok(again) => prop_assert_eq!(&again, &message, "in {}", text),
                Err(error) => prop_assert!(false, "{error} in {text}"),
            }
        }
    }

    /// What is read, changed in a few places, is read or refused, and never otherwise.
    #[test]
    fn broken_messages_are_refused_with_a_place(
        message in messages::message(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&message, Style::Compact);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Err(error) = parse(&bytes) {
            prop_assert!(error.position <= bytes.len());
            prop_assert!((400..600).contains(&error.code.0));
        }
    }

    /// A broken transaction does not spoil the next one.
    #[test]
    fn the_next_transaction_is_found(message in messages::message(), word in "[a-z]{1,8}") {
        let bytes = encode(&Message { auth: None, ..message }, Style::Compact);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, _)) = text.split_once('\n') else { return Ok(()) };
        let broken = format!("{head}\nT=1{{C=1{{{word}={{\"}}\"}}}}}}T=2{{C=-{{MF=a}}}}");
        let parts = parse_parts(broken.as_bytes(), &Limits::default());
        let parts = parts.map_err(|error| TestCaseError::fail(format!("{error} in {broken}")))?;
        let PartsBody::Transactions(all) = parts.body else { return Ok(()) };
        prop_assert_eq!(all.len(), 2, "{}", broken);
        prop_assert!(all[0].transaction.is_err());
        prop_assert!(all[1].transaction.is_ok());
    }
}
