//! Dialogs (RFC 3261 section 12): what both ends remember of each other.

use serde::{Deserialize, Serialize};

use crate::message::{Fields, Method, Name, Request, Response};

/// One end of a dialog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialog {
    /// Its Call-ID.
    pub call_id: String,
    /// From value of requests this end sends, with its tag.
    pub local: String,
    /// This end's tag.
    pub local_tag: String,
    /// To value of requests this end sends, with the other's tag once there is one.
    pub remote: String,
    /// The other end's tag.
    pub remote_tag: Option<String>,
    /// Request-URI: the other's Contact.
    pub target: String,
    /// Route values, in the order of requests this end sends.
    pub routes: Vec<String>,
    /// Of the last request sent.
    pub sequence: u32,
    /// Of the last request received.
    pub heard: Option<u32>,
}

fn text(fields: &Fields, name: Name) -> String {
    String::from_utf8_lossy(fields.value(name).unwrap_or_default()).into_owned()
}

fn routes(fields: &Fields) -> Vec<String> {
    let values = fields.values(Name::RecordRoute);
    values
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect()
}

impl Dialog {
    /// Before a call: the other's tag is not known yet.
    #[must_use]
    pub fn outgoing(call_id: String, local: String, tag: String, target: &str) -> Self {
        Self {
            call_id,
            local: format!("{local};tag={tag}"),
            local_tag: tag,
            remote: format!("<{target}>"),
            remote_tag: None,
            target: target.to_owned(),
            routes: Vec::new(),
            sequence: 0,
            heard: None,
        }
    }

    /// The other end has answered.
    pub fn establish(&mut self, response: &Response) {
        let fields = &response.fields;
        self.remote = text(fields, Name::To);
        self.remote_tag = fields.to_tag().map(str::to_owned);
        self.routes = routes(fields);
        self.routes.reverse();
        self.retarget(fields);
    }

    /// The other end has a new Contact.
    pub fn retarget(&mut self, fields: &Fields) {
        if let Some(contact) = fields.contact() {
            contact.text.clone_into(&mut self.target);
        }
    }

    /// Of an INVITE that was received.
    #[must_use]
    pub fn incoming(request: &Request, tag: String) -> Self {
        let fields = &request.fields;
        let mut dialog = Self {
            call_id: text(fields, Name::CallId),
            local: format!("{};tag={tag}", text(fields, Name::To)),
            local_tag: tag,
            remote: text(fields, Name::From),
            remote_tag: fields.from_tag().map(str::to_owned),
            target: String::new(),
            routes: routes(fields),
            sequence: 0,
            heard: fields.cseq().ok().map(|sequence| sequence.number),
        };
        dialog.retarget(fields);
        dialog
    }

    /// Whether a request from the other end belongs to it.
    #[must_use]
    pub fn is_of(&self, request: &Request) -> bool {
        let fields = &request.fields;
        fields.call_id() == Ok(&self.call_id)
            && fields.to_tag() == Some(&self.local_tag)
            && fields.from_tag() == self.remote_tag.as_deref()
    }

    /// Whether a request of this dialog comes in order.
    pub fn in_order(&mut self, request: &Request) -> bool {
        let Ok(sequence) = request.fields.cseq() else {
            return false;
        };
        let number = sequence.number;
        let fresh = self.heard.is_none_or(|heard| number > heard);
        if fresh {
            self.heard = Some(number);
        }
        fresh
    }

    /// The next request of this end, without Via and Contact. An ACK takes the number of its
    /// INVITE, the last one sent.
    #[must_use]
    pub fn request(&mut self, method: Method) -> Request {
        if method != Method::Ack {
            self.sequence += 1;
        }
        let mut request = Request::new(method, &self.target);
        let fields = &mut request.fields;
        fields.push(Name::MaxForwards, "70");
        for route in &self.routes {
            fields.push(Name::Route, route);
        }
        fields.push(Name::From, &self.local);
        fields.push(Name::To, &self.remote);
        fields.push(Name::CallId, &self.call_id);
        let sequence = format!("{} {}", self.sequence, request.method);
        request.fields.push(Name::CSeq, sequence);
        request
    }
}
