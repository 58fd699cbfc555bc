//! Certificates, keys and roots: read and checked with the configuration, so that a reload takes
//! new ones or says what is wrong with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};

use super::super::section::{At, Section};
use super::super::settings::absolute;

/// SIP over TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    /// As phones find it; `None`: it is not spoken.
    pub(crate) server: Option<Arc<ServerConfig>>,
    /// As trunks find it; `None`: none is called.
    pub(crate) client: Option<Arc<ClientConfig>>,
    /// Roots are named, whether they can be read or not.
    pub(super) has_roots: bool,
}

impl Tls {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            server: server(section),
            client: client(section),
            has_roots: section.has("ca"),
        }
    }
}

fn server(section: &Section<'_>) -> Option<Arc<ServerConfig>> {
    let path = |key: &str, other: &str, example: &str| {
        if section.has(other) {
            section.require(key, example);
        }
        named(section, key, example)
    };
    let certificate = path("certificate", "key", "\"/etc/gateway/sip.pem\"");
    let key = path("key", "certificate", "\"/etc/gateway/sip.key\"");
    let certificates = certificate.as_ref();
    let certificates = certificates.and_then(|at| certificates_of(section, "certificate", at));
    let private = key.as_ref().and_then(|at| {
        let read = PrivateKeyDer::from_pem_file(&at.value);
        read.map_err(|error| unreadable(section, "key", at, &error, "one private key"))
            .ok()
    });
    let at = key?.at;
    let made = builder(ServerConfig::builder_with_provider)?
        .with_no_client_auth()
        .with_single_cert(certificates?, private?);
    match made {
        Ok(config) => Some(Arc::new(config)),
        Err(error) => {
            let message = format!("`certificate` and `key` in [sip] do not serve: {error}");
            let fix = "name a certificate (its chain behind it) and the key that belongs to it";
            section.problem(at, message, fix);
            None
        }
    }
}

fn client(section: &Section<'_>) -> Option<Arc<ClientConfig>> {
    let at = named(section, "ca", "\"/etc/gateway/roots.pem\"")?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(section, "ca", &at)? {
        if let Err(error) = roots.add(certificate) {
            let message = format!("a root in {} does not serve: {error}", at.value.display());
            section.problem(at.at, message, "remove it from the file");
            return None;
        }
    }
    let config = builder(ClientConfig::builder_with_provider)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(Arc::new(config))
}

/// TLS 1.2 and 1.3 with ring.
fn builder<Side: rustls::ConfigSide>(
    of: fn(Arc<rustls::crypto::CryptoProvider>) -> ConfigBuilder<Side, rustls::WantsVersions>,
) -> Option<ConfigBuilder<Side, rustls::WantsVerifier>> {
    let builder = of(Arc::new(ring::default_provider()));
    // It does speak both.
    builder.with_safe_default_protocol_versions().ok()
}

/// A file, and the line that names it.
fn named(section: &Section<'_>, key: &str, example: &str) -> Option<At<PathBuf>> {
    let text = section.string(key, example);
    let at = text?.at;
    let value = absolute(section, key, text)?;
    Some(At { value, at })
}

fn certificates_of(
    section: &Section<'_>,
    key: &str,
    at: &At<PathBuf>,
) -> Option<Vec<CertificateDer<'static>>> {
    let read = |path: &Path| -> Result<Vec<_>, pem::Error> {
        CertificateDer::pem_file_iter(path)?.collect()
    };
    let found = match read(&at.value) {
        Ok(found) if !found.is_empty() => return Some(found),
        Ok(_) => pem::Error::NoItemsFound,
        Err(error) => error,
    };
    unreadable(section, key, at, &found, "one certificate or more");
    None
}

fn unreadable(
    section: &Section<'_>,
    key: &str,
    at: &At<PathBuf>,
    error: &pem::Error,
    expected: &str,
) {
    let error = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "there is none in it".to_owned(),
        other => other.to_string(),
    };
    let message = format!("cannot read `{key}` from {}: {error}", at.value.display());
    let fix = format!("name a PEM file with {expected}, which the daemon can read");
    section.problem(at.at, message, fix);
}
