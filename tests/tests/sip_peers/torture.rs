//! The messages of RFC 4475, garbage and half messages, sent to the daemon.
