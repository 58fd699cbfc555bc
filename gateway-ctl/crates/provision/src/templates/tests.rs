use proptest::prelude::*;

use super::*;

fn rule(pattern: &str, file: &str) -> Rule {
    Rule {
        pattern: Pattern::new(pattern).unwrap(),
        class: None,
        file: file.into(),
    }
}

fn files<const N: usize>(files: [(&str, &str); N]) -> BTreeMap<String, String> {
    files.map(|(file, text)| (file.into(), text.into())).into()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// What a template makes of a phone.
fn made(file: &str, text: &str, phone: &Phone) -> Result<String, RenderError> {
    let templates = Templates::new(vec![rule("f", file)], files([(file, text)])).unwrap();
    let rendered = templates.render(&name("f"), Some(phone))?.unwrap();
    assert_eq!(rendered.file, file);
    Ok(String::from_utf8(rendered.bytes).unwrap())
}

/// What is wrong with a template, line and message.
#[track_caller]
fn wrong(text: &str) -> Vec<(u32, String)> {
    let errors = Templates::new(vec![rule("f", "t.cfg")], files([("t.cfg", text)])).unwrap_err();
    let told = |error: TemplateError| (error.line, error.message);
    errors.into_iter().map(told).collect()
}

fn with_host_name(text: &str) -> Phone {
    let host_name = Some(text.to_owned());
    Phone {
        host_name,
        ..Phone::example()
    }
}

#[test]
fn a_phone_gets_its_own_values() {
    let text = "{{ mac }} {{ address }} {{ public_address }} {{ signalling_port }} \
                {{ rtp_first }}-{{ rtp_last }} {{ switch }}:{{ switch_port }} {{ variables.user }}";
    let mut phone = Phone::example();
    phone.variables.insert("user".into(), "reception".into());
    assert_eq!(
        made("t.cfg", text, &phone).unwrap(),
        "02000000002a 10.10.0.42 198.51.100.1 40000 40002-40063 203.0.113.10:5060 reception"
    );
}

#[test]
fn the_first_rule_that_fits_decides() {
    let mut only = rule("{mac}.cfg", "a.cfg");
    only.class = Some("desk".into());
    let rules = vec![only, rule("{mac}.cfg", "b.cfg"), rule("*", "c.cfg")];
    let templates = Templates::new(
        rules,
        files([("a.cfg", "A"), ("b.cfg", "B"), ("c.cfg", "C")]),
    )
    .unwrap();
    let mut phone = Phone::example();
    let file = |phone: &Phone, asked: &str| {
        let rendered = templates.render(&name(asked), Some(phone)).unwrap();
        rendered.map(|rendered| rendered.file)
    };
    assert_eq!(file(&phone, "02000000002A.cfg").as_deref(), Some("b.cfg"));
    assert_eq!(file(&phone, "other.cfg").as_deref(), Some("c.cfg"));
    assert_eq!(file(&phone, "folder/other.cfg"), None);
    phone.class = "desk".into();
    assert_eq!(file(&phone, "02000000002A.cfg").as_deref(), Some("a.cfg"));
}

#[test]
fn another_phones_file_is_refused_wherever_it_comes_from() {
    let mut rule = rule("{mac}.cfg", "t.cfg");
    rule.class = Some("desk".into());
    let templates = Templates::new(vec![rule], files([("t.cfg", "secret")])).unwrap();
    let anothers = name("02000000002b.cfg");
    let mut phone = Phone::example();
    let refused = templates.guard(&anothers, Some(&phone)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "02000000002b.cfg is another phone's: the phone that asked is 02:00:00:00:00:2a"
    );
    // Of another class: no template answers, and a file of that name is refused all the same.
    assert_eq!(templates.render(&anothers, Some(&phone)), Ok(None));
    phone.class = "desk".into();
    assert_eq!(templates.render(&anothers, Some(&phone)), Err(refused));
    assert_eq!(
        templates.guard(&name("02000000002A.CFG"), Some(&phone)),
        Ok(())
    );
    assert_eq!(templates.guard(&name("firmware.bin"), Some(&phone)), Ok(()));
}

#[test]
fn without_a_lease_nothing_is_made() {
    let rules = vec![rule("{mac}.cfg", "t.cfg"), rule("common.cfg", "t.cfg")];
    let templates = Templates::new(rules, files([("t.cfg", "text")])).unwrap();
    for asked in ["02000000002a.cfg", "common.cfg"] {
        let refused = templates.render(&name(asked), None).unwrap_err();
        let name = asked.into();
        assert_eq!(refused, RenderError::NoLease { name });
    }
    assert_eq!(templates.render(&name("firmware.bin"), None), Ok(None));
    // A file that is there is nobody's in particular, unless it is named after a phone.
    assert_eq!(templates.guard(&name("common.cfg"), None), Ok(()));
    assert!(templates.guard(&name("02000000002a.cfg"), None).is_err());
}

#[test]
fn values_are_written_as_the_file_can_hold_them() {
    let phone = with_host_name("<\"R&D\" 'lab'>/1");
    let made = |file, text| made(file, text, &phone).unwrap();
    let escaped = "&lt;&quot;R&amp;D&quot; &#39;lab&#39;&gt;/1";
    assert_eq!(
        made("t.xml", "<a>{{ host_name }}</a>"),
        format!("<a>{escaped}</a>")
    );
    assert_eq!(made("t.htm", "{{ host_name }}"), escaped);
    assert_eq!(
        made("t.cfg", "n = {{ host_name }}"),
        "n = <\"R&D\" 'lab'>/1"
    );
    assert_eq!(
        made(
            "t.json",
            "[{{ host_name }}, {{ first_port }}, {{ variables }}]"
        ),
        "[\"<\\\"R&D\\\" 'lab'>/1\", 40000, {}]"
    );
    // What the template writes itself is not a value.
    assert_eq!(
        made(
            "t.xml",
            "{% macro m(x) %}<a>{{ x }}</a>\n{% endmacro %}{{ m(host_name) }}"
        ),
        format!("<a>{escaped}</a>\n")
    );
    assert_eq!(
        made("t.cfg", "{% set lines %}a\nb{% endset %}{{ lines }}"),
        "a\nb"
    );
}

#[test]
fn a_value_begins_no_line_of_its_own() {
    for bad in [
        "a\nadmin = 1",
        "a\rb",
        "a\0",
        "\u{85}",
        "\u{2028}",
        "\u{1b}[2J",
        "\u{ffff}",
    ] {
        let phone = with_host_name(bad);
        for text in [
            "{{ host_name }}",
            "{{ 'x' ~ host_name }}",
            "{{ host_name | upper }}",
            "{{ [host_name, 'x'] | join(',') }}",
            "{% set a %}{{ host_name }}{% endset %}{{ a }}",
            "{% autoescape false %}{{ host_name }}{% endautoescape %}",
            "{{ 'ab' | replace('a', host_name) }}",
        ] {
            for file in ["t.cfg", "t.xml"] {
                let refused = made(file, text, &phone).unwrap_err().to_string();
                assert!(
                    refused.contains("a value holds the character"),
                    "{text} {bad:?}: {refused}"
                );
            }
        }
        // JSON has a form for all of them.
        assert!(
            !made("t.json", "{{ host_name }}", &phone)
                .unwrap()
                .contains('\n')
        );
        // Who does not use it is not bothered.
        assert_eq!(made("t.cfg", "{{ mac }}", &phone).unwrap(), "02000000002a");
    }
}

#[test]
fn what_is_not_there_is_found_when_templates_are_loaded() {
    assert_eq!(
        wrong("a\nb = {{ frist_port }}\n"),
        [(2, "there is no variable `frist_port`".into())]
    );
    assert_eq!(
        wrong("{{ mac | shout }}")[0].1,
        "unknown filter: filter shout is unknown"
    );
    assert_eq!(wrong("a\n{% include 'x.cfg' %}")[0].0, 2);
    assert_eq!(wrong("{% if mac %}")[0].0, 1);
    assert!(
        wrong("{{ switch.port }}")[0]
            .1
            .starts_with("undefined value")
    );
    assert!(
        wrong(&"x".repeat(MOST_TEXT + 1))[0]
            .1
            .starts_with("it has 1048577 bytes")
    );
    let missing = Templates::new(vec![rule("f", "gone.cfg")], BTreeMap::new()).unwrap_err();
    assert_eq!(
        missing[0].to_string(),
        "template gone.cfg, line 0: there is no such file"
    );
    // The operator's own variables are nobody's business.
    let own =
        "{% if variables.x == 'y' %}{{ variables.port | int + 1 }}{% endif %}{{ variables.z }}";
    assert!(Templates::new(vec![rule("f", "t.cfg")], files([("t.cfg", own)])).is_ok());
}

#[test]
fn what_a_phone_has_not_got_is_an_error_with_its_line() {
    let bare = Phone {
        ports: None,
        ..Phone::example()
    };
    let error = made("t.cfg", "a\nb = {{ rtp_first }}", &bare).unwrap_err();
    let RenderError::Template(error) = error else {
        panic!("{error}");
    };
    assert_eq!((error.line, error.file.as_str()), (2, "t.cfg"));
    assert_eq!(error.message, "`rtp_first` is not known of the phone");
    assert!(error.fix.starts_with("give its [[class]] `ports`"));
    let guarded = "{% if rtp_first is defined %}{{ rtp_first }}{% else %}none{% endif %}";
    assert_eq!(made("t.cfg", guarded, &bare).unwrap(), "none");
    let error = made("t.cfg", "{{ variables.password }}", &bare).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template t.cfg, line 1: `variables.password` is not set for the phone"
    );
    // What is there, and what is on other lines, is not named.
    let mut phone = Phone::example();
    phone.variables.insert("user".into(), "201".into());
    let text = "{% if variables.line is defined %}{% endif %}\n\
                {{ variables.user }}{{ variables.pass }}{{ variables.password | default('') }}\n";
    let error = made("t.cfg", text, &phone).unwrap_err().to_string();
    assert_eq!(
        error,
        "template t.cfg, line 2: `variables.pass`, `variables.password` is not set for the phone"
    );
}

