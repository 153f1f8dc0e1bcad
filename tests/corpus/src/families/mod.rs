//! One file a family of formats. Each function writes one capture.

use crate::scene::Scene;

mod ccda;
mod columns;
mod curses;
mod dicom;
mod editors;
mod fhir;
mod forms;
mod grep;
mod hex;
mod hl7;
mod innocent_clinical;
mod innocent_code;
mod innocent_net;
mod innocent_people;
mod innocent_records;
mod innocent_system;
mod keyed;
mod learned;
mod letters;
mod logs;
mod mumps;
mod osc;
mod other_hands;
mod pager;
mod panes;
mod sql_mysql;
mod sql_other;
mod sql_psql;
mod typed;
mod wide;
mod x12;

#[derive(Debug, Clone, Copy)]
pub struct Family {
    pub name: &'static str,
    pub make: fn(&mut Scene),
    /// Looks alike and tells of nobody.
    pub innocent: bool,
}

const fn of(name: &'static str, make: fn(&mut Scene)) -> Family {
    Family { name, make, innocent: false }
}

const fn innocent(name: &'static str, make: fn(&mut Scene)) -> Family {
    Family { name, make, innocent: true }
}

pub const FAMILIES: &[Family] = &[
    of("psql aligned", sql_psql::aligned),
    of("psql piped", sql_psql::piped),
    of("psql bordered", sql_psql::bordered),
    of("psql unaligned", sql_psql::unaligned),
    of("psql expanded", sql_psql::expanded),
    of("psql gx", sql_psql::gx),
    of("psql headerless", sql_psql::headerless),
    of("psql wrapped", sql_psql::wrapped),
    of("psql shifted", sql_psql::shifted),
    of("mysql box", sql_mysql::boxed),
    of("mysql vertical", sql_mysql::vertical),
    of("mysql batch", sql_mysql::batch),
    of("sql inserts", sql_mysql::inserts),
    of("sqlite list", sql_other::sqlite_list),
    of("sqlite headerless", sql_other::sqlite_headerless),
    of("sqlite column", sql_other::sqlite_column),
    of("sqlite box", sql_other::sqlite_box),
    of("sqlite line", sql_other::sqlite_line),
    of("sqlcmd", sql_other::sqlcmd),
    of("sqlplus", sql_other::sqlplus),
    of("pg_dump copy", sql_other::pg_dump),
    of("csv", columns::csv),
    of("csv headless", columns::csv_headless),
    of("tsv", columns::tsv),
    of("tsv headless", columns::tsv_headless),
    of("pipe separated", columns::pipes),
    of("column -t", columns::column_t),
    of("fixed width report", columns::report),
    of("markdown table", columns::markdown),
    of("hl7 segments", hl7::lines),
    of("hl7 odd marks", hl7::odd_marks),
    of("hl7 bare returns", hl7::bare_returns),
    of("hl7 seen returns", hl7::visible_returns),
    of("hl7 logged", hl7::logged),
    of("hl7 pretty", hl7::pretty),
    of("x12 lines", x12::with_newlines),
    of("x12 one line", x12::one_line),
    of("fhir pretty", fhir::pretty),
    of("fhir one line", fhir::one_line),
    of("fhir xml", fhir::xml),
    of("ccda", ccda::document),
    of("json", keyed::json),
    of("json lines", keyed::json_lines),
    of("yaml", keyed::yaml),
    of("xml", keyed::xml),
    of("ini", keyed::ini),
    of("environment", keyed::environment),
    of("repr", keyed::repr),
    of("dcmdump", dicom::dcmdump),
    of("pydicom", dicom::pydicom),
    of("findscu", dicom::findscu),
    of("dicom json", dicom::json),
    of("study list", dicom::studies),
    of("mumps globals", mumps::globals),
    of("fileman", mumps::fileman_inquiry),
    of("syslog", logs::syslog),
    of("mirth log", logs::mirth),
    of("orthanc log", logs::orthanc),
    of("dcm4chee log", logs::dcm4chee),
    of("key=value log", logs::key_value),
    of("access log", logs::access),
    of("database log", logs::database),
    of("telephony log", logs::telephony),
    of("form", forms::labelled),
    of("form dotted", forms::dotted),
    of("form two columns", forms::two_columns),
    of("form labels above", forms::above),
    of("form boxed", forms::boxed),
    of("wristband", forms::wristband),
    of("schedule", forms::worklist),
    of("banner", forms::banner),
    of("discharge letter", letters::discharge),
    of("referral", letters::referral),
    of("progress note", letters::progress_note),
    of("mail", letters::mail),
    of("xxd", hex::xxd),
    of("hexdump -C", hex::hexdump),
    of("tcpdump -X", hex::tcpdump),
    of("grep coloured", grep::coloured),
    of("diff coloured", grep::diff),
    of("less", pager::less),
    of("vim", editors::vim),
    of("nano", editors::nano),
    of("tmux panes", panes::tmux),
    of("curses form", curses::form),
    of("curses list", curses::list),
    of("wide table", wide::table),
    of("wide form", wide::form),
    of("combining marks", wide::marks),
    of("typed sql", typed::sql_prompt),
    of("typed shell", typed::shell_prompt),
    of("typed answers", typed::questions),
    of("typed edited", typed::edited),
    of("osc titles", osc::titles),
    of("osc links", osc::links),
    of("then alone", learned::then_alone),
    of("dump with ddl", other_hands::dump_with_ddl),
    of("bound parameters", other_hands::parameters),
    of("printed data", other_hands::printed_data),
    of("laboratory records", other_hands::laboratory),
    of("foreign forms", other_hands::foreign_forms),
    of("audit trail", other_hands::audit_trail),
    innocent("no: interfaces", innocent_net::interfaces),
    innocent("no: sockets", innocent_net::sockets),
    innocent("no: hosts", innocent_net::hosts),
    innocent("no: web log", innocent_net::web_log),
    innocent("no: certificates", innocent_net::certificates),
    innocent("no: ls -l", innocent_system::listing),
    innocent("no: df free", innocent_system::disks),
    innocent("no: top", innocent_system::top),
    innocent("no: ps", innocent_system::processes),
    innocent("no: dmesg", innocent_system::dmesg),
    innocent("no: journal", innocent_system::journal),
    innocent("no: kubectl", innocent_system::kubectl),
    innocent("no: packages", innocent_system::packages),
    innocent("no: jobs, uuids", innocent_system::jobs),
    innocent("no: git log", innocent_code::git_log),
    innocent("no: schema", innocent_code::schema),
    innocent("no: headers", innocent_code::headers),
    innocent("no: source", innocent_code::source),
    innocent("no: configuration", innocent_code::configuration),
    innocent("no: manual", innocent_code::manual),
    innocent("no: build", innocent_code::build),
    innocent("no: vitals", innocent_clinical::vitals),
    innocent("no: results", innocent_clinical::results),
    innocent("no: ages", innocent_clinical::ages),
    innocent("no: catalogues", innocent_clinical::catalogue),
    innocent("no: prose", innocent_clinical::prose),
    innocent("no: staff", innocent_clinical::staff),
    innocent("no: machines", innocent_records::tables),
    innocent("no: labels", innocent_records::labels),
    innocent("no: manifests", innocent_records::manifests),
    innocent("no: messages", innocent_records::messages),
    innocent("no: inventories", innocent_records::inventories),
    innocent("no: developers", innocent_people::developers),
    innocent("no: placeholders", innocent_people::placeholders),
];
