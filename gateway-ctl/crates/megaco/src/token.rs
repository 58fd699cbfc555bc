//! The words of the text grammar, long and short (RFC 3525 annex B.2, H.248.1 version 3 annex B.2).
//!
//! A word is a token or a name by where it stands; so the parser asks where it expects a token,
//! and only there. Looking one up is one multiplication and, mostly, one comparison of numbers,
//! in a table that the compiler fills.

macro_rules! tokens {
    ($($token:ident $long:literal $short:literal,)*) => {
        /// A word with a meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Token { $($token,)* }

        const ALL: &[(Token, &str, &str)] = &[$((Token::$token, $long, $short),)*];
    };
}

tokens! {
    Add "Add" "A",
    AndSelect "ANSLgc" "ANSLgc",
    AuditCap "AuditCapability" "AC",
    Audit "Audit" "AT",
    AuditValue "AuditValue" "AV",
    Auth "Authentication" "AU",
    Both "Both" "B",
    Bothway "Bothway" "BW",
    Brief "Brief" "BR",
    Buffer "Buffer" "BF",
    ContextAttr "ContextAttr" "CT",
    ContextAudit "ContextAudit" "CA",
    ContextList "ContextList" "CLT",
    Ctx "Context" "C",
    Delay "Delay" "DL",
    DigitMap "DigitMap" "DM",
    Direction "SPADirection" "SPADI",
    Discard "Discard" "DS",
    Disconnected "Disconnected" "DC",
    Duration "Duration" "DR",
    Embed "Embed" "EM",
    EmergencyOff "EmergencyOff" "EGO",
    Emergency "Emergency" "EG",
    EmergencyValue "EmergencyValue" "EGV",
    Error "Error" "ER",
    EventBuffer "EventBuffer" "EB",
    Events "Events" "E",
    External "External" "EX",
    Failover "Failover" "FL",
    Forced "Forced" "FO",
    Graceful "Graceful" "GR",
    H221 "H221" "H221",
    H223 "H223" "H223",
    H226 "H226" "H226",
    HandOff "HandOff" "HO",
    Ieps "IEPSCall" "IEPS",
    ImmAckRequired "ImmAckRequired" "IA",
    InSvc "InService" "IV",
    Inactive "Inactive" "IN",
    Internal "Internal" "IT",
    InterruptByEvent "IntByEvent" "IBE",
    InterruptBySignals "IntBySigDescr" "IBS",
    IntsigDelay "Intersignal" "SPAIS",
    Isolate "Isolate" "IS",
    Iteration "Iteration" "IR",
    KeepActive "KeepActive" "KA",
    LocalControl "LocalControl" "O",
    Local "Local" "L",
    LockStep "LockStep" "SP",
    Loopback "Loopback" "LB",
    Media "Media" "M",
    Megaco "MEGACO" "!",
    MessageSegment "Segment" "SM",
    Method "Method" "MT",
    MgcId "MgcIdToTry" "MG",
    Mode "Mode" "MO",
    Modem "Modem" "MD",
    Modify "Modify" "MF",
    Move "Move" "MV",
    Mtp "MTP" "MTP",
    Mux "Mux" "MX",
    NeverNotify "NeverNotify" "NBNN",
    NotifyCompletion "NotifyCompletion" "NC",
    NotifyImmediate "ImmediateNotify" "NBIN",
    NotifyRegulated "RegulatedNotify" "NBRN",
    Notify "Notify" "N",
    Nx64k "Nx64Kservice" "N64",
    ObservedEvents "ObservedEvents" "OE",
    Off "OFF" "OFF",
    OnOff "OnOff" "OO",
    On "ON" "ON",
    OnewayBoth "OnewayBoth" "OWB",
    OnewayExternal "OnewayExternal" "OWE",
    Oneway "Oneway" "OW",
    OrSelect "ORLgc" "ORLgc",
    OtherReason "OtherReason" "OR",
    OutOfSvc "OutOfService" "OS",
    Packages "Packages" "PG",
    Pending "Pending" "PN",
    Priority "Priority" "PR",
    Profile "Profile" "PF",
    Reason "Reason" "RE",
    Recvonly "ReceiveOnly" "RC",
    Remote "Remote" "R",
    Reply "Reply" "P",
    RequestID "SPARequestID" "SPARQ",
    ReservedGroup "ReservedGroup" "RG",
    ReservedValue "ReservedValue" "RV",
    ResetEventsDescriptor "ResetEventsDescriptor" "RSE",
    Ack "TransactionResponseAck" "K",
    Restart "Restart" "RS",
    SegmentationComplete "END" "&",
    Sendonly "SendOnly" "SO",
    Sendrecv "SendReceive" "SR",
    ServiceChangeAddress "ServiceChangeAddress" "AD",
    Incomplete "ServiceChangeInc" "SIC",
    ServiceChange "ServiceChange" "SC",
    ServiceStates "ServiceStates" "SI",
    Services "Services" "SV",
    SignalList "SignalList" "SL",
    SignalType "SignalType" "SY",
    Signals "Signals" "SG",
    Stats "Statistics" "SA",
    Stream "Stream" "ST",
    Subtract "Subtract" "S",
    SynchIsdn "SynchISDN" "SN",
    TerminationState "TerminationState" "TS",
    Test "Test" "TE",
    TimeOut "TimeOut" "TO",
    Topology "Topology" "TP",
    Trans "Transaction" "T",
    V18 "V18" "V18",
    V22 "V22" "V22",
    V22bis "V22b" "V22b",
    V32 "V32" "V32",
    V32bis "V32b" "V32b",
    V34 "V34" "V34",
    V76 "V76" "V76",
    V90 "V90" "V90",
    V91 "V91" "V91",
    Version "Version" "V",
}

