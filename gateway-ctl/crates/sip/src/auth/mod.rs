//! Digest authentication (RFC 3261 section 22, 7616, 8760): MD5 and SHA-256 with qop auth.
//!
//! ```text
//!   REGISTER ------------------------------------------> Realm
//!            <-- 401 WWW-Authenticate: Digest realm, nonce, algorithm, qop="auth"
//!   REGISTER Authorization: Digest username, nonce, uri, nc, cnonce, response -->
//!            nonce = time | salt | keyed hash of both: nothing is stored for a challenge
//!            nc    = grows with each use: the largest seen is stored per nonce
//! ```
//! Passwords are not stored, but the hash of user, realm and password ([`Ha1`]), one for each
//! algorithm.
//!
//! | file | what it does |
//! |---|---|
//! | `hash.rs` | the algorithms; who may know what |
//! | `header.rs` | challenges and credentials, read and written |
//! | `realm.rs` | who asks: challenges, checks |
//! | `nonce.rs` | nonces, and which were used how often |
//! | `login.rs` | who is asked: answers a challenge |

mod hash;
mod header;
mod login;
mod nonce;
mod realm;

pub use hash::{Algorithm, Ha1};
pub use header::{Challenge, Credentials};
pub use login::Login;
pub use realm::{Denied, Realm, RealmSettings};