#[test]
fn includes_are_given_files_alone() {
    let given = files([
        ("t.xml", "{% set line = 2 %}{% include 'account.xml' %}"),
        (
            "account.xml",
            "<line>{{ line }}</line><name>{{ host_name }}</name>",
        ),
    ]);
    let templates = Templates::new(vec![rule("f", "t.xml")], given).unwrap();
    let rendered = templates
        .render(&name("f"), Some(&with_host_name("<")))
        .unwrap();
    assert_eq!(
        rendered.unwrap().bytes,
        b"<line>2</line><name>&lt;</name>".to_vec()
    );
    for file in ["/etc/hostname", "../../etc/hostname", "account.xml"] {
        let text = format!("{{% include '{file}' %}}");
        assert!(
            wrong(&text)[0].1.starts_with("template not found"),
            "{file}"
        );
    }
    // The error is where it happens, not where it is included.
    let broken = files([
        ("t.xml", "\n{% include 'b.xml' %}"),
        ("b.xml", "\n\n{{ nothing.at }}"),
    ]);
    let errors = Templates::new(vec![rule("f", "t.xml")], broken).unwrap_err();
    assert_eq!((errors[0].file.as_str(), errors[0].line), ("b.xml", 3));
}

#[test]
fn every_rendering_ends() {
    let nested = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    assert!(wrong(nested)[0].1.contains("ran out of fuel"));
    let deep = "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}";
    let refused = made("t.cfg", deep, &Phone::example());
    assert!(refused.is_err(), "{refused:?}");
    let long = "{% for a in range(20000) %}".to_owned() + &"x".repeat(1000) + "{% endfor %}";
    let refused = made("t.cfg", &long, &Phone::example())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("at most 1048576 bytes"), "{refused}");
    // The engine's own filter panics for such a base.
    for text in [
        "{{ '1' | int(base=99) }}",
        "{{ 'x' | int }}",
        "{{ ('9' * 99) | int }}",
    ] {
        assert!(made("t.cfg", text, &Phone::example()).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn xml_stays_one_element(host_name: String) {
        let phone = with_host_name(&host_name);
        let text = "<a b=\"{{ host_name }}\">{{ host_name }}</a>";
        if let Ok(made) = made("t.xml", text, &phone) {
            let inner = made.strip_prefix("<a b=\"").and_then(|rest| rest.strip_suffix("</a>"));
            let (attribute, element) = inner.and_then(|rest| rest.split_once("\">")).unwrap();
            prop_assert_eq!(attribute, element);
            prop_assert!(!element.contains(['<', '>', '"', '\'']));
            let back = element.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
            prop_assert_eq!(back.replace("&#39;", "'").replace("&amp;", "&"), host_name);
        }
    }

    #[test]
    fn a_line_stays_one_line(host_name: String, class: String) {
        let phone = Phone { class, ..with_host_name(&host_name) };
        if let Ok(made) = made("t.cfg", "n = {{ host_name }}{{ class }}", &phone) {
            prop_assert_eq!(made.lines().count(), 1);
            prop_assert_eq!(made, format!("n = {host_name}{}", phone.class));
        }
    }

    #[test]
    fn no_text_does_harm(text in "([{}%# a-z0-9().,|~'\"-]|\\{\\{|\\}\\}|\\{%|%\\}|for|in|if|endif|endfor|set|macro|mac|range|int){0,40}") {
        if let Ok(templates) = Templates::new(vec![rule("*", "t.cfg")], files([("t.cfg", &text)])) {
            let _ = templates.render(&name("f"), Some(&Phone::example()));
        }
    }
}
