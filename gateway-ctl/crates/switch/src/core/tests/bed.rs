//! Gateways in memory around a switch.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

use megaco::{
    ActionRequest, Command, ContextId, Method, Mid, Name, NotifyRequest, ObservedEvent,
    ObservedEvents, Parameter, PkgdName, RequestId, ServiceChange, ServiceChangeRequest,
    TerminationId, Value,
};

use super::fake::{Fake, fake};
use super::*;
use crate::address::{Share, Site, Sites};
use crate::dial_plan::Prefix;
use crate::registration::NoLeases;
use crate::settings::{Admission, Line as LineRule, Trunk, Way};

type Answer = Result<Vec<ActionReply>, NoAnswer>;

/// A switch and its gateways.
pub(super) struct Bed {
    pub(super) switch: Switch,
    pub(super) settings: Settings,
    pub(super) fakes: Vec<Fake>,
    pub(super) now: Time,
    /// What is on disk.
    pub(super) registrations: BTreeMap<GatewayId, Registration>,
    pub(super) kept: BTreeMap<CallId, KeptCall>,
    pub(super) records: Vec<CallRecord>,
    /// Questions that were not handed over yet, when they are held.
    pub(super) held: VecDeque<Output>,
    pub(super) hold: bool,
    /// Messages of SIP that are on their way, and users that were written.
    pub(super) sip: VecDeque<(::sip::Peer, Arc<[u8]>)>,
    pub(super) accounts: Vec<Account>,
    next_request: u64,
}

pub(super) const HERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
pub(super) const THERE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
pub(super) const TRUNKS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// Two phones of one site (5001, 5002), one of another (5003), two trunk gateways.
pub(super) fn bed() -> Bed {
    let phone = |private: u8, public: Ipv4Addr, port: u16| {
        let private = Ipv4Addr::new(10, 10, 1, private);
        fake(
            Mid::Address(private.into(), Some(2944)),
            public,
            port,
            private,
            "line1",
        )
    };
    let trunk = |last: u8| {
        let address = Ipv4Addr::from(u32::from(TRUNKS) + u32::from(last));
        fake(
            Mid::Address(address.into(), None),
            address,
            2944,
            address,
            "trunk/1",
        )
    };
    // The phone of the other site has the same private address as the first.
    let fakes = vec![
        phone(1, HERE, 40_000),
        phone(2, HERE, 40_064),
        phone(1, THERE, 40_000),
        trunk(0),
        trunk(1),
    ];
    let line = |number: &str, fake: &Fake| LineRule {
        number: number.parse().expect("a number"),
        owner: Owner::Gateway(fake.id()),
        termination: TerminationId::new("line1").expect("a name"),
    };
    let to = |name: &str, fake: &Fake| Trunk {
        name: name.to_owned(),
        way: Way::Gateway(fake.id(), TerminationId::new("trunk/$").expect("a name")),
    };
    let settings = Settings {
        admission: Admission::Listed,
        lines: vec![
            line("5001", &fakes[0]),
            line("5002", &fakes[1]),
            line("5003", &fakes[2]),
        ],
        prefixes: vec![Prefix {
            digits: "0".parse().expect("a number"),
            strip: 1,
            trunks: vec!["first".to_owned(), "second".to_owned()],
            follow: (3, 15),
        }],
        trunks: vec![to("first", &fakes[3]), to("second", &fakes[4])],
        sites: Sites::new(vec![Site {
            name: "here".to_owned(),
            shares: vec![Share::whole(HERE)],
            reachable: true,
        }])
        .expect("one site"),
        ..Settings::default()
    };
    let mut bed = Bed {
        switch: Switch::new(settings.clone()),
        settings,
        fakes,
        now: Time::from_secs(1_000_000),
        registrations: BTreeMap::new(),
        kept: BTreeMap::new(),
        records: Vec::new(),
        held: VecDeque::new(),
        hold: false,
        sip: VecDeque::new(),
        accounts: Vec::new(),
        next_request: 1,
    };
    for at in 0..bed.fakes.len() {
        bed.register(at, Method::Restart);
    }
    bed
}

