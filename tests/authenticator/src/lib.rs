//! A passkey made of software, for tests and the lab: goes through the real enrolment, login and signing.
#![forbid(unsafe_code)]
