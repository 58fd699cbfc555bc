//! Who asks: makes challenges and checks credentials.

use std::time::Duration;

use super::hash::same;
use super::nonce::{self, Uses};
use super::{Algorithm, Challenge, Credentials, Ha1};
use crate::message::{Method, Name, Request, Response, Status};

/// How a realm asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmSettings {
    /// Whose passwords count; part of every [`Ha1`].
    pub name: String,
    /// What is asked for, the preferred one first (RFC 8760 section 2.4).
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce can be used.
    pub lifetime: Duration,
    /// Nonces whose use is remembered: at least one for each phone. When there are more, the
    /// oldest are stale earlier.
    pub remembered: usize,
    /// Whether clients that know no qop are let in, each time with a new nonce.
    pub allow_no_qop: bool,
}

impl RealmSettings {
    /// SHA-256 and MD5, nonces for five minutes, 200,000 of them, qop or not.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            lifetime: Duration::from_secs(300),
            remembered: 200_000,
            allow_no_qop: true,
        }
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Denied {
    /// No credentials for this realm: to be challenged.
    #[error("no credentials for this realm")]
    Missing,
    /// Credentials that can't be used: another algorithm or qop than asked for, another URI
    /// than the request's.
    #[error("credentials do not fit the challenge or the request")]
    Unfit,
    /// The nonce is none of ours.
    #[error("nonce is not of this realm")]
    Forged,
    /// The nonce is too old, or of before a restart; the proof is right: to be challenged with
    /// `stale`.
    #[error("nonce is too old")]
    Stale,
    /// The proof was used before: to be challenged with `stale`.
    #[error("nonce count was used before")]
    Replayed,
    /// Nobody has that name.
    #[error("user is unknown")]
    Unknown,
    /// The proof is wrong.
    #[error("password is wrong")]
    Wrong,
}

impl Denied {
    /// Every reason, in the order of their counters.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::Unfit,
        Self::Forged,
        Self::Stale,
        Self::Replayed,
        Self::Unknown,
        Self::Wrong,
    ];

    /// The word used in metrics and logs.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unfit => "unfit",
            Self::Forged => "forged",
            Self::Stale => "stale",
            Self::Replayed => "replayed",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }

    /// Whether the client may try again without asking for another password.
    #[must_use]
    pub const fn is_stale(self) -> bool {
        matches!(self, Self::Stale | Self::Replayed)
    }
}

/// A realm. Who asks: a registrar or user agent with 401, a proxy with 407.
#[derive(Debug)]
pub struct Realm {
    settings: RealmSettings,
    secret: [u8; 32],
    uses: Uses,
}

impl Realm {
    /// With a secret that nobody can guess. Another secret makes the nonces of before worthless:
    /// clients are asked once more then.
    #[must_use]
    pub const fn new(settings: RealmSettings, secret: [u8; 32]) -> Self {
        let uses = Uses::new(settings.remembered);
        Self {
            settings,
            secret,
            uses,
        }
    }

    /// Whose passwords count.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Asks for other algorithms from now on; who was asked for a former one is asked again.
    pub fn ask_for(&mut self, algorithms: &[Algorithm]) {
        algorithms.clone_into(&mut self.settings.algorithms);
    }

