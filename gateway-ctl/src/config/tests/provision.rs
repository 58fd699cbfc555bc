//! `[provision]` and `[[template]]`.

use super::dhcp::LEASES;
use super::{GOOD, checked, wrong_with};

/// A directory of templates, as a line of configuration.
fn templates(files: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let line = format!("templates = \"{}\"\n", directory.path().display());
    (directory, line)
}

#[test]
fn is_off_unless_asked_for_and_has_defaults() {
    assert!(checked(GOOD).unwrap().provision.is_none());
    let config = checked(&format!(
        "{GOOD}[state]\ndirectory = \"/var/lib/other\"\n[provision]\n"
    ));
    let provision = config.unwrap().provision.unwrap();
    assert_eq!(provision.root.to_str(), Some("/srv/tftp"));
    assert_eq!(provision.uploads.to_str(), Some("/var/lib/other/uploads"));
    assert_eq!(
        (provision.quota.bytes, provision.quota.files),
        (10 << 20, 100)
    );
    assert_eq!((provision.tftp, provision.http), (true, None));
}

#[test]
fn sizes_and_ports() {
    for (quota, bytes) in [
        ("1000", 1000),
        ("\"1000\"", 1000),
        ("\"10 MiB\"", 10 << 20),
        ("\"10MiB\"", 10 << 20),
        ("\"2 GB\"", 2_000_000_000),
    ] {
        let text =
            format!("{GOOD}[provision]\nupload_quota = {quota}\nhttp = 8080\ntftp = false\n");
        let provision = checked(&text).unwrap().provision.unwrap();
        assert_eq!(provision.quota.bytes, bytes, "{quota}");
        assert_eq!((provision.tftp, provision.http), (false, Some(8080)));
    }
    let off = checked(&format!("{GOOD}[provision]\nhttp = \"off\"\n")).unwrap();
    assert_eq!(off.provision.unwrap().http, None);
    wrong_with(
        "[provision]\nupload_quota = \"10 MIB\"\nupload_files = -1\nhttp = \"on\"\ntftp = 1\n\
         root = \"srv\"\nrot = 1\n",
        &[
            "gw.toml:9: \"10 MIB\" is no size; write a number of bytes, or one with kB, MB, GB, \
             KiB, MiB or GiB",
            "gw.toml:10: `upload_files` in [provision] is -1, expected a number from 0 to 1000000; \
             the nearest is 0",
            "gw.toml:11: `http` in [provision] is a string, expected a port or \"off\"; write http \
             = 80",
            "gw.toml:12: `tftp` in [provision] is a number, expected true or false; write tftp = \
             true",
            "gw.toml:13: `root` is \"srv\", a relative path; write it from / on: the daemon has no \
             directory of its own",
            "gw.toml:14: unknown key `rot` in [provision]; did you mean `root`?",
        ],
    );
}

#[test]
fn names_for_all_phones() {
    let text = "[provision]\nfor_all = [\"fw-*.bin\", \"sounds/*\"]\n";
    assert!(checked(&format!("{GOOD}{text}")).is_ok());
    wrong_with(
        "[provision]\nfor_all = [\"{mac}.cfg\", \"../a\"]\n",
        &[
            "gw.toml:9: \"{mac}.cfg\" is a name for one phone, `for_all` is for all; write names \
             without {mac}, like \"firmware-*.bin\"",
            "gw.toml:9: \"../a\" is no name of a file: the name leads upwards (\"..\")",
        ],
    );
}

#[test]
fn the_rule_of_mac_addresses_cannot_be_turned_off() {
    for pattern in ["*", "*.cfg", "*/*", "00-15*"] {
        let expected = format!(
            "gw.toml:9: \"{pattern}\" in `for_all` stands for phones' own files too, like \
             001565123456.cfg: every phone could read them; write how the files for all begin, like \
             \"firmware-*.bin\", or their folder, like \"firmware/*\""
        );
        wrong_with(
            &format!("[provision]\nfor_all = [\"{pattern}\"]\n"),
            &[&expected],
        );
    }
}

#[test]
fn directories_lie_side_by_side() {
    wrong_with(
        "[provision]\nroot = \"/srv\"\nuploads = \"/srv/uploads\"\n",
        &[
            "gw.toml:8: `root` and `uploads` in [provision] lie in each other: /srv and \
             /srv/uploads; phones read all that is in `root`: choose directories side by side",
        ],
    );
}

