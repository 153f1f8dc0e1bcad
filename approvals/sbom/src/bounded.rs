//! A list that stops being read when it is too long, instead of after it was built.
use crate::MAX_COMPONENTS;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData};

#[derive(Debug)]
pub(crate) struct Bounded<T>(pub(crate) Vec<T>);

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What a list says that is too long; looked for in the error.
pub(crate) const TOO_MANY: &str = "anteroom: too many";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = Bounded<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bounded<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    if all.len() >= MAX_COMPONENTS {
                        return Err(A::Error::custom(TOO_MANY));
                    }
                    all.push(one);
                }
                Ok(Bounded(all))
            }
        }
        d.deserialize_seq(List(PhantomData))
    }
}
