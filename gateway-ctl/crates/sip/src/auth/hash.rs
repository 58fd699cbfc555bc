//! Hashes: MD5 for what phones speak, SHA-256 for those that can (RFC 8760).

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// A hash algorithm of digest authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// What every phone speaks.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// As a header field says it, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(text))
    }

    /// As a header field says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of parts with colons between them, in hexadecimal.
    pub(crate) fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// The hash of `user:realm:password`, in hexadecimal: what is stored instead of a password. It
/// lets who knows it authenticate in this realm, so it is as secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1 {
    algorithm: Algorithm,
    hash: String,
}

impl Ha1 {
    /// Of a password.
    #[must_use]
    pub fn new(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Self {
        let hash = algorithm.hash(&[user, realm, password]);
        Self { algorithm, hash }
    }

    /// Of what was stored: none if it does not have the algorithm's number of hexadecimal digits.
    #[must_use]
    pub fn from_hex(algorithm: Algorithm, hash: &str) -> Option<Self> {
        let digits = match algorithm {
            Algorithm::Md5 => 32,
            Algorithm::Sha256 => 64,
        };
        let sound = hash.len() == digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = hash.to_ascii_lowercase();
        sound.then_some(Self { algorithm, hash })
    }

    /// To be stored.
    #[must_use]
    pub fn as_hex(&self) -> &str {
        &self.hash
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What proves the knowledge of it (RFC 7616 section 3.4.1); without `used`, of a client
    /// that knows no qop, as RFC 2069 had it.
    pub(crate) fn response(
        &self,
        nonce: &str,
        used: Option<(&str, &str)>,
        method: &str,
        uri: &str,
    ) -> String {
        let asked = self.algorithm.hash(&[method, uri]);
        match used {
            Some((count, cnonce)) => {
                let parts = [&self.hash, nonce, count, cnonce, "auth", &asked];
                self.algorithm.hash(&parts)
            }
            None => self.algorithm.hash(&[&self.hash, nonce, &asked]),
        }
    }
}

/// Not shown: it is a secret.
impl std::fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ha1({}, ..)", self.algorithm.as_str())
    }
}

/// HMAC-SHA-256 (RFC 2104) for a key of at most 64 bytes.
pub(crate) fn keyed(key: &[u8; 32], data: &[u8]) -> [u8; 32] {
    let pad = |fill: u8| {
        let mut block = [fill; 64];
        for (byte, key) in block.iter_mut().zip(key) {
            *byte ^= key;
        }
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(data);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

/// Whether they are the same, in a time that does not say where they differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            let first = if digit < 10 { b'0' } else { b'a' - 10 };
            text.push(char::from(first + digit));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7616 section 3.9.1, and RFC 2617 section 3.5.
    #[test]
    fn the_examples_of_the_rfcs_come_out() {
        let realm = "http-auth@example.org";
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let used = Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"));
        for (algorithm, response) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (
                Algorithm::Sha256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let ha1 = Ha1::new(algorithm, "Mufasa", realm, "Circle of Life");
            assert_eq!(
                ha1.response(nonce, used, "GET", "/dir/index.html"),
                response
            );
            assert_eq!(Ha1::from_hex(algorithm, ha1.as_hex()), Some(ha1));
        }
        let ha1 = Ha1::new(
            Algorithm::Md5,
            "Mufasa",
            "testrealm@host.com",
            "Circle Of Life",
        );
        let used = Some(("00000001", "0a4f113b"));
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let response = ha1.response(nonce, used, "GET", "/dir/index.html");
        assert_eq!(response, "6629fae49393a05397450978507c4ef1");
        let old = ha1.response(nonce, None, "GET", "/dir/index.html");
        assert_eq!(old, "670fd8c2df070c60b045671b8b24ff02");
        assert_eq!(Ha1::from_hex(Algorithm::Md5, "xyz"), None);
    }

    /// RFC 4231 section 4.3 with its key filled up by zeros, which changes nothing.
    #[test]
    fn the_keyed_hash_is_hmac() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            hex(&keyed(&key, b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(same(b"ab", b"ab") && !same(b"ab", b"ac") && !same(b"a", b"ab"));
    }
}