#[test]
fn templates_are_read_with_their_rules() {
    let (_directory, line) = templates(&[("phone.xml", "<a>{{ mac }}</a>")]);
    let text = format!(
        "{GOOD}{LEASES}[provision]\n{line}[[template]]\nname = \"{{mac}}.cfg\"\nfile = \"phone.xml\"\n\
         class = \"phone\"\n[[template]]\nname = \"{{mac}}.cfg\"\nfile = \"phone.xml\"\n"
    );
    assert!(checked(&text).unwrap().provision.is_some());
    let unknown = text.replace("class = \"phone\"", "class = \"phones\"");
    assert_eq!(
        checked(&unknown).map(|_| ()).unwrap_err(),
        ["gw.toml:25: there is no [[class]] named phones; did you mean phone?"]
    );
    wrong_with(
        "[[template]]\nname = \"a\"\nfile = \"b\"\n",
        &[
            "gw.toml:8: [[template]] without [provision]; add [provision]: all its keys have defaults",
        ],
    );
}

#[test]
fn wrong_templates_are_named_with_file_and_line() {
    let (directory, line) = templates(&[
        ("phone.xml", "<a>\n{{ mak }}</a>{% include 'other.xml' %}"),
        ("other.xml", "{% if mac %}"),
        ("spare.xml", "{{ nothing }}"),
        (".hidden", "{% if mac %}"),
    ]);
    let place = directory.path().display();
    let rule =
        |name: &str, file: &str| format!("[[template]]\nname = \"{name}\"\nfile = \"{file}\"\n");
    let text = format!(
        "{GOOD}[provision]\n{line}{}{}{}{}{}",
        rule("{mac}.cfg", "phone.xml"),
        rule("{mac}.cfg", "phone.xml"),
        rule("{mak}.cfg", "phone.xml"),
        rule("a", "phone.xm"),
        "[[template]]\n",
    );
    let found = checked(&text).map(|_| ()).unwrap_err();
    let variables = "; variables: mac, MAC, ";
    let expected = [
        "gw.toml:13: a template answers to {mac}.cfg already (line 10); the first one decides: \
         remove one, or put the one with a class first"
            .to_owned(),
        "gw.toml:17: {mak} in \"{mak}.cfg\" stands for nothing: write {mac}, {mac:-} or {mac::}"
            .to_owned(),
        format!("gw.toml:21: there is no template phone.xm in {place}; did you mean phone.xml?"),
        "gw.toml:22: `name` is missing in [[template]]; add name = \"{mac}.cfg\"".to_owned(),
        "gw.toml:22: `file` is missing in [[template]]; add file = \"polycom.xml\"".to_owned(),
        format!(
            "{place}/other.xml:1: syntax error: unexpected end of input, expected end of block"
        ),
        format!("{place}/phone.xml:2: there is no variable `mak`"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(&expected) {
        let found = found.split(variables).next().unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn files_that_no_template_reaches_are_warned_of() {
    let (directory, line) = templates(&[
        ("phone.xml", "{% include \"part.xml\" %}"),
        ("part.xml", "<a>{{ mac }}</a>"),
        ("half.xml", "{% if mac %}"),
    ]);
    std::fs::write(directory.path().join("phone.xml.swp"), b"b0VIM\xff\xfe").unwrap();
    let place = directory.path().display();
    let text = format!(
        "{GOOD}{LEASES}[provision]\nroot = \"/usr\"\n{line}[[template]]\nname = \"{{mac}}.cfg\"\n\
         file = \"phone.xml\"\n"
    );
    let warnings = checked(&text).unwrap().warnings;
    let found: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let fix = "no [[template]] needs it: correct it, or take it away";
    assert_eq!(
        found,
        [
            format!(
                "{place}/half.xml:1: syntax error: unexpected end of input, expected end of block; \
                 {fix}"
            ),
            format!("{place}/phone.xml.swp: it is no UTF-8 text; {fix}"),
        ]
    );
    // Where it is needed it is wrong, by a rule or by another file.
    std::fs::write(directory.path().join("part.xml"), b"\xff").unwrap();
    let wrong = checked(&text).map(|_| ()).unwrap_err();
    assert_eq!(wrong, [format!("{place}/part.xml: it is no UTF-8 text")]);
    std::fs::write(
        directory.path().join("part.xml"),
        "{% include \"half.xml\" %}",
    )
    .unwrap();
    let wrong = checked(&text).map(|_| ()).unwrap_err();
    assert!(
        wrong[0].starts_with(&format!("{place}/half.xml:1: syntax error")),
        "{wrong:?}"
    );
    let named = text.replace("\"phone.xml\"", "\"phone.xml.swp\"");
    let wrong = checked(&named).map(|_| ()).unwrap_err();
    assert_eq!(
        wrong,
        [format!("{place}/phone.xml.swp: it is no UTF-8 text")]
    );
}

#[test]
fn a_template_behind_one_with_its_names_is_warned_of() {
    let (_directory, line) = templates(&[("phone.xml", "{{ mac }}"), ("all.xml", "a")]);
    let with = |rules: [(&str, &str, &str); 2]| {
        let rule = |(name, file, more): (&str, &str, &str)| {
            format!("[[template]]\nname = \"{name}\"\nfile = \"{file}\"\n{more}")
        };
        let rules: String = rules.into_iter().map(rule).collect();
        let text = format!("{GOOD}{LEASES}[provision]\nroot = \"/usr\"\n{line}{rules}");
        let warnings = checked(&text).unwrap().warnings;
        warnings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let (own, all) = (("{mac}.cfg", "phone.xml", ""), ("*.cfg", "all.xml", ""));
    assert_eq!(with([own, all]), [""; 0]);
    assert_eq!(
        with([all, own]),
        [
            "gw.toml:26: {mac}.cfg is never asked: *.cfg before it (line 23) has such names too; the \
             first one decides: put the one with fewer names first"
        ]
    );
    let of_class = ("*.cfg", "all.xml", "class = \"phone\"\n");
    assert_eq!(with([of_class, own]), [""; 0]);
    assert_eq!(with([("a*.cfg", "all.xml", ""), own]), [""; 0]);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let text = "[provision]\ntemplates = \"/nowhere/at/all\"\n[[template]]\nname = \"a\"\n\
                file = \"b\"\n";
    wrong_with(
        text,
        &[
            "gw.toml:9: cannot read templates from /nowhere/at/all: No such file or directory (os \
             error 2); set `templates` in [provision] to a directory of UTF-8 files",
        ],
    );
}

/// A good configuration with leases, two classes, a phone and a template.
fn with_template(text: &str, class: &str) -> (tempfile::TempDir, String) {
    let (directory, line) = templates(&[("phone.cfg", text)]);
    let leases = LEASES.replace(
        "[limits]",
        "primary_switch = \"198.51.100.200:5060\"\n[[class]]\nname = \"fax\"\n\
         vendor_classes = [\"Fax*\"]\n[limits]",
    );
    let text = format!(
        "{GOOD}{leases}[provision]\nroot = \"/usr\"\n{line}[[template]]\nname = \"{{mac}}.cfg\"\n\
         file = \"phone.cfg\"\n{class}[[phone]]\nmac = \"02:00:00:00:00:01\"\n\
         variables = [\"user=201\"]\n"
    );
    (directory, text)
}

#[test]
fn what_no_phone_has_is_found_without_one() {
    let (directory, text) = with_template("a\n{{ variables.user }}{{ variables.line }}\n", "");
    let place = directory.path().display();
    assert_eq!(
        checked(&text).map(|_| ()).unwrap_err(),
        [format!(
            "{place}/phone.cfg:2: `variables.line` is not set for the phone; add \"line=..\" to \
             `variables` of its [[phone]], or write {{{{ variables.line | default('') }}}}"
        )]
    );
    // Of a class of its own.
    let of = |class| with_template("{{ variables.user }}\n{{ switch }}\n", class);
    let (directory, text) = of("class = \"fax\"\n");
    let place = directory.path().display();
    assert_eq!(
        checked(&text).map(|_| ()).unwrap_err(),
        [format!(
            "{place}/phone.cfg:2: `switch` is not known of the phone; write primary_switch in its \
             [[class]], or write {{% if switch is defined %}}"
        )]
    );
    let (_directory, text) = of("class = \"phone\"\n");
    assert!(checked(&text).unwrap().warnings.is_empty());
}

#[test]
fn what_some_phones_have_not_got_is_a_warning() {
    let (directory, text) = with_template("{{ first_port }}\n{{ host_name }}\n", "");
    let place = directory.path().display();
    let config = checked(&text).unwrap();
    let found: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            format!(
                "{place}/phone.cfg:1: phones of class \"fax\" get no file: `first_port` is not \
                 known of the phone; give its [[class]] `ports`, or write {{% if first_port is \
                 defined %}}"
            ),
            format!(
                "{place}/phone.cfg:2: phones of class \"phone\" without a host name get no file: \
                 `host_name` is not known of the phone; see to it that the phone has it, or write \
                 {{% if host_name is defined %}}"
            ),
        ]
    );
}

#[test]
fn what_serves_nothing_is_named() {
    wrong_with(
        "[provision]\ntftp = false\n",
        &[
            "gw.toml:9: neither TFTP nor HTTP is on: phones get no files; write tftp = true or http \
             = 80, or leave [provision] out",
        ],
    );
    let root = tempfile::tempdir().unwrap();
    let with = |root: &std::path::Path| {
        let text = format!("{GOOD}[provision]\nroot = \"{}\"\n", root.display());
        let found = checked(&text).unwrap().warnings;
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(with(root.path()), [""; 0]);
    let absent = root.path().join("absent");
    assert_eq!(
        with(&absent),
        [format!(
            "gw.toml:9: provision root {} is no directory: only templates are served, and what phones \
             have written; make it, or correct `root`",
            absent.display()
        )]
    );
}