impl Bed {
    pub(super) fn register(&mut self, at: usize, method: Method) {
        if method == Method::Restart {
            self.fakes[at].reboot();
        }
        let change = ServiceChange::new(method, 901);
        let command = Command::ServiceChange(ServiceChangeRequest {
            terminations: TerminationId::Root.into(),
            change,
        });
        let action = ActionRequest::new(ContextId::Null, vec![command.into()]);
        assert_eq!(self.request(at, action), Heard::Later);
        self.run();
    }

    pub(super) fn request(&mut self, at: usize, action: ActionRequest) -> Heard {
        let (peer, mid) = (self.fakes[at].peer, self.fakes[at].mid.clone());
        let key = RequestKey(self.next_request);
        self.next_request += 1;
        self.switch
            .asked(self.now, &NoLeases, peer, &mid, vec![action], key)
    }

    /// An event of a line, with the number of what was asked for.
    pub(super) fn event(&mut self, at: usize, line: &str, event: &str, digits: Option<&str>) {
        let one = &self.fakes[at].terminations[line];
        let mut observed = ObservedEvent::from(PkgdName::new(event).expect("an event"));
        if let Some(digits) = digits {
            let value = Value::quoted(digits).expect("digits");
            observed.parameters = vec![Parameter::new(Name::literal("ds"), value)];
        }
        let notify = Command::Notify(NotifyRequest {
            terminations: TerminationId::new(line).expect("a name").into(),
            observed: ObservedEvents {
                request: RequestId::Id(one.request),
                events: vec![observed],
            },
            error: None,
        });
        let context = one.context.map_or(ContextId::Null, ContextId::Id);
        let action = ActionRequest::new(context, vec![notify.into()]);
        assert!(matches!(self.request(at, action), Heard::Answer(_)));
        self.run();
    }

    /// Events of a line have this number, whatever it was asked.
    pub(super) fn request_is(&mut self, at: usize, request: u32) {
        let fake = &mut self.fakes[at];
        let line = fake.terminations.get_mut("line1").expect("a line");
        line.request = request;
    }

    pub(super) fn lift(&mut self, at: usize) {
        self.event(at, "line1", "al/of", None);
    }

    pub(super) fn hang_up(&mut self, at: usize) {
        self.event(at, "line1", "al/on", None);
    }

    pub(super) fn dial(&mut self, at: usize, digits: &str) {
        self.lift(at);
        self.event(at, "line1", "dd/ce", Some(digits));
    }

    /// What a line signals.
    pub(super) fn signal(&self, at: usize) -> &str {
        let line = &self.fakes[at].terminations["line1"];
        line.signals.first().map_or("", |signal| signal)
    }

    /// The address of the other end that a phone sends its media to.
    pub(super) fn sends_to(&self, at: usize) -> Option<String> {
        let mut all = self.fakes[at].terminations.iter();
        let (_, media) = all.find(|(name, _)| name.starts_with("rtp/"))?;
        let remote = media.remote.as_ref()?;
        let line = remote.lines().find(|line| line.starts_with("c="))?;
        Some(line.trim_start_matches("c=IN IP4 ").to_owned())
    }

    pub(super) fn pass(&mut self, time: Time) {
        self.now += time;
        self.switch.handle_timeout(self.now);
        self.run();
    }

    pub(super) fn kill(&mut self) {
        self.kill_with(Vec::new());
    }

    /// The same; the store has these users.
    pub(super) fn kill_with(&mut self, accounts: Vec<Account>) {
        self.held.clear();
        self.switch = Switch::new(self.settings.clone());
        self.switch.set_secret([8; 32]);
        self.switch.restore_accounts(self.now, accounts);
        let registrations = self.registrations.values().cloned().collect::<Vec<_>>();
        let kept = self.kept.values().cloned().collect::<Vec<_>>();
        self.switch.restore(self.now, registrations, kept);
        self.pass(Time::from_secs(1));
    }

