//! Who is asked: answers challenges.

use super::{Challenge, Credentials, Ha1};
use crate::message::{Name, Request, Response};

/// A user with a password, and the challenge that was answered last.
#[derive(Clone, Debug)]
pub struct Login {
    user: String,
    password: Secret,
    /// Makes the client's nonces differ.
    seed: u64,
    last: Option<(Challenge, Name)>,
    count: u32,
}

/// A password that no log shows.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}

impl Login {
    /// With a seed that differs from phone to phone.
    #[must_use]
    pub fn new(user: &str, password: &str, seed: u64) -> Self {
        Self {
            user: user.to_owned(),
            password: Secret(password.to_owned()),
            seed,
            last: None,
            count: 0,
        }
    }

    /// Adds credentials for the challenge of a 401 or 407 to the next attempt. False when there
    /// is none that can be answered, or when the last answer was refused: the password is
    /// wrong then, and asking again would lock an account.
    #[must_use]
    pub fn answer(&mut self, response: &Response, request: &mut Request) -> bool {
        let kinds = [
            (Name::WwwAuthenticate, Name::Authorization),
            (Name::ProxyAuthenticate, Name::ProxyAuthorization),
        ];
        // The first that can be answered is the one the server likes best (RFC 8760).
        let found = kinds.into_iter().find_map(|(asked, answered)| {
            response
                .fields
                .lines_of(asked)
                .filter_map(Challenge::parse)
                .find(|challenge| challenge.algorithm.is_some())
                .map(|challenge| (challenge, answered))
        });
        let Some((challenge, name)) = found else {
            return false;
        };
        let tried = request.fields.value(name).is_some();
        if tried && !challenge.stale {
            return false;
        }
        self.last = Some((challenge, name));
        self.count = 0;
        self.use_again(request);
        true
    }

    /// Adds credentials for the challenge that was answered last, if there was one: saves
    /// being asked again.
    pub fn use_again(&mut self, request: &mut Request) {
        let Some((challenge, name)) = &self.last else {
            return;
        };
        let Some(algorithm) = challenge.algorithm else {
            return;
        };
        self.count += 1;
        let count = format!("{:08x}", self.count);
        let cnonce = format!("{:016x}", self.seed.wrapping_add(self.count.into()));
        let used = challenge.auth.then_some((count, cnonce));
        let ha1 = Ha1::new(algorithm, &self.user, &challenge.realm, &self.password.0);
        let used_text = used.as_ref().map(|(count, cnonce)| (&**count, &**cnonce));
        let method = request.method.as_str();
        let response = ha1.response(&challenge.nonce, used_text, method, request.uri());
        let credentials = Credentials {
            user: self.user.clone(),
            realm: challenge.realm.clone(),
            nonce: challenge.nonce.clone(),
            uri: request.uri().to_owned(),
            response,
            algorithm: Some(algorithm),
            used,
            other_qop: false,
            opaque: challenge.opaque.clone(),
        };
        request.fields.set(*name, credentials.encode());
    }
}
