//! The parsers of formats, one line after the other: each begins with something of its format, so that the fuzzer need not guess it. They may
//! find what they like and must not panic, nor take forever.
#![no_main]

use std::{sync::Arc, time::Duration};

use anteroom_masking::{Masker, RuleSet};

const BEGINNINGS: [&str; 20] = [
    "MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rPID|1||",
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *240115*0830*^*00501*000000905*0*P*:~NM1*IL*1*",
    "{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"",
    "<recordTarget><patientRole><id extension=\"",
    "patient:\n  name:\n    - ",
    "(0010,0010) PN [",
    "(0010, 0010) Patient's Name   PN: '",
    "^DPT(123,0)=\"",
    "00000000: 4d53 487c ",
    "00000000  4d 53 48 7c ",
    "0000000   M   S   H   |",
    "mrn,last_name,dob\n",
    " mrn | last_name \n-----+-----------\n ",
    "mrn    last_name   dob\n-----  ----------  ----\n",
    "select mrn, last_name from p;\n",
    "-[ RECORD 1 ]---\nmrn | ",
    "Dear Mrs. ",
    "grep 'Wh",
    "E004512|Whitfield|Ann|1954-03-11|",
    "Patient Name: ",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static RULES: std::sync::LazyLock<Arc<RuleSet>> = std::sync::LazyLock::new(|| Arc::new(RuleSet::builtin()));
    let Some((which, bytes)) = data.split_first() else { return };
    let mut masker = Masker::plain(Arc::clone(&RULES));
    let mut out = Vec::new();
    masker.feed(Duration::ZERO, BEGINNINGS[usize::from(*which) % BEGINNINGS.len()].as_bytes(), &mut out);
    masker.feed(Duration::ZERO, bytes, &mut out);
    masker.finish(Duration::from_secs(1), &mut out);
});
