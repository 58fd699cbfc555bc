//! Why there is no file.

/// A name that no file has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing is left of it.
    #[error("the name is empty")]
    Empty,
    /// It would leave the directory.
    #[error("the name leads upwards (\"..\")")]
    Upwards,
    /// It holds a control character.
    #[error("the name holds a control character")]
    Control,
    /// It is too long.
    #[error("the name, or a part of it, has {got} bytes, expected at most {most}")]
    TooLong {
        /// Bytes it has.
        got: usize,
        /// Bytes it may have.
        most: usize,
    },
}

/// What is wrong with a pattern; Display says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// It could be no file's name.
    #[error("\"{pattern}\" is no name of a file: {error}")]
    Name {
        /// As written.
        pattern: String,
        /// Why not.
        error: NameError,
    },
    /// Braces around something else than a MAC address.
    #[error("{{{got}}} in \"{pattern}\" stands for nothing: write {{mac}}, {{mac:-}} or {{mac::}}")]
    Unknown {
        /// As written.
        pattern: String,
        /// What the braces hold.
        got: String,
    },
    /// A brace without its partner.
    #[error("a brace in \"{pattern}\" has no partner: write {{mac}}")]
    Brace {
        /// As written.
        pattern: String,
    },
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {file}, line {line}: {message}")]
pub struct TemplateError {
    /// The template's file.
    pub file: String,
    /// Its line, from 1; 0: the file as a whole.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub fix: String,
}

/// Why a phone gets no file, though a template answers to its name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// Nothing is known of who asks.
    #[error("{name} is for a phone with a lease, and none has the address that asked")]
    NoLease {
        /// What was asked for.
        name: String,
    },
    /// The name holds another phone's MAC address.
    #[error("{name} is another phone's: the phone that asked is {asking}")]
    Others {
        /// What was asked for.
        name: String,
        /// MAC address of who asked.
        asking: String,
    },
    /// The template cannot be made a file for this phone.
    #[error(transparent)]
    Template(#[from] TemplateError),
}