    /// Nonces whose use is remembered now.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.uses.len()
    }

    /// The answer that asks for credentials: 401, or 407 as a proxy. `salt` must be another
    /// one each time (a counter does), or two clients of one millisecond share a nonce.
    #[must_use]
    pub fn challenge(
        &self,
        now: Duration,
        request: &Request,
        denied: Denied,
        proxy: bool,
        salt: u64,
    ) -> Response {
        let (status, name) = if proxy {
            (Status::PROXY_UNAUTHORIZED, Name::ProxyAuthenticate)
        } else {
            (Status::UNAUTHORIZED, Name::WwwAuthenticate)
        };
        let mut response = Response::answer(request, status);
        let nonce = nonce::make(&self.secret, now, salt);
        for algorithm in &self.settings.algorithms {
            let challenge = Challenge {
                realm: self.settings.name.clone(),
                nonce: nonce.clone(),
                opaque: None,
                algorithm: Some(*algorithm),
                stale: denied.is_stale(),
                auth: true,
            };
            response.fields.push(name, challenge.encode());
        }
        response
    }

    /// Checks a request's credentials for this realm and names its user. `known` looks a user
    /// up. The caller still decides whether that user may do what is asked. ACK and CANCEL
    /// can't be challenged (section 22.1): don't ask for them.
    ///
    /// # Errors
    /// Why not; [`Realm::challenge`] says it to the client.
    pub fn check(
        &mut self,
        now: Duration,
        request: &Request,
        proxy: bool,
        known: impl FnOnce(&str, Algorithm) -> Option<Ha1>,
    ) -> Result<String, Denied> {
        let name = if proxy {
            Name::ProxyAuthorization
        } else {
            Name::Authorization
        };
        let credentials = request
            .fields
            .lines_of(name)
            .filter_map(Credentials::parse)
            .find(|credentials| credentials.realm == self.settings.name)
            .ok_or(Denied::Missing)?;
        let algorithm = self.fit(request, &credentials)?;
        let stamp = nonce::check(&self.secret, &credentials.nonce);
        let ha1 = known(&credentials.user, algorithm).ok_or(match stamp {
            Some(_) => Denied::Unknown,
            None => Denied::Forged,
        })?;
        let used = credentials.used.as_ref();
        let used_text = used.map(|(count, cnonce)| (count.as_str(), cnonce.as_str()));
        let method = request.method.as_str();
        let expected = ha1.response(&credentials.nonce, used_text, method, &credentials.uri);
        let given = credentials.response.to_ascii_lowercase();
        if ha1.algorithm() != algorithm || !same(expected.as_bytes(), given.as_bytes()) {
            return Err(match stamp {
                Some(_) => Denied::Wrong,
                None => Denied::Forged,
            });
        }
        // Whoever knows the password has it from a former life of ours.
        let stamp = stamp.ok_or(Denied::Stale)?;
        // Only now: who does not know the password can't use up a nonce.
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let oldest = millis(now.saturating_sub(self.settings.lifetime));
        if self.uses.is_old(stamp, oldest) || stamp.0 > millis(now) {
            return Err(Denied::Stale);
        }
        let count = match used {
            Some((count, _)) => u32::from_str_radix(count, 16).map_err(|_| Denied::Unfit)?,
            None => 1,
        };
        if !self.uses.take(stamp, count, oldest) {
            return Err(Denied::Replayed);
        }
        Ok(credentials.user)
    }

    /// Whether credentials are of the kind that was asked for, and for this request.
    fn fit(&self, request: &Request, credentials: &Credentials) -> Result<Algorithm, Denied> {
        let algorithm = credentials
            .algorithm
            .filter(|algorithm| self.settings.algorithms.contains(algorithm))
            .ok_or(Denied::Unfit)?;
        let qop = match &credentials.used {
            Some((count, cnonce)) => count.len() == 8 && !cnonce.is_empty(),
            None => self.settings.allow_no_qop && !credentials.other_qop,
        };
        // Proxies on the way may have changed the Request-URI (section 22.4), but not that of a
        // REGISTER, which names the registrar.
        let uri = request.method != Method::Register
            || credentials.uri == request.uri()
            || same_host(&credentials.uri, request.uri());
        if qop && uri {
            Ok(algorithm)
        } else {
            Err(Denied::Unfit)
        }
    }
}

fn same_host(a: &str, b: &str) -> bool {
    let host = |text| {
        let uri = crate::uri::Uri::parse(text)?.sip()?;
        Some(uri.host.to_ascii_lowercase())
    };
    host(a).is_some() && host(a) == host(b)
}

#[cfg(test)]
mod tests {
    use super::super::Login;
    use super::*;

    const SECRET: [u8; 32] = [9; 32];

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn register() -> Request {
        let mut request = Request::new(Method::Register, "sip:pbx.example.net");
        request
            .fields
            .push(Name::Via, "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1");
        request
            .fields
            .push(Name::From, "<sip:2001@pbx.example.net>;tag=1");
        request.fields.push(Name::To, "<sip:2001@pbx.example.net>");
        request.fields.push(Name::CallId, "x");
        request.fields.push(Name::CSeq, "1 REGISTER");
        request
    }

