//! What must survive: keys and values, written in durable transactions, and watched.
#![forbid(unsafe_code)]
