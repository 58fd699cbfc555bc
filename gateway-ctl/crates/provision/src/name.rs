//! What a phone asks for, as a path that stays below a directory.

use std::fmt;

use crate::NameError;

/// Longest path, in bytes. Names on Linux have 255 bytes at most; phones ask for one or two
/// folders.
const MOST_BYTES: usize = 1024;
/// Longest component, in bytes (NAME_MAX of Linux).
const MOST_COMPONENT: usize = 255;

/// A relative path of plain components: none is empty, `.` or `..`, none holds a control
/// character or a backslash.
///
/// Phones write paths in many ways: from `/` on, with backslashes (RFC 1350 leaves the form
/// of a name to the server), with empty components. All are read as from the root of what is
/// served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// Reads a name as a phone wrote it.
    ///
    /// # Errors
    /// When it leads upwards, is empty or too long, or holds a control character (NUL too).
    pub fn new(requested: &str) -> Result<Self, NameError> {
        if requested.len() > MOST_BYTES {
            let got = requested.len();
            return Err(NameError::TooLong {
                got,
                most: MOST_BYTES,
            });
        }
        if requested.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        let mut path = String::with_capacity(requested.len());
        for component in requested.split(['/', '\\']) {
            match component {
                "" | "." => continue,
                ".." => return Err(NameError::Upwards),
                _ if component.len() > MOST_COMPONENT => {
                    let got = component.len();
                    return Err(NameError::TooLong {
                        got,
                        most: MOST_COMPONENT,
                    });
                }
                _ => {}
            }
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(component);
        }
        if path.is_empty() {
            return Err(NameError::Empty);
        }
        Ok(Self(path))
    }

    /// The path, components separated by `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_phones_write_them() {
        for (requested, path) in [
            ("cfg.xml", "cfg.xml"),
            ("/cfg.xml", "cfg.xml"),
            ("\\firmware\\1.2\\image.bin", "firmware/1.2/image.bin"),
            ("./a//b/./c/", "a/b/c"),
            ("...", "..."),
            ("a..b", "a..b"),
            (" a b ", " a b "),
        ] {
            assert_eq!(Name::new(requested).unwrap().as_str(), path, "{requested}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for requested in ["..", "../a", "a/../b", "a\\..\\..\\b", "/..", "a/.."] {
            assert_eq!(Name::new(requested), Err(NameError::Upwards), "{requested}");
        }
        for requested in ["", "/", "\\", ".", "././"] {
            assert_eq!(Name::new(requested), Err(NameError::Empty), "{requested}");
        }
        for requested in ["a\0b", "a\nb", "\u{85}", "\u{7f}"] {
            assert_eq!(Name::new(requested), Err(NameError::Control));
        }
        let long = "a".repeat(256);
        for requested in [long.clone(), format!("b/{long}/c"), "a/".repeat(513)] {
            let refused = Name::new(&requested);
            assert!(matches!(refused, Err(NameError::TooLong { .. })));
        }
        assert!(Name::new(&"a".repeat(255)).is_ok());
    }

    proptest! {
        #[test]
        fn every_name_stays_below(requested in "[./\\\\a\u{0}-\u{20}é]{0,40}") {
            if let Ok(name) = Name::new(&requested) {
                prop_assert!(!name.as_str().contains(['\\', '\0']));
                for component in name.as_str().split('/') {
                    prop_assert!(!["", ".", ".."].contains(&component));
                }
                prop_assert_eq!(Name::new(name.as_str()), Ok(name));
            }
        }
    }
}