    /// Another switch, which has never heard of anybody.
    pub(super) fn forget(&mut self) {
        self.registrations.clear();
        self.kept.clear();
        self.kill();
    }

    /// Does all that is to be done.
    pub(super) fn run(&mut self) {
        while let Some(output) = self.switch.next_output() {
            match output {
                Output::Ask { .. } if self.hold => self.held.push_back(output),
                Output::Ask { .. } => self.ask(output),
                Output::Answer { .. } => {}
                Output::Commit { id, changes } => {
                    self.write(changes);
                    self.switch.committed(self.now, id);
                }
                Output::Ended(record) => self.records.push(*record),
                Output::Sip { to, bytes, .. } => self.sip.push_back((to, bytes)),
            }
        }
    }

    pub(super) fn let_go(&mut self) {
        self.hold = false;
        while let Some(output) = self.held.pop_front() {
            self.ask(output);
        }
        self.run();
    }

    /// The gateway's last restart comes once more, and its reply goes out once more.
    pub(super) fn restart_again(&mut self, at: usize) {
        let (peer, mid) = (self.fakes[at].peer, self.fakes[at].mid.clone());
        self.switch.restarted_again(self.now, &NoLeases, peer, &mid);
        self.run();
    }

    /// Gateways answer, but nobody hears it yet.
    pub(super) fn answers(&mut self, held: &mut VecDeque<Output>) -> Vec<(Ticket, Answer)> {
        held.drain(..)
            .filter_map(|output| self.answer(output))
            .collect()
    }

    pub(super) fn take_answers(&mut self, answers: Vec<(Ticket, Answer)>) {
        for (ticket, answer) in answers {
            self.switch.answered(self.now, ticket, answer);
        }
        self.run();
    }

    fn ask(&mut self, output: Output) {
        if let Some((ticket, answer)) = self.answer(output) {
            self.switch.answered(self.now, ticket, answer);
        }
    }

    fn answer(&mut self, output: Output) -> Option<(Ticket, Answer)> {
        let Output::Ask {
            ticket,
            gateway,
            actions,
            ..
        } = output
        else {
            return None;
        };
        let fake = self.fakes.iter_mut().find(|fake| fake.id() == gateway);
        let fake = fake.expect("a gateway");
        let answer = match fake.dead {
            true => Err(NoAnswer::Silent),
            false => Ok(actions.iter().map(|action| fake.apply(action)).collect()),
        };
        Some((ticket, answer))
    }

    fn write(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Register(one) => drop(self.registrations.insert(one.id.clone(), *one)),
                Change::Forget(id) => drop(self.registrations.remove(&id)),
                Change::Keep(call) => drop(self.kept.insert(call.id, *call)),
                Change::Over(id) => drop(self.kept.remove(&id)),
                Change::Account(account) => self.accounts.push(Arc::unwrap_or_clone(account)),
            }
        }
    }

    /// Nobody has a call, and nothing is left of one.
    pub(super) fn check_quiet(&self) {
        for fake in self.fakes.iter().filter(|fake| !fake.dead) {
            assert_eq!(fake.contexts(), 0, "{}: {:?}", fake.id(), fake.terminations);
        }
        assert!(self.switch.calls.is_empty() && self.switch.endings.is_empty());
        assert!(self.kept.is_empty(), "{:?}", self.kept);
        assert!(self.switch.asked.is_empty(), "{:?}", self.switch.asked);
    }
}

impl Bed {
    /// A gateway says that it is there.
    pub(super) fn beat(&mut self, at: usize) {
        let (peer, mid) = (self.fakes[at].peer, self.fakes[at].mid.clone());
        self.switch.is_heard(self.now, &NoLeases, peer, &mid);
    }
}
