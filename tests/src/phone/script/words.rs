//! A line's words: spaces between them, quotes around spaces, `#` begins a comment.

use anyhow::{Result, bail};

/// The words of a line.
///
/// # Errors
/// When a quote is not closed.
pub(super) fn words(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars();
    while let Some(next) = rest.next() {
        match next {
            '#' if word.is_none() => break,
            c if c.is_whitespace() => words.extend(word.take()),
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next() {
                        Some('"') => break,
                        Some(c) => word.push(c),
                        None => bail!("a quote is not closed"),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_quotes_and_comments() {
        let found = words("a1  expect ringing # soon").unwrap();
        assert_eq!(found, ["a1", "expect", "ringing"]);
        let found = words(r##"phone a vendor_class="My Phone" note "" x#y #"##).unwrap();
        assert_eq!(
            found,
            ["phone", "a", "vendor_class=My Phone", "note", "", "x#y"]
        );
        assert_eq!(words("  # nothing").unwrap(), [""; 0]);
        assert!(words("a \"b").is_err());
    }
}
