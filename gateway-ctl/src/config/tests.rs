//! Every bad configuration with the whole list of what is wrong with it.

mod provision;
mod sip;
mod switch;

use std::path::Path;

use super::load::parse;
use super::{Config, load};

mod dhcp;

/// What a configuration needs to be good.
const GOOD: &str = r#"[[inside]]
interface = "eth1"
networks = ["10.10.0.0/16"]
[[outside]]
interface = "eth0"
[[pool]]
addresses = ["198.51.100.1"]
"#;

fn checked(text: &str) -> Result<Config, Vec<String>> {
    let loaded = parse(Path::new("gw.toml"), text);
    loaded
        .finish()
        .map_err(|problems| problems.list.iter().map(ToString::to_string).collect())
}

/// Problems of what is added to a good configuration, whose last line is the seventh.
#[track_caller]
fn wrong_with(added: &str, expected: &[&str]) {
    let found = checked(&format!("{GOOD}{added}")).map(|_| ()).unwrap_err();
    assert_eq!(found, expected, "{added}");
}

/// Problems of a text.
#[track_caller]
fn wrong(text: &str, expected: &[&str]) {
    let found = checked(text).map(|_| ()).unwrap_err();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn what_is_good_is_taken_with_its_defaults() {
    let config = checked(GOOD).unwrap();
    assert_eq!(config.pool.len(), 1);
    assert_eq!(config.ledger.len(), 0);
    let settings = &config.settings;
    assert_eq!(settings.limits.bindings, 65_536);
    assert_eq!(settings.socket, Path::new("/run/gateway/ctl.sock"));
    assert_eq!(settings.metrics_listen, Some(([127, 0, 0, 1], 9630).into()));
    let off = checked(&format!("{GOOD}[metrics]\nlisten = \"off\"\n")).unwrap();
    assert_eq!(off.settings.metrics_listen, None);
}

#[test]
fn an_empty_file_says_what_is_needed() {
    wrong(
        "",
        &[
            "gw.toml: no inside interface; add [[inside]] with interface and networks: that is \
             where the phones are",
            "gw.toml: no outside interface; add [[outside]] with interface: that is where the \
             world is",
        ],
    );
}

#[test]
fn keys_and_types() {
    wrong_with(
        "[metrcs]\n[dataplane]\nxdp = \"natve\"\nicmp_error_rate = \"many\"\npin_dir = \"/x\"\n\
         [limits]\nbindings = 0\npool_addresses = 70000\n[metrics]\nper_binding = 1\nlisten = \"x\"\n\
         [api]\nsocket = \"ctl.sock\"\n",
        &[
            "gw.toml:8: unknown section `metrcs`; did you mean `metrics`?",
            "gw.toml:10: `xdp` in [dataplane] is \"natve\"; write one of: auto, native, generic",
            "gw.toml:11: `icmp_error_rate` in [dataplane] is a string, expected a number from 0 to \
             1000000; write icmp_error_rate = 0",
            "gw.toml:12: unknown key `pin_dir` in [dataplane]; known keys: pin_directory, xdp, \
             icmp_error_rate",
            "gw.toml:14: `bindings` in [limits] is 0, expected a number from 1 to 16000000; the \
             nearest is 1",
            "gw.toml:15: `pool_addresses` in [limits] is 70000, expected a number from 1 to 65536; \
             the nearest is 65536",
            "gw.toml:17: `per_binding` in [metrics] is a number, expected true or false; write \
             per_binding = true",
            "gw.toml:18: `listen` in [metrics] is \"x\", no address with a port; write \
             \"127.0.0.1:9630\", or \"off\"",
            "gw.toml:20: `socket` is \"ctl.sock\", a relative path; write it from / on: the daemon \
             has no directory of its own",
        ],
    );
}

#[test]
fn shapes() {
    wrong(
        "[inside]\ninterface = \"eth1\"\n[[outside]]\ninterface = \"eth0\"\n[[api]]\n",
        &[
            "gw.toml:1: `inside` is a table, expected an array of tables; write [[inside]], in two \
             pairs of brackets",
            "gw.toml:5: `api` is an array, expected a table; write [api] once",
        ],
    );
}

#[test]
fn syntax_errors_do_not_hide_others() {
    let text = format!("{GOOD}[[binding]]\nprivate = 10.10.0.1\n[limit]\n");
    let found = checked(&text).map(|_| ()).unwrap_err();
    assert!(
        found.iter().any(|line| line.starts_with("gw.toml:9: ")),
        "{found:#?}"
    );
    assert!(
        found
            .iter()
            .any(|line| line.contains("unknown section `limit`")),
        "{found:#?}"
    );
    assert!(
        !found.iter().any(|line| line.contains("is missing")),
        "{found:#?}"
    );
}

#[test]
fn interfaces_and_networks() {
    wrong(
        "[[inside]]\ninterface = \"eth1\"\nnetworks = [\"10.10.0.1/16\", \"10.20.0.0/16\", \"10.20.1.0/24\"]\n\
         [[inside]]\ninterface = \"eth2\"\nnetworks = [\"10.20.0.0/15\"]\nunbound_hosts = \"pass\"\n\
         [[inside]]\ninterface = \"eth1\"\nnetworks = []\n\
         [[inside]]\ninterace = \"eth3\"\n\
         [[outside]]\ninterface = \"eth1\"\n[[outside]]\ninterface = \"an interface\"\n",
        &[
            "gw.toml:3: \"10.10.0.1/16\" has bits beyond its length; write 10.10.0.0/16",
            "gw.toml:3: network 10.20.1.0/24 overlaps 10.20.0.0/16 of eth1 (line 3); keep the \
             larger of the two, 10.20.0.0/16",
            "gw.toml:6: network 10.20.0.0/15 overlaps 10.20.0.0/16 of eth1 (line 3); an address is \
             behind one interface: make one of them smaller",
            "gw.toml:7: `unbound_hosts` in [[inside]] is \"pass\"; write one of: drop, kernel",
            "gw.toml:9: interface eth1 is named on line 2 already; name it once, with all its networks",
            "gw.toml:10: `networks` in [[inside]] is empty; write networks = [\"10.10.0.0/16\"]",
            "gw.toml:11: `interface` is missing in [[inside]]; add interface = \"eth1\"",
            "gw.toml:11: `networks` is missing in [[inside]]; add networks = [\"10.10.0.0/16\"]",
            "gw.toml:12: unknown key `interace` in [[inside]]; did you mean `interface`?",
            "gw.toml:14: interface eth1 is named on line 2 already; an interface is on one side; \
             use a VLAN of its own for the phones",
            "gw.toml:16: \"an interface\" is no name of an interface; names have 1 to 15 \
             characters, without blanks and /",
        ],
    );
}

#[test]
fn pool() {
    wrong_with(
        "[[pool]]\naddresses = [\"198.51.100.1\", \"203.0.113.0/28\", \"203.0.113.8-203.0.113.20\"]\n\
         [[pool]]\naddresses = [\"10.10.3.0/30\", \"224.0.0.1\", \"192.0.2.9-192.0.2.1\", \"192.0.2.1/24\"]\n\
         reserved_ports = [\"0\", \"5061-5060\", 4500]\n[[pool]]\naddresses = [\"0.0.0.0/1\", \"1.0.0.0/8\"]\n",
        &[
            "gw.toml:9: pool address 198.51.100.1 is there already (line 7); name each address once",
            "gw.toml:9: pool address 203.0.113.8 is there already (line 9); name each address once",
            "gw.toml:11: pool address 10.10.3.0 lies in an inside network of eth1 (line 2); inside \
             and public addresses must differ: remove one",
            "gw.toml:11: 224.0.0.1 is multicast, expected the address of a host; write a unicast address",
            "gw.toml:11: 192.0.2.9-192.0.2.1 is reversed; write 192.0.2.1-192.0.2.9",
            "gw.toml:11: \"192.0.2.1/24\" has bits beyond its length; write 192.0.2.0/24",
            "gw.toml:12: `reserved_ports` in [[pool]] holds a number, expected strings; write \
             reserved_ports = [\"4500\", \"5060-5061\"]",
            "gw.toml:12: \"0\" is no port and no span of ports; write 4500, or 5060-5061, within 1 \
             to 65535",
            "gw.toml:12: ports 5061-5060 are reversed; write 5060-5061",
            "gw.toml:14: 0.0.0.0 is \"this network\", expected the address of a host; write a \
             unicast address",
            "gw.toml:14: \"1.0.0.0/8\" has 16777216 addresses, expected at most 65536; name only \
             the addresses that are routed to this gateway",
        ],
    );
}

#[test]
fn bindings() {
    let binding = |private, public, ports| {
        format!(
            "[[binding]]\nprivate = \"{private}\"\npublic = \"{public}\"\nports = \"{ports}\"\n"
        )
    };
    let text = [
        binding("10.10.0.21", "198.51.100.1", "40000-40063"),
        binding("10.10.0.21", "198.51.100.1", "41024-41087"),
        binding("10.10.0.22", "198.51.100.1", "40032-40063"),
        binding("10.11.0.23", "198.51.100.2", "40001-40064"),
        binding("10.10.0.24/32", "198.51.100.1", "40064"),
    ]
    .concat();
    wrong_with(
        &text,
        &[
            "gw.toml:13: private address 10.10.0.21 has a binding already (line 9); a phone has one \
             binding: remove one of the two",
            "gw.toml:19: ports 40032-40063 of 198.51.100.1 overlap 40000-40063 of 10.10.0.21 (line \
             9); give each phone ports of its own",
            "gw.toml:21: private address 10.11.0.23 lies in no inside network; inside networks are: \
             10.10.0.0/16",
            "gw.toml:22: public address 198.51.100.2 is not in the pool; add it to [[pool]] \
             addresses, or use one that is there",
            "gw.toml:23: range of 64 ports starts at 40001, expected a multiple of 64: use 40000-40063",
            "gw.toml:25: \"10.10.0.24/32\" is a network, expected one address; leave out the / and \
             what follows",
            "gw.toml:27: \"40064\" is no range of ports; write first-last, like 40000-40063",
        ],
    );
}

#[test]
fn reserved_ports_belong_to_no_phone() {
    let pool = |more: &str| {
        format!(
            "[[pool]]\naddresses = [\"198.51.100.2\"]\n{more}\n[[binding]]\nprivate = \"10.10.0.21\"\n\
             public = \"198.51.100.2\"\nports = \"4480-4543\"\n"
        )
    };
    let message = "gw.toml:14: ports 4480-4543 include reserved port 4500 of 198.51.100.2; choose \
                   other ports, or change reserved_ports of that [[pool]]";
    // IKE is reserved on shared addresses unless something else is said.
    wrong_with(&pool("shared_with_router = true"), &[message]);
    wrong_with(&pool("reserved_ports = [\"4500\"]"), &[message]);
    assert!(checked(&format!("{GOOD}{}", pool(""))).is_ok());
}

#[test]
fn limits_must_suffice() {
    let binding = |last: u8| {
        format!(
            "[[binding]]\nprivate = \"10.10.0.{last}\"\npublic = \"198.51.100.1\"\nports = \"{0}-{1}\"\n",
            40_000 + 64 * u16::from(last),
            40_063 + 64 * u16::from(last)
        )
    };
    let two = binding(1) + &binding(2);
    wrong_with(
        &format!("{two}[limits]\nbindings = 1\n"),
        &["gw.toml:17: 2 bindings configured, room for 1; write bindings = 256 in [limits]"],
    );
    wrong_with(
        "[[pool]]\naddresses = [\"192.0.2.0/23\"]\n",
        &[
            "gw.toml: 513 pool addresses configured, room for 256; add [limits] with pool_addresses = 768",
        ],
    );
    wrong_with(
        "[[pool]]\naddresses = [\"203.0.113.0/24\", \"192.0.2.0-192.0.20.255\"]\n[limits]\n\
         pool_addresses = 6000\ntree_nodes = 20\n",
        &[
            "gw.toml:12: 22 nodes of the address tree configured, room for 20; write tree_nodes = \
           256 in [limits]",
        ],
    );
}

#[test]
fn a_networks_own_addresses_are_no_phones() {
    let binding = |private| {
        format!(
            "[[binding]]\nprivate = \"{private}\"\npublic = \"198.51.100.1\"\nports = \
             \"40000-40063\"\n"
        )
    };
    for private in ["10.10.0.0", "10.10.255.255"] {
        let found = checked(&format!("{GOOD}{}", binding(private))).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("no host's"), "{found:?}");
    }
    assert!(checked(&format!("{GOOD}{}", binding("10.10.0.255"))).is_ok());
}

