//! `[sip]`, and the lines and trunks that speak it.
//!
//! `tls/` holds a root, a certificate of `sip.example` from it with its key, and another key: made
//! with openssl for these tests, good until 2126.

use sip::Transport;
use sip::auth::Algorithm;
use switch::settings::{Line, Owner, Way};

use super::{GOOD, checked, wrong_with};
use crate::config::Config;

const SIP: &str = r#"
[switch]
name = "switch.example"
[sip]
names = ["sip.example"]
[[line]]
number = "5001"
password = "correct horse"
phone = "00:15:65:12:34:56"
[[line]]
number = "5002"
password = "battery staple"
user = "reception"
phone = "00:15:65:12:34:56"
name = "Reception"
[[line]]
number = "5003"
password = "a long one"
[[trunk]]
name = "carrier"
sip = "203.0.113.9:5060"
[[trunk]]
name = "other"
sip = "sip:203.0.113.10;transport=tcp"
[[route]]
prefix = "0"
trunks = ["carrier", "other"]
"#;

fn read(text: &str) -> Config {
    checked(&format!("{GOOD}{text}")).unwrap()
}

/// A file of `tls/`.
fn file(name: &str) -> String {
    format!("{}/src/config/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn users_trunks_and_defaults() {
    let config = read(SIP);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let switch = config.switch.unwrap();
    let sip = switch.settings.sip.unwrap();
    assert_eq!((sip.realm.as_str(), sip.port), ("switch.example", 5060));
    assert_eq!((sip.shortest.as_secs(), sip.longest.as_secs()), (60, 3600));
    assert_eq!(
        (sip.names.as_slice(), sip.tls_port),
        (&["sip.example".to_owned()][..], None)
    );
    assert_eq!(sip.digest, [Algorithm::Md5]);
    let users: Vec<_> = sip.users.iter().collect();
    assert_eq!(users[2].0, "reception");
    assert_eq!(users[2].1.password, "battery staple");
    let lines = &switch.settings.lines;
    assert_eq!(lines[1].owner, Owner::User("reception".to_owned()));
    assert_eq!(lines[2].owner, Owner::User("5003".to_owned()));
    assert!(lines.iter().all(|line| line.termination == Line::OF_A_USER));
    let ways = switch.settings.trunks.iter().map(|trunk| match &trunk.way {
        Way::Sip(peer) => (peer.transport, peer.address.to_string()),
        way @ Way::Gateway(..) => panic!("{way:?}"),
    });
    let ways: Vec<_> = ways.collect();
    assert_eq!(ways[0], (Transport::Udp, "203.0.113.9:5060".to_owned()));
    assert_eq!(ways[1], (Transport::Tcp, "203.0.113.10:5060".to_owned()));
    // What goes into the file of the one phone that is named.
    let accounts = &switch.accounts[&[0, 0x15, 0x65, 0x12, 0x34, 0x56]];
    let shown = accounts
        .iter()
        .map(|account| (account.user.as_str(), account.display.as_str()));
    assert!(shown.eq([("5001", "5001"), ("reception", "Reception")]));
    assert_eq!(
        (accounts[1].number.as_str(), switch.accounts.len()),
        ("5002", 1)
    );
}

#[test]
fn passwords_are_asked_for_as_configured() {
    let switch = read("[switch]\n[sip]\ndigest = [\"sha-256\", \"MD5\"]\n").switch;
    let sip = switch.unwrap().settings.sip.unwrap();
    assert_eq!(sip.digest, [Algorithm::Sha256, Algorithm::Md5]);
    wrong_with(
        "[switch]\n[sip]\ndigest = [\"sha1\"]\n",
        &[
            "gw.toml:10: \"sha1\" is no algorithm of digest authentication; write \"MD5\" or \"SHA-256\"",
        ],
    );
}

#[test]
fn is_not_spoken_unless_asked_for() {
    let switch = read("[switch]\n").switch.unwrap();
    assert!(switch.settings.sip.is_none());
    wrong_with(
        "[sip]\n",
        &["gw.toml:8: [sip] without [switch]; add [switch]: all its keys have defaults"],
    );
    wrong_with(
        "[switch]\n[[line]]\nnumber = \"1\"\npassword = \"x\"\n[[trunk]]\nname = \"a\"\n\
         sip = \"203.0.113.9;transport=tls\"\n",
        &[
            "gw.toml:9: a [[line]] with `password` without [sip]; add [sip]: all its keys have \
             defaults",
            "gw.toml:12: a [[trunk]] with `sip` without [sip]; add [sip]: all its keys have \
             defaults",
        ],
    );
}

#[test]
fn what_is_wrong_with_lines() {
    wrong_with(
        "[switch]\n[sip]\n\
         [[line]]\nnumber = \"1\"\npassword = \"\"\nphone = \"lobby\"\ntermination = \"a\"\n\
         [[line]]\nnumber = \"2\"\nphone = \"lobby\"\nuser = \"two\"\n\
         [[line]]\nnumber = \"3#\"\npassword = \"x y\"\n\
         [[line]]\nnumber = \"4\"\npassword = \"x\"\nuser = \"a b\"\n\
         [[line]]\nnumber = \"5\"\npassword = \"x\"\n\
         [[line]]\nnumber = \"6\"\npassword = \"x\"\nuser = \"5\"\n\
         [[line]]\nnumber = \"6\"\npassword = \"x\\n\"\n",
        &[
            "gw.toml:12: this password is empty; write a long one of random letters",
            "gw.toml:13: \"lobby\" is no hardware address, as `phone` of a line with `password` \
             is; write that of the phone whose file has this account, or leave `phone` out",
            "gw.toml:14: `termination` in a [[line]] with `password`: SIP phones have none; remove \
             one of the two",
            "gw.toml:18: `user` in [[line]] without `password`; add password = \"...\" if a SIP \
             phone has this line, or remove it",
            "gw.toml:20: \"3#\" cannot be the user of a SIP phone; write a `user` of 1 to 64 \
             letters without accents, digits, and - _ . + * ~",
            "gw.toml:25: \"a b\" cannot be the user of a SIP phone; write a `user` of 1 to 64 \
             letters without accents, digits, and - _ . + * ~",
            "gw.toml:32: user \"5\" is another line's (line 27); give each line a `user` of its own",
            "gw.toml:34: number 6 is another line's (line 30); give each line a number of its own",
            "gw.toml:35: this password has control characters; write one that can be typed",
        ],
    );
}

#[test]
fn what_is_wrong_with_trunks_and_settings() {
    wrong_with(
        "[switch]\n[sip]\nport = 2944\ntls_port = 5061\nrealm = \"a\\\"b\"\nnames = [\"a:1\"]\n\
         shortest = \"2h\"\nlongest = \"1h\"\n\
         [[trunk]]\nname = \"a\"\n\
         [[trunk]]\nname = \"b\"\nsip = \"203.0.113.9\"\ngateway = \"[203.0.113.9]:2944\"\n\
         [[trunk]]\nname = \"c\"\nsip = \"carrier.example\"\n\
         [[trunk]]\nname = \"d\"\nsip = \"203.0.113.9:5061;transport=tls\"\ntermination = \"a\"\n\
         [[trunk]]\nname = \"e\"\nsip = \"203.0.113.9\"\ntls_name = \"e.example\"\n",
        &[
            "gw.toml:10: SIP and H.248 have the same port, 2944; write another `port` in [sip] or \
             [switch]",
            "gw.toml:11: `tls_port` in [sip] without `certificate`; add `certificate` and `key`, or \
             remove it",
            "gw.toml:12: \"a\\\"b\" is no realm; write 1 to 128 letters without accents, quotes and \
             backslashes",
            "gw.toml:13: \"a:1\" is no name of a host; write a domain name or an address, without \
             a port: \"sip.example\"",
            "gw.toml:15: `longest` in [sip] is shorter than `shortest`; write shortest no longer than \
             longest",
            "gw.toml:16: `gateway` or `sip` is missing in [[trunk]]; add gateway = \
             \"[203.0.113.9]:2944\", or sip = \"203.0.113.9:5060\"",
            "gw.toml:18: `gateway` and `sip` in one [[trunk]]; remove one of the two",
            "gw.toml:24: \"carrier.example\" names no SIP server; write its IPv4 address, with port \
             and transport if need be: \"203.0.113.9:5060;transport=tcp\" (udp, tcp, tls)",
            "gw.toml:27: a trunk over TLS, and nobody whose certificates are believed; add `ca` to \
             [sip]: a PEM file with the roots of its certificate",
            "gw.toml:28: `termination` in a [[trunk]] with `sip`: SIP servers have none; remove one \
             of the two",
            "gw.toml:32: `tls_name` in a [[trunk]] whose `sip` is not over TLS; add ;transport=tls \
             to `sip`, or remove it",
        ],
    );
    wrong_with(
        "[switch]\n[sip]\nshortest = \"1s\"\n",
        &["gw.toml:10: 1s is no time for a registration; write 10s to 24h"],
    );
}

#[test]
fn guessable_passwords_and_readable_files_are_warned_of() {
    let text = "[switch]\n[sip]\n[[line]]\nnumber = \"5001\"\npassword = \"5001\"\n";
    let config = read(text);
    assert_eq!(
        config.warnings[0].to_string(),
        "gw.toml:12: this password is guessed at once: it is the user or the number; write a long \
         one of random letters"
    );
    assert!(!format!("{config:?}").contains("password: \""));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gw.toml");
    std::fs::write(&path, format!("{GOOD}{SIP}")).unwrap();
    let warnings = |mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        crate::config::load(&path)
            .unwrap()
            .finish()
            .unwrap()
            .warnings
    };
    assert!(warnings(0o640).is_empty());
    let warned = warnings(0o644)[0].to_string();
    assert!(
        warned.contains("every user of this machine may read it; chmod 0640 "),
        "{warned}"
    );
}

