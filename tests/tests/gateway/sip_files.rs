//! SIP phones that nobody has touched: each boots, leases its range, finds its account in its file and
//! registers; and nobody else finds it.

use gateway_tests::link::mac_text;
use gateway_tests::phone::Phones;
use gateway_tests::site::{Phone, Site};

use crate::bed::Bed;
use crate::config::Config;

const SERVED: &str = r#"
[dhcp]
probe = "100ms"
[[scope]]
interface = "inside0"
network = "10.10.0.0/16"
addresses = ["10.10.2.0-10.10.2.99"]
routers = ["10.10.0.1"]
tftp_server_name = "10.10.0.1"
[[class]]
name = "phone"
vendor_classes = ["MyPhone*"]
ports = 64
[provision]
root = "{files}"
templates = "{templates}"
[[template]]
name = "{mac}.json"
file = "simulated-phone.json"
[switch]
name = "switch.example"
[sip]
port = 5070
[[line]]
number = "5001"
user = "alice"
password = "secret of 5001"
phone = "{first}"
[[line]]
number = "5002"
password = "secret of 5002"
phone = "{second}"
"#;

fn mac(phone: &Phone) -> String {
    mac_text(phone.interface.mac)
}

#[test]
fn a_sip_phone_registers_with_what_its_file_says() {
    let site = Site::new().unwrap();
    let phones = &site.inside[0].phones;
    for phone in phones {
        phone.ns.ip("address flush dev eth0").unwrap();
    }
    let files = tempfile::tempdir().unwrap();
    let text = SERVED
        .replace("{files}", files.path().to_str().unwrap())
        .replace(
            "{templates}",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/templates"),
        )
        .replace("{first}", &mac(&phones[0]))
        .replace("{second}", &mac(&phones[1]));
    let config = Config::empty()
        .pool("addresses = [\"192.0.2.1\"]")
        .text(&text);
    let bed = Bed::on(site, &config);
    let mut phones = Phones::start();
    phones
        .tell(&format!(
            "default vendor_class=\"MyPhone 1.0\"
             phone a1 netns={} domain=switch.example number=5001
             phone a2 netns={} domain=switch.example number=5002
             a1,a2 expect registered within 30s
             a1 dial a2
             a2 expect ringing
             a2 answer
             a1,a2 expect talking private within 5s
             a1,a2 talk 500ms
             a1,a2 expect media lost<=1% source=remote
             a1 hangup
             a2 expect hungup
             a2 hangup
             a1,a2 expect idle",
            bed.phone(1).ns.name(),
            bed.phone(2).ns.name(),
        ))
        .unwrap();
    let registered = bed.json(&["phones"]);
    let registered = registered.as_array().unwrap();
    assert_eq!(registered.len(), 2, "{registered:?}");
    for (one, (user, number, phone)) in registered
        .iter()
        .zip([("5002", "5002", 2), ("alice", "5001", 1)])
    {
        assert_eq!(
            (&one["protocol"], &one["user"]),
            (&"sip".into(), &user.into())
        );
        assert_eq!(one["lines"][0]["number"], number);
        assert_eq!(one["mac"], mac(bed.phone(phone)));
        assert_eq!(one["public"], "192.0.2.1");
    }
    // Its own file is there for the first phone, that of the other one is not.
    let fetch = |phone: usize| {
        let file = mac(bed.phone(phone)).replace(':', "");
        let line = format!("curl -sS --max-time 5 tftp://10.10.0.1/{file}.json");
        let output = bed.phone(1).ns.command("sh").args(["-c", &line]).output();
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    };
    let (own, others) = (fetch(1), fetch(2));
    assert!(own.contains("secret of 5001"), "{own}");
    assert!(!own.contains("secret of 5002"), "{own}");
    assert_eq!(others, "");
    let log = bed.gateway.log();
    assert!(!log.contains("secret of"), "{log}");
    phones.finish().unwrap();
    bed.finish();
}
