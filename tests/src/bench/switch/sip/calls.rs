//! Calls: INVITE with a password, 200 from the other one at once, ACK, BYE.

use std::time::Duration;

use anyhow::Result;
use sip::message::{Method, Name, Status};
use sip::{Request, Response};

use super::super::super::interval::now;
use super::super::place::phone_address;
use super::crowd::{Crowd, Outcome, contact, login, record};

fn description(phone: u32) -> String {
    let address = phone_address(phone);
    format!(
        "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0\r\n"
    )
}

impl Crowd {
    /// Has each even phone of so many pairs call the one behind it, for a while.
    pub(super) fn call(
        &mut self,
        pairs: u32,
        under_way: usize,
        lasting: Duration,
    ) -> Result<Outcome> {
        self.idle = (0..pairs).map(|pair| 2 * pair).collect();
        let (begin, cost) = self.begin()?;
        let mut begun = 0_u64;
        while begin.elapsed() < lasting || self.over < begun {
            while begin.elapsed() < lasting
                && begun - self.over < under_way as u64
                && let Some(caller) = self.idle.pop_front()
            {
                self.invite(caller)?;
                begun += 1;
            }
            self.step()?;
        }
        self.finish(begin.elapsed(), cost)
    }

    fn invite(&mut self, caller: u32) -> Result<()> {
        let one = self.phone(caller);
        one.begun = now();
        one.sequence += 1;
        one.login = login(caller);
        let (sequence, branch) = (one.sequence, one.branch);
        let to = record(caller + 1);
        let mut request = Request::new(Method::Invite, &to);
        let fields = &mut request.fields;
        fields.push(Name::MaxForwards, "70");
        fields.push(Name::From, format!("<{}>;tag=c{branch}", record(caller)));
        fields.push(Name::To, format!("<{to}>"));
        let id = format!("call-{caller}-{branch}@{}", phone_address(caller));
        fields.push(Name::CallId, id);
        fields.push(Name::CSeq, format!("{sequence} INVITE"));
        fields.push(Name::Contact, contact(caller));
        fields.push(Name::ContentType, "application/sdp");
        fields.set_body(description(caller).as_bytes());
        self.ask(caller, request)
    }

    /// What a phone does when it is asked.
    pub(super) fn asked(&mut self, phone: u32, request: &Request) -> Result<()> {
        let mut response = Response::answer(request, Status::OK);
        match request.method {
            Method::Ack => return Ok(()),
            Method::Invite => {
                // The last one's tag is another's call's.
                response.fields.set_to_tag(&format!("a{phone}"));
                response.fields.copy(&request.fields, Name::RecordRoute);
                response.fields.push(Name::Contact, contact(phone));
                response.fields.push(Name::ContentType, "application/sdp");
                response.fields.set_body(description(phone).as_bytes());
            }
            _ => {}
        }
        self.answer(phone, &response)
    }

    /// A refused INVITE: the same branch again (RFC 3261 section 17.1.1.3).
    pub(super) fn acknowledge(
        &mut self,
        phone: u32,
        request: &Request,
        response: &Response,
    ) -> Result<()> {
        let mut ack = Request::new(Method::Ack, request.uri());
        for name in [Name::Via, Name::From, Name::CallId, Name::MaxForwards] {
            ack.fields.copy(&request.fields, name);
        }
        ack.fields.copy(&response.fields, Name::To);
        let sequence = self.phone(phone).sequence;
        ack.fields.push(Name::CSeq, format!("{sequence} ACK"));
        self.send_as_it_is(phone, &ack)
    }

    /// Both talk: ACK, and BYE at once.
    pub(super) fn connected(
        &mut self,
        phone: u32,
        request: &Request,
        response: &Response,
    ) -> Result<()> {
        let target = response.fields.contact();
        let target = target.map_or_else(|| record(phone + 1), |contact| contact.text.to_owned());
        let mut routes: Vec<Vec<u8>> = response
            .fields
            .values(Name::RecordRoute)
            .map(<[u8]>::to_vec)
            .collect();
        routes.reverse();
        let within = |method: Method, sequence: u32| {
            let line = format!("{sequence} {}", method.as_str());
            let mut next = Request::new(method, &target);
            for route in &routes {
                next.fields.push(Name::Route, route);
            }
            for name in [Name::From, Name::CallId, Name::MaxForwards] {
                next.fields.copy(&request.fields, name);
            }
            next.fields.copy(&response.fields, Name::To);
            next.fields.push(Name::CSeq, line);
            next
        };
        let sequence = self.phone(phone).sequence;
        self.ask(phone, within(Method::Ack, sequence))?;
        self.phone(phone).sequence += 1;
        self.ask(phone, within(Method::Bye, sequence + 1))
    }
}
