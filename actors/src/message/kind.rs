//! Names of variants, for traces.

/// The name of a variant, as it stands in the code; what is put otherwise stands first. One that is forgotten does not compile.
macro_rules! kind {
    ($of:expr, $type:ident { $($name:ident),* $(,)? } $(, $other:pat => $kind:expr)* $(,)?) => {
        match $of {
            $($other => $kind,)*
            $($type::$name { .. } => stringify!($name),)*
        }
    };
}
pub(crate) use kind;
