//! Names for things that the core knows only by number.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($number:ty), $sigil:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub struct $name($number);

        impl $name {
            #[doc = concat!("The ", stringify!($name), " with this number.")]
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($sigil, "{}"), self.0)
            }
        }
    };
}

id! {
    /// A slot, numbered by the host, which keeps the names.
    ///
    /// The numbers index a table, so the host counts from 0 and may give the number of a dropped
    /// slot to another one.
    SlotId(u16), "slot"
}

id! {
    /// One incarnation of a slot, numbered by the supervisor from 1 on and never reused.
    RunId(u64), "#"
}

id! {
    /// A question that the host asked and wants answered, numbered by the host.
    RequestId(u64), "?"
}

id! {
    /// What a run of a slot executes: command, folder, environment. The host keeps it under this
    /// number; the core only hands the number back when it is time to spawn.
    LaunchId(u64), "launch"
}