    fn known(user: &str, algorithm: Algorithm) -> Option<Ha1> {
        (user == "2001").then(|| Ha1::new(algorithm, user, "pbx", "secret"))
    }

    fn answered(realm: &Realm, now: Duration, login: &mut Login) -> Request {
        let mut request = register();
        let challenge = realm.challenge(now, &request, Denied::Missing, false, 3);
        assert!(login.answer(&challenge, &mut request));
        request
    }

    #[test]
    fn who_knows_the_password_is_let_in_once_for_each_count() {
        for algorithms in [
            vec![Algorithm::Md5],
            vec![Algorithm::Sha256, Algorithm::Md5],
        ] {
            let mut settings = RealmSettings::new("pbx");
            settings.algorithms = algorithms;
            let mut realm = Realm::new(settings, SECRET);
            let denied = realm.check(at(10), &register(), false, known);
            assert_eq!(denied, Err(Denied::Missing));
            let mut login = Login::new("2001", "secret", 5);
            let request = answered(&realm, at(10), &mut login);
            let user = realm.check(at(11), &request, false, known);
            assert_eq!(user.as_deref(), Ok("2001"));
            assert_eq!(
                realm.check(at(12), &request, false, known),
                Err(Denied::Replayed)
            );
            let mut next = register();
            login.use_again(&mut next);
            assert_eq!(
                realm.check(at(13), &next, false, known).as_deref(),
                Ok("2001")
            );
            let mut late = register();
            login.use_again(&mut late);
            assert_eq!(
                realm.check(at(311), &late, false, known),
                Err(Denied::Stale)
            );
        }
    }

    #[test]
    fn a_nonce_of_a_former_life_is_stale() {
        let former = Realm::new(RealmSettings::new("pbx"), [1; 32]);
        let mut realm = Realm::new(RealmSettings::new("pbx"), SECRET);
        for (password, denied) in [("secret", Denied::Stale), ("guess", Denied::Forged)] {
            let request = answered(&former, at(10), &mut Login::new("2001", password, 5));
            let checked = realm.check(at(11), &request, false, known);
            assert_eq!(checked, Err(denied), "{password}");
        }
    }

    #[test]
    fn the_others_are_not() {
        let mut realm = Realm::new(RealmSettings::new("pbx"), SECRET);
        for (user, password, denied) in [
            ("2001", "guess", Denied::Wrong),
            ("2002", "secret", Denied::Unknown),
        ] {
            let request = answered(&realm, at(10), &mut Login::new(user, password, 5));
            assert_eq!(realm.check(at(11), &request, false, known), Err(denied));
        }
        let good = answered(&realm, at(10), &mut Login::new("2001", "secret", 5));
        let text = good.fields.text(Name::Authorization).unwrap().to_owned();
        for (from, to, denied) in [
            ("nonce=\"0", "nonce=\"f", Denied::Forged),
            ("SHA-256", "MD5", Denied::Wrong),
            ("SHA-256", "SHA-512", Denied::Unfit),
            ("qop=auth", "qop=auth-int", Denied::Unfit),
            ("nc=00000001", "nc=1", Denied::Unfit),
            ("nc=00000001", "nc=00000002", Denied::Wrong),
            ("realm=\"pbx\"", "realm=\"other\"", Denied::Missing),
            (
                "sip:pbx.example.net",
                "sip:other.example.net",
                Denied::Unfit,
            ),
        ] {
            assert!(text.contains(from), "{text}");
            let mut request = good.clone();
            request
                .fields
                .set(Name::Authorization, text.replace(from, to));
            assert_eq!(
                realm.check(at(11), &request, false, known),
                Err(denied),
                "{to}"
            );
        }
        let mut invite = good.clone();
        invite.method = Method::Invite;
        assert_eq!(
            realm.check(at(11), &invite, false, known),
            Err(Denied::Wrong)
        );
        // None of these used it up; and a nonce of tomorrow is none.
        assert_eq!(realm.check(at(9), &good, false, known), Err(Denied::Stale));
        assert_eq!(
            realm.check(at(11), &good, false, known).as_deref(),
            Ok("2001")
        );
        assert_eq!(realm.remembered(), 1);
        assert!(Denied::ALL.iter().all(|denied| !denied.label().is_empty()));
    }
}
