//! Files for phones, made from templates.
#![forbid(unsafe_code)]
