//! The templates of deploy/templates: what each makes of a phone that has everything, and of
//! one that has nothing but a lease.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use gateway_common::PortRange;
use provision::{Account, Name, Pattern, Phone, Rule, Templates};

/// Names as docs/provisioning.md gives them, and their templates.
const RULES: [(&str, &str); 5] = [
    ("{mac}-gateway.cfg", "polycom.xml"),
    ("{mac}.cfg", "polycom-master.xml"),
    ("spa*.cfg", "cisco-spa.xml"),
    ("cfg{mac}.xml", "grandstream.xml"),
    ("{mac}.json", "simulated-phone.json"),
];

fn shipped() -> Templates {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/templates");
    let mut files = BTreeMap::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        files.insert(file, std::fs::read_to_string(path).unwrap());
    }
    assert_eq!(files.len(), RULES.len(), "every template has a rule here");
    let rules = RULES.map(|(name, file)| Rule {
        pattern: Pattern::new(name).unwrap(),
        class: None,
        file: file.into(),
    });
    Templates::new(rules.into(), files).unwrap()
}

fn bare() -> Phone {
    Phone {
        mac: [0x00, 0x04, 0xf2, 0xaa, 0xbb, 0x0c],
        address: Ipv4Addr::new(10, 10, 0, 21),
        public: None,
        ports: None,
        class: "desk".into(),
        host_name: None,
        primary_switch: None,
        backup_switch: None,
        server: Ipv4Addr::new(10, 10, 0, 1),
        accounts: Vec::new(),
        sip_port: None,
        variables: BTreeMap::new(),
    }
}

fn complete() -> Phone {
    let switch = |last| Some(SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, last), 5060));
    let variables = [("user", "201"), ("password", "a<b"), ("name", "R&D")];
    Phone {
        public: Some(Ipv4Addr::new(198, 51, 100, 1)),
        ports: PortRange::new(40000, 40063).ok(),
        host_name: Some("phone\n1".into()),
        primary_switch: switch(10),
        backup_switch: switch(11),
        variables: variables
            .map(|(name, value)| (name.into(), value.into()))
            .into(),
        ..bare()
    }
}

/// What a phone gets, up to the end of the last line.
fn made(asked: &str, phone: &Phone) -> String {
    let name = Name::new(asked).unwrap();
    let rendered = shipped().render(&name, Some(phone)).unwrap().unwrap();
    let mut text = String::from_utf8(rendered.bytes).unwrap();
    assert_eq!(text.pop(), Some('\n'));
    text
}

#[test]
fn polycom() {
    assert_eq!(
        made("0004f2aabb0c.cfg", &bare()),
        "<?xml version=\"1.0\" standalone=\"yes\"?>\n\
         <APPLICATION APP_FILE_PATH=\"sip.ld\" CONFIG_FILES=\"0004f2aabb0c-gateway.cfg\" \
         MISC_FILES=\"\" LOG_FILE_DIRECTORY=\"\" OVERRIDES_DIRECTORY=\"\" CONTACTS_DIRECTORY=\"\"/>"
    );
    assert_eq!(
        made("0004f2aabb0c-gateway.cfg", &complete()),
        "<?xml version=\"1.0\" standalone=\"yes\"?>\n\
         <phone1>\n  \
         <nat nat.ip=\"198.51.100.1\" nat.signalPort=\"40000\" nat.mediaPortStart=\"40002\"/>\n  \
         <tcpIpApp tcpIpApp.port.rtp.mediaPortRangeStart=\"40002\" \
         tcpIpApp.port.rtp.mediaPortRangeEnd=\"40063\"/>\n  \
         <voIpProt voIpProt.server.1.address=\"203.0.113.10\" voIpProt.server.1.port=\"5060\"/>\n  \
         <voIpProt voIpProt.server.2.address=\"203.0.113.11\" voIpProt.server.2.port=\"5060\"/>\n  \
         <reg reg.1.address=\"201\" reg.1.displayName=\"R&amp;D\" reg.1.auth.userId=\"201\" \
         reg.1.auth.password=\"a&lt;b\"/>\n\
         </phone1>"
    );
    assert_eq!(
        made("0004f2aabb0c-gateway.cfg", &bare()),
        "<?xml version=\"1.0\" standalone=\"yes\"?>\n<phone1>\n</phone1>"
    );
}

#[test]
fn cisco_spa() {
    assert_eq!(
        made("spa504G.cfg", &complete()),
        "<flat-profile>\n  \
         <EXT_IP>198.51.100.1</EXT_IP>\n  \
         <EXT_RTP_Port_Min>0</EXT_RTP_Port_Min>\n  \
         <Handle_VIA_rport>Yes</Handle_VIA_rport>\n  \
         <Substitute_VIA_Addr>Yes</Substitute_VIA_Addr>\n  \
         <STUN_Enable>No</STUN_Enable>\n  \
         <RTP_Port_Min>40002</RTP_Port_Min>\n  \
         <RTP_Port_Max>40063</RTP_Port_Max>\n  \
         <NAT_Mapping_Enable_1_>Yes</NAT_Mapping_Enable_1_>\n  \
         <SIP_Port_1_>40000</SIP_Port_1_>\n  \
         <EXT_SIP_Port_1_>0</EXT_SIP_Port_1_>\n  \
         <Proxy_1_>203.0.113.10:5060</Proxy_1_>\n  \
         <User_ID_1_>201</User_ID_1_>\n  \
         <Display_Name_1_>R&amp;D</Display_Name_1_>\n  \
         <Password_1_>a&lt;b</Password_1_>\n  \
         <Resync_On_Reset>Yes</Resync_On_Reset>\n\
         </flat-profile>"
    );
    assert_eq!(
        made("spa504G.cfg", &bare()),
        "<flat-profile>\n  <Resync_On_Reset>Yes</Resync_On_Reset>\n</flat-profile>"
    );
}