/// Longest token.
const LONGEST: usize = 24;
/// Words of so many letters are compared as one number.
const PACKED: usize = 8;
const SLOTS: usize = 512;
/// Packed words, and one more than the index in `ALL`; 0: nothing.
static SHORT: [(u64, u8); SLOTS] = fill();
/// One more than the index of a word too long to be packed, by the hash of its first letters.
static LONG: [u8; SLOTS] = fill_long();

/// The letters, small ones, as a number.
const fn pack(word: &[u8]) -> u64 {
    let (mut key, mut at) = (0, 0);
    while at < word.len() && at < PACKED {
        key = key << 8 | word[at].to_ascii_lowercase() as u64;
        at += 1;
    }
    key
}

const fn slot(key: u64, length: usize) -> usize {
    let mixed = (key ^ (length as u64) << 60).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 55) as usize
}

const fn entry(index: usize) -> u8 {
    assert!(index < 255);
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let entry = index as u8 + 1;
    entry
}

const fn fill() -> [(u64, u8); SLOTS] {
    let mut table = [(0, 0); SLOTS];
    let mut which = 0;
    while which < 2 * ALL.len() {
        let (_, long, short) = ALL[which / 2];
        let word = if which % 2 == 0 { long } else { short };
        if word.len() <= PACKED {
            let key = pack(word.as_bytes());
            let mut at = slot(key, 0);
            while table[at].1 != 0 {
                at = (at + 1) % SLOTS;
            }
            table[at] = (key, entry(which / 2));
        }
        which += 1;
    }
    table
}

const fn fill_long() -> [u8; SLOTS] {
    let (mut table, mut index) = ([0; SLOTS], 0);
    while index < ALL.len() {
        let (_, long, short) = ALL[index];
        assert!(long.len() <= LONGEST && short.len() <= PACKED);
        if long.len() > PACKED {
            let mut at = slot(pack(long.as_bytes()), long.len());
            while table[at] != 0 {
                at = (at + 1) % SLOTS;
            }
            table[at] = entry(index);
        }
        index += 1;
    }
    table
}

impl Token {
    /// What a word means, if anything.
    pub(crate) fn of(word: &[u8]) -> Option<Self> {
        if word.len() > PACKED {
            return Self::of_long(word);
        }
        let key = pack(word);
        let mut at = slot(key, 0);
        loop {
            let (known, entry) = *SHORT.get(at)?;
            let index = usize::from(entry).checked_sub(1)?;
            if known == key {
                return ALL.get(index).map(|entry| entry.0);
            }
            at = (at + 1) % SLOTS;
        }
    }

    fn of_long(word: &[u8]) -> Option<Self> {
        if word.len() > LONGEST {
            return None;
        }
        let mut at = slot(pack(word), word.len());
        loop {
            let index = usize::from(*LONG.get(at)?).checked_sub(1)?;
            let (token, long, _) = *ALL.get(index)?;
            if word.eq_ignore_ascii_case(long.as_bytes()) {
                return Some(token);
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// For reading.
    pub(crate) fn long(self) -> &'static str {
        ALL.get(self as usize).map_or("", |entry| entry.1)
    }

    /// For sending.
    pub(crate) fn short(self) -> &'static str {
        ALL.get(self as usize).map_or("", |entry| entry.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_in_any_case() {
        for &(token, long, short) in ALL {
            assert_eq!((token.long(), token.short()), (long, short));
            for word in [long, short] {
                assert_eq!(Token::of(word.as_bytes()), Some(token), "{word}");
                assert_eq!(Token::of(word.to_lowercase().as_bytes()), Some(token));
                assert_eq!(Token::of(word.to_uppercase().as_bytes()), Some(token));
            }
        }
    }

    #[test]
    fn other_words_are_none() {
        for word in [
            "",
            "Addd",
            "al/of",
            "ROOT",
            "ServiceChangeAddresses",
            "a-word-longer-than-any",
        ] {
            assert_eq!(Token::of(word.as_bytes()), None, "{word}");
        }
    }
}
