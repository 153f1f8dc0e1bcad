//! The vocabulary. A third of every list is held out (`Scene::pick`), so lists are in no order of likeness.

pub mod clinical;
pub mod fields;
pub mod people;
