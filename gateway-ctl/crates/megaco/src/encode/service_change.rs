//! ServiceChange.

use super::writer::{First, Writer};
use crate::message::{
    ChangeAddress, Method, Mid, Profile, Reason, ServiceChange, ServiceChangeResult, Timestamp,
};
use crate::token::Token;

impl Writer<'_> {
    pub(super) fn service_change(&mut self, change: &ServiceChange) {
        self.token(Token::Services);
        self.open();
        let mut first = true;
        self.item(&mut first);
        self.method(&change.method);
        self.item(&mut first);
        self.reason(&change.reason);
        if let Some(delay) = change.delay {
            self.item(&mut first);
            self.token_number(Token::Delay, delay);
        }
        self.where_to(change.address.as_ref(), change.mgc.as_ref(), &mut first);
        let (profile, version) = (change.profile.as_ref(), change.version);
        self.what(profile, version, change.timestamp, &mut first);
        if change.incomplete {
            self.item(&mut first);
            self.token(Token::Incomplete);
        }
        for item in &change.audit {
            self.item(&mut first);
            self.audit_item(item);
        }
        for parameter in &change.extensions {
            self.item(&mut first);
            self.parameter(parameter);
        }
        self.close();
    }

    pub(super) fn service_change_result(&mut self, result: &ServiceChangeResult) {
        let ServiceChangeResult::Accepted {
            address,
            mgc,
            profile,
            version,
            timestamp,
        } = result
        else {
            return;
        };
        self.token(Token::Services);
        self.open();
        let mut first = true;
        self.where_to(address.as_ref(), mgc.as_ref(), &mut first);
        self.what(profile.as_ref(), *version, *timestamp, &mut first);
        self.close();
    }

    fn where_to(&mut self, address: Option<&ChangeAddress>, mgc: Option<&Mid>, first: &mut First) {
        if let Some(address) = address {
            self.item(first);
            self.token_is(Token::ServiceChangeAddress);
            match address {
                ChangeAddress::Port(port) => self.number(*port),
                ChangeAddress::Mid(mid) => self.mid(mid),
            }
        }
        if let Some(mgc) = mgc {
            self.item(first);
            self.token_is(Token::MgcId);
            self.mid(mgc);
        }
    }

    fn what(
        &mut self,
        profile: Option<&Profile>,
        version: Option<u8>,
        timestamp: Option<Timestamp>,
        first: &mut First,
    ) {
        if let Some(profile) = profile {
            self.item(first);
            self.token_is(Token::Profile);
            self.raw(profile.name.as_bytes());
            self.out.push(b'/');
            self.number(profile.version);
        }
        if let Some(version) = version {
            self.item(first);
            self.token_number(Token::Version, version);
        }
        if let Some(timestamp) = timestamp {
            self.item(first);
            self.timestamp(timestamp);
        }
    }

    fn method(&mut self, method: &Method) {
        self.token_is(Token::Method);
        match method {
            Method::Graceful => self.token(Token::Graceful),
            Method::Forced => self.token(Token::Forced),
            Method::Restart => self.token(Token::Restart),
            Method::Disconnected => self.token(Token::Disconnected),
            Method::HandOff => self.token(Token::HandOff),
            Method::Failover => self.token(Token::Failover),
            Method::Other(name) => self.raw(name.as_bytes()),
        }
    }

    /// `RE="901 text"`
    fn reason(&mut self, reason: &Reason) {
        self.token_is(Token::Reason);
        self.out.push(b'"');
        self.number(reason.code);
        if !reason.text.is_empty() {
            self.out.push(b' ');
            self.raw(reason.text.as_bytes());
        }
        self.out.push(b'"');
    }
}