#[test]
fn certificates() {
    let of = |certificate: &str, key: &str| {
        format!(
            "[switch]\n[sip]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            file(certificate),
            file(key)
        )
    };
    let trunk = format!(
        "ca = \"{}\"\n[[trunk]]\nname = \"a\"\nsip = \"203.0.113.9;transport=tls\"\n\
         tls_name = \"sip.example\"\n",
        file("ca.pem")
    );
    let switch = read(&format!("{}{trunk}", of("sip.pem", "sip.key")));
    let switch = switch.switch.unwrap();
    assert_eq!(switch.settings.sip.unwrap().tls_port, Some(5061));
    assert!(switch.tls.server.is_some() && switch.tls.client.is_some());
    let name = &switch.tls_trunks[&([203, 0, 113, 9], 5061).into()];
    assert_eq!(name.to_str(), "sip.example");

    wrong_with(
        &of("sip.pem", "other.key"),
        &[
            "gw.toml:11: `certificate` and `key` in [sip] do not serve: keys may not be consistent: \
             KeyMismatch; name a certificate (its chain behind it) and the key that belongs to it",
        ],
    );
    let fix = |what: &str| format!("name a PEM file with {what}, which the daemon can read");
    wrong_with(
        &of("sip.key", "none.key"),
        &[
            &format!(
                "gw.toml:10: cannot read `certificate` from {}: there is none in it; {}",
                file("sip.key"),
                fix("one certificate or more")
            ),
            &format!(
                "gw.toml:11: cannot read `key` from {}: No such file or directory (os error 2); {}",
                file("none.key"),
                fix("one private key")
            ),
        ],
    );
    wrong_with(
        &format!("[switch]\n[sip]\ncertificate = \"{}\"\n", file("sip.pem")),
        &["gw.toml:9: `key` is missing in [sip]; add key = \"/etc/gateway/sip.key\""],
    );
}
