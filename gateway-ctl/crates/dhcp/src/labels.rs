//! Enumerations that are counted: index, label and help in one place.

/// Makes an enumeration with `ALL`, `index`, `label` and `help`.
macro_rules! labelled {
    (
        $(#[$doc:meta])*
        $name:ident { $( $(#[$variant_doc:meta])* $variant:ident, $label:literal, $help:literal; )* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $( $(#[$variant_doc])* $variant, )* }

        impl $name {
            /// All of them, in the order of [`Self::index`].
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// Its place in a table of counters.
            #[must_use]
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The metric's label value.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self { $( Self::$variant => $label, )* }
            }

            /// What it means and, where something is wrong, what to do.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $( Self::$variant => $help, )* }
            }
        }
    };
}
pub(crate) use labelled;