#[test]
fn ranges_are_as_large_as_the_maps_are_made_for() {
    let binding = "[[binding]]\nprivate = \"10.10.0.1\"\npublic = \"198.51.100.1\"\nports = \
                   \"40008-40015\"\n";
    wrong_with(
        binding,
        &[
            "gw.toml:9: the range of 10.10.0.1 has 8 ports, room is made for ranges of 64 and \
             more; add [limits] with smallest_range = 8, or give it 64 ports",
        ],
    );
    wrong_with(
        &format!("{binding}[limits]\nsmallest_range = 48\n"),
        &[
            "gw.toml:9: the range of 10.10.0.1 has 8 ports, room is made for ranges of 64 and \
             more; write smallest_range = 8 in [limits], or give it 64 ports",
            "gw.toml:13: `smallest_range` in [limits] is 48, expected a power of two; the next \
             smaller is 32",
        ],
    );
    let good = format!("{GOOD}{binding}[limits]\nsmallest_range = 8\n");
    assert_eq!(checked(&good).unwrap().settings.limits.smallest_range, 8);
}

#[test]
fn files_of_bindings_have_lines_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gw.toml");
    let csv = directory.path().join("phones.csv");
    std::fs::write(
        &csv,
        "private,public,first,last,name\n10.10.0.1,198.51.100.1,2048,2111,reception\n\n# two\n\
         10.10.0.1,198.51.100.1,2112,2175\n10.10.0.3,198.51.100.1,2048\n\
         10.10.0.4,198.51.100.1,x,2111\n10.10.0.5,198.51.100.1,3072,3135\n",
    )
    .unwrap();
    let text = format!(
        "{GOOD}[[binding]]\nprivate = \"10.10.0.9\"\npublic = \"198.51.100.1\"\nports = \
         \"3072-3135\"\n[[bindings_from]]\nfile = \"phones.csv\"\n[[bindings_from]]\nfile = \"none.csv\"\n"
    );
    std::fs::write(&path, text).unwrap();
    let problems = load(&path).unwrap().finish().unwrap_err();
    let (main, csv) = (path.display(), csv.display());
    let none = directory.path().join("none.csv");
    let found: Vec<String> = problems.list.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            format!(
                "{main}:15: cannot read {}: No such file or directory (os error 2); check the path \
                 and its permissions",
                none.display()
            ),
            format!(
                "{csv}:5: private address 10.10.0.1 has a binding already (line 2); a phone has one \
                 binding: remove one of the two"
            ),
            format!("{csv}:6: 3 fields, expected 4 or 5; write private,public,first,last[,name]"),
            format!("{csv}:7: \"x\" is no port; write a number from 1024 to 65535"),
            format!(
                "{csv}:8: ports 3072-3135 of 198.51.100.1 overlap 3072-3135 of 10.10.0.9 ({main}:9); \
                 give each phone ports of its own"
            ),
        ]
    );
}

