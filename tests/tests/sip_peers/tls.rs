//! openssl as a client that checks certificates, as phones should.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use gateway_tests::site::ROUTER_INSIDE;

use crate::bed::{Bed, TLS};

/// What a client hears that believes in the switch's root and connects to somebody of this name.
fn heard(bed: &Bed, name: &str) -> String {
    let line = format!(
        "s_client -quiet -connect {ROUTER_INSIDE}:5061 -servername {name} -verify_hostname {name} \
         -verify_return_error -CAfile {TLS}/ca.pem"
    );
    let mut command = bed.site.phone(1).ns.command("openssl");
    let piped = command.args(line.split_whitespace()).stdin(Stdio::piped());
    let mut child = piped
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let question = format!(
        "OPTIONS sip:{name} SIP/2.0\r\nVia: SIP/2.0/TLS 10.10.1.1:5061;branch=z9hG4bK1;rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:x@{name}>;tag=1\r\nTo: <sip:{name}>\r\nCall-ID: 1\r\n\
         CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    );
    // It may have hung up already.
    let _ = child.stdin.as_mut().unwrap().write_all(question.as_bytes());
    let mut heard = Vec::new();
    let mut output = child.stdout.take().unwrap();
    let mut buffer = [0; 4096];
    while !heard.ends_with(b"\r\n\r\n") {
        match output.read(&mut buffer).unwrap() {
            0 => break,
            length => heard.extend(&buffer[..length]),
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    String::from_utf8(heard).unwrap()
}

#[test]
fn the_certificate_is_good_for_its_name_and_no_other() {
    let bed = Bed::new();
    let answer = heard(&bed, "sip.example");
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    let answer = heard(&bed, "other.example");
    assert!(answer.is_empty(), "{answer}");
}
