//! Files for phones, made from templates.
//!
//! ```text
//!   "\0004F2AABBCC.cfg"  --Name-->  0004F2AABBCC.cfg
//!                                     |  Pattern {mac}.cfg: whose file is it?
//!              another's, or nobody's |  the asking phone's
//!                             refused v
//!                                   template + the phone's values  -->  bytes
//! ```
//!
//! A phone that was bought in a shop knows nothing of port ranges. It does ask a server for
//! a file that has its MAC address in the name, and in that file it can be told which ports
//! to use and which address to name: here that file is written at the moment it is asked
//! for, from what the phone's lease says.
//!
//! Nothing here has a disk or a clock: texts and names come in, bytes go out. Templates are
//! the operator's and trusted in what they say; values come from the network, and none of
//! them can add a line or an element to a file.
//!
//! | file | what it does |
//! |---|---|
//! | `name.rs` | what a phone asks for, as a path that stays below a directory |
//! | `pattern.rs` | names that a template stands for: `cfg{mac}.xml` |
//! | `carried.rs` | MAC addresses in names: whose file is it? |
//! | `phone.rs` | what is known of a phone, as the variables of templates |
//! | `templates.rs` | which template answers to a name; checked when they are loaded |
//! | `engine.rs` | what a template can do: few filters, so many steps, so much output |
//! | `escape.rs` | values as XML, JSON or plain text can hold them |
//! | `trouble.rs` | what is wrong with a template, in words |
//! | `error.rs` | why there is no file |
//! | `testing.rs` | what must hold whatever comes in, for the fuzz target |

#![forbid(unsafe_code)]

mod carried;
mod engine;
mod error;
mod escape;
mod name;
mod pattern;
mod phone;
mod templates;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod trouble;

pub use error::{NameError, PatternError, RenderError, TemplateError};
pub use name::Name;
pub use pattern::{Match, Pattern};
pub use phone::{Account, Phone};
pub use templates::{MOST_OUTPUT, Rendered, Rule, Templates};