#[test]
fn grandstream() {
    assert_eq!(
        made("cfg0004f2aabb0c.xml", &complete()),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gs_provision version=\"1\">\n  \
         <mac>0004f2aabb0c</mac>\n  \
         <config version=\"1\">\n    \
         <P101>198.51.100.1</P101>\n    \
         <P39>40002</P39>\n    \
         <P78>0</P78>\n    \
         <P52>0</P52>\n    \
         <P271>1</P271>\n    \
         <P47>203.0.113.10:5060</P47>\n    \
         <P2312>203.0.113.11:5060</P2312>\n    \
         <P40>40000</P40>\n    \
         <P35>201</P35>\n    \
         <P36>201</P36>\n    \
         <P34>a&lt;b</P34>\n    \
         <P3>R&amp;D</P3>\n  \
         </config>\n\
         </gs_provision>"
    );
    let bare = made("cfg0004f2aabb0c.xml", &bare());
    assert!(
        bare.contains("<config version=\"1\">\n  </config>"),
        "{bare}"
    );
}

/// A phone with two accounts in the gateway's own switch.
fn with_accounts() -> Phone {
    let account = |number: &str, display: &str| Account {
        number: number.into(),
        user: number.into(),
        password: format!("of {number}"),
        display: display.into(),
    };
    Phone {
        accounts: vec![account("5001", "R&D"), account("5002", "Lab")],
        sip_port: Some(5070),
        variables: BTreeMap::new(),
        ..complete()
    }
}

#[test]
fn accounts_in_the_switch_here_are_in_every_phones_file() {
    let phone = with_accounts();
    for (asked, wanted) in [
        (
            "0004f2aabb0c-gateway.cfg",
            &[
                "voIpProt.server.1.address=\"203.0.113.10\" voIpProt.server.1.port=\"5070\"",
                "reg.1.address=\"5001\" reg.1.displayName=\"R&amp;D\"",
                "reg.2.auth.userId=\"5002\" reg.2.auth.password=\"of 5002\"",
            ][..],
        ),
        (
            "spa504G.cfg",
            &[
                "<SIP_Port_1_>40000</SIP_Port_1_>",
                "<SIP_Port_2_>40001</SIP_Port_2_>",
                "<Proxy_2_>203.0.113.10:5070</Proxy_2_>",
                "<User_ID_2_>5002</User_ID_2_>",
                "<Password_2_>of 5002</Password_2_>",
            ],
        ),
        (
            "cfg0004f2aabb0c.xml",
            &[
                "<P47>203.0.113.10:5070</P47>",
                "<P40>40000</P40>",
                "<P401>1</P401>",
                "<P402>203.0.113.10:5070</P402>",
                "<P413>40001</P413>",
                "<P406>of 5002</P406>",
            ],
        ),
    ] {
        let text = made(asked, &phone);
        for wanted in wanted {
            assert!(text.contains(wanted), "{asked}: no {wanted} in {text}");
        }
    }
    // Nobody else has them.
    let name = Name::new("0004f2aabb0c-gateway.cfg").unwrap();
    let other = Phone {
        mac: [0, 0x04, 0xf2, 1, 2, 3],
        ..bare()
    };
    assert!(shipped().render(&name, Some(&other)).is_err());
    assert!(!made("spa504G.cfg", &bare()).contains("Password"));
}

/// Accounts may be written into the phone by hand: it keeps to its range all the same.
#[test]
fn ports_and_switch_without_an_account() {
    let phone = Phone {
        variables: BTreeMap::new(),
        ..complete()
    };
    for (asked, wanted) in [
        (
            "spa504G.cfg",
            [
                "<Proxy_1_>203.0.113.10:5060</Proxy_1_>",
                "<SIP_Port_1_>40000</SIP_Port_1_>",
            ],
        ),
        (
            "cfg0004f2aabb0c.xml",
            ["<P47>203.0.113.10:5060</P47>", "<P40>40000</P40>"],
        ),
    ] {
        let text = made(asked, &phone);
        assert!(
            wanted.iter().all(|wanted| text.contains(wanted)),
            "{asked}: {text}"
        );
    }
}

#[test]
fn the_simulated_phone() {
    let read = |phone| -> serde_json::Value {
        serde_json::from_str(&made("0004f2aabb0c.json", &phone)).unwrap()
    };
    assert_eq!(
        read(complete()),
        serde_json::json!({
            "mac": "0004f2aabb0c",
            "address": "10.10.0.21",
            "public_address": "198.51.100.1",
            "first_port": 40000,
            "last_port": 40063,
            "signalling_port": 40000,
            "rtp_first": 40002,
            "rtp_last": 40063,
            "class": "desk",
            "host_name": "phone\n1",
            "switch": "203.0.113.10",
            "switch_port": 5060,
            "backup_switch": "203.0.113.11",
            "backup_switch_port": 5060,
            "server": "10.10.0.1",
            "sip_server": "203.0.113.10",
            "sip_port": 5060,
            "accounts": [{
                "number": "201",
                "user": "201",
                "password": "a<b",
                "display": "R&D",
                "port": 40000,
            }],
            "variables": {"user": "201", "password": "a<b", "name": "R&D"},
        })
    );
    let bare = read(bare());
    assert!(bare["public_address"].is_null() && bare["rtp_last"].is_null());
    assert_eq!(bare["server"], "10.10.0.1");
}
