//! What is said of properties and parameters.

use super::lexer::{Parsed, Reader, number};
use crate::message::{ParmValue, Property, Timestamp};

impl Reader<'_> {
    /// Whether `=`, `#`, `<` or `>` follows.
    pub(super) fn at_parm_value(&self) -> bool {
        matches!(self.peek(), Some(b'=' | b'#' | b'<' | b'>'))
    }

    pub(super) fn parm_value(&mut self) -> Parsed<ParmValue> {
        if self.take(b'#') {
            return self.value().map(ParmValue::Not);
        }
        if self.take(b'<') {
            return self.value().map(ParmValue::Below);
        }
        if self.take(b'>') {
            return self.value().map(ParmValue::Above);
        }
        self.expect(b'=', "=, #, < or >")?;
        match self.peek() {
            Some(b'{') => {
                let mut values = Vec::new();
                self.braced(|reader| {
                    values.push(reader.value()?);
                    Ok(())
                })?;
                Ok(ParmValue::OneOf(values))
            }
            Some(b'[') => self.list_or_range(),
            _ => self.value().map(ParmValue::Is),
        }
    }

    fn list_or_range(&mut self) -> Parsed<ParmValue> {
        let (mut values, mut high) = (Vec::new(), None);
        self.listed(b'[', b']', |reader| {
            let value = reader.value()?;
            if values.is_empty() && reader.take(b':') {
                high = Some(reader.value()?);
            } else if high.is_some() {
                return Err(reader.fault("a closing bracket behind a range"));
            }
            values.push(value);
            Ok(())
        })?;
        Ok(match (high, values.pop()) {
            (Some(high), Some(low)) => ParmValue::Range(low, high),
            (_, last) => {
                values.extend(last);
                ParmValue::All(values)
            }
        })
    }

    /// A property whose name has been read.
    pub(super) fn property_of(&mut self, word: &[u8], expected: &'static str) -> Parsed<Property> {
        let name = self.pkgd_name_of(word, expected)?;
        let value = self.parm_value()?;
        Ok(Property { name, value })
    }

    /// The time, if this word is one.
    pub(super) fn timestamp_of(word: &[u8]) -> Option<Timestamp> {
        let (date, time) = (word.get(..8)?, word.get(9..)?);
        if !word[8].eq_ignore_ascii_case(&b'T') || time.len() != 8 {
            return None;
        }
        Timestamp::new(number(date)?, number(time)?)
    }
}