#[test]
fn more_problems_than_a_person_reads_are_counted() {
    let bad = "[[binding]]\nprivate = \"x\"\n".repeat(1200);
    let problems = parse(Path::new("gw.toml"), &format!("{GOOD}{bad}"))
        .finish()
        .unwrap_err();
    assert_eq!(problems.list.len(), 1000);
    assert_eq!(problems.count(), 3600);
    assert!(problems.to_string().ends_with("\n... and 2600 more"));
}

#[test]
fn the_examples_are_good() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let root = tempfile::tempdir().unwrap();
    // Where they say that the operator has copied things to.
    let installed = |text: String| {
        let templates = deploy.join("templates").display().to_string();
        let text = text.replace("/etc/gateway/templates", &templates);
        text.replace("/srv/tftp", &root.path().display().to_string())
    };
    let mut seen = Vec::new();
    for file in std::fs::read_dir(deploy.join("examples")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "toml") {
            let text = installed(std::fs::read_to_string(&path).unwrap());
            match parse(&path, &text).finish() {
                Ok(config) => assert_eq!(config.warnings, []),
                Err(problems) => panic!("{problems}"),
            }
            seen.push(path.file_stem().unwrap().to_owned());
        }
    }
    seen.sort();
    let names = "leases pool provisioning small-site switch tunnel-uplink vlan";
    assert_eq!(seen, names.split(' ').collect::<Vec<_>>());
}

#[test]
fn the_example_of_provisioning_uses_every_template() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let text = std::fs::read_to_string(deploy.join("examples/provisioning.toml")).unwrap();
    for file in std::fs::read_dir(deploy.join("templates")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        // The simulated phone is for tests.
        assert!(
            text.contains(&name) || name == "simulated-phone.json",
            "{name}"
        );
    }
}
