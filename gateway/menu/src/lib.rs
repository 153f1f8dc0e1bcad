//! What a person sees who connects without naming a target.
