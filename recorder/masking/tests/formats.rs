//! Every format by an example a person could have on the screen: what must be hidden, what must stay. All people are made up.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use common::{check, stays, wrong};

#[test]
fn psql_wrapped_cells() {
    check(
        "ehr=# \\pset format wrapped\nehr=# select * from pat;\n   mrn   |  pat_name  | addr1      | hgb  \n---------+------------+------------+------\n E004512 | Whitfield, | 12 Elm Str.| 13.2\n         |.Marguerite |.eet        |      \n(1 row)\n\n",
        &["E004512", "Whitfield", "Marguerite", "Elm", ".eet"],
        &["mrn", "pat_name", "13.2", "(1 row)"],
    );
}

#[test]
fn psql_without_header_after_a_statement_that_names_its_columns() {
    check(
        "ehr=# \\t\nTuples only is on.\nehr=# select mrn, lname, hgb from patients;\n E004512 | whitfield | 13.2\n E004513 | okonkwo   |  9.8\n\nehr=# ",
        &["E004512", "whitfield", "okonkwo", "E004513"],
        &["13.2", "9.8", "Tuples only is on."],
    );
    check(
        "$ psql -At -c 'select p.last_name, p.first_name, max(v.admit_dt) from patients p join visits v using (id)'\nWhitfield|Marguerite|2024-01-03\nOkonkwo|Tobias|2024-01-05\n",
        &["Whitfield", "Marguerite", "Okonkwo", "2024-01-03"],
        &["psql -At"],
    );
    check("ehr=# select last_name from patients limit 2;\n Whitfield\n Okonkwo\n\nehr=# ", &["Whitfield", "Okonkwo"], &["ehr=#"]);
}

#[test]
fn rows_without_any_header_are_told_by_their_cells() {
    check(
        "E004512|Whitfield|Marguerite|1954-03-11|F|555-014-2231\nE004513|Okonkwo|Tobias|1987-11-30|M|555-014-8890\n",
        &["E004512", "Whitfield", "Marguerite", "1954-03-11", "014-2231", "Okonkwo"],
        &["|F|", "|M|"],
    );
    check(
        "99812,\"Whitfield, Marguerite\",1954-03-11,12 Elm Street,Ashburn,VA,20147\n",
        &["99812", "Whitfield", "Marguerite", "1954-03-11", "Elm", "Ashburn", "20147"],
        &[",VA,"],
    );
    check(
        "1001\tWhitfield\tMarguerite\t03/11/1954\t4W\n1002\tOkonkwo\tTobias\t11/30/1987\tICU\n",
        &["Whitfield", "Tobias", "03/11/1954"],
        &["4W", "ICU"],
    );
}

#[test]
fn psql_expanded_and_gx() {
    check(
        "-[ RECORD 1 ]-+--------------------\nid            | 17\nname          | Whitfield, Marguerite\nmed_rec_no    | E004512\nbirth_dt      | 1954-03-11\nnok_phone     | 555-014-2231\nhgb           | 13.2\nattending     | House, Gregory\n",
        &["Whitfield", "E004512", "1954-03-11", "014-2231"],
        &["13.2", "House, Gregory", "| 17"],
    );
}

#[test]
fn mysql_vertical_and_batch() {
    check(
        "mysql> select * from patient\\G\n*************************** 1. row ***************************\n        id: 17\n     lname: Whitfield\n     fname: Marguerite\n birthdate: 1954-03-11\n       ssn: 078-05-1120\n    weight: 71\n1 row in set (0.00 sec)\n",
        &["Whitfield", "Marguerite", "1954-03-11", "078-05-1120"],
        &["id: 17", "weight: 71", "1 row in set"],
    );
    check(
        "$ mysql -B -e 'select * from p' ehr\npatient_id\tlast_name\tdob\tbmi\n99812\tWhitfield\t1954-03-11\t24.1\n",
        &["99812", "Whitfield", "1954-03-11"],
        &["24.1", "last_name"],
    );
}

#[test]
fn sqlite_list_line_and_box() {
    check(
        "sqlite> .mode line\nsqlite> select * from p;\n       mrn = E004512\n last_name = Whitfield\n       dob = 1954-03-11\n       hgb = 13.2\n",
        &["E004512", "Whitfield", "1954-03-11"],
        &["hgb = 13.2"],
    );
    check(
        "┌─────────┬───────────┬────────────┐\n│   mrn   │ last_name │    dob     │\n├─────────┼───────────┼────────────┤\n│ E004512 │ Whitfield │ 1954-03-11 │\n└─────────┴───────────┴────────────┘\n",
        &["E004512", "Whitfield", "1954-03-11"],
        &["last_name"],
    );
}

#[test]
fn sqlcmd() {
    check(
        "1> select top 1 * from dbo.Patient\n2> go\nPatientID   LastName             FirstName            DateOfBirth      Height\n----------- -------------------- -------------------- ---------------- -----------\n      99812 Whitfield            Marguerite                 1954-03-11         171\n\n(1 rows affected)\n",
        &["99812", "Whitfield", "Marguerite", "1954-03-11"],
        &["171", "(1 rows affected)"],
    );
}

#[test]
fn column_t_and_shifted_rows() {
    check(
        "$ column -t -s, p.csv\nmrn      lname      fname       dob         ward\nE004512  Whitfield  Marguerite  1954-03-11  4W\nE004513  Li         Bo          1987-11-30  ICU\n",
        &["E004512", "Whitfield", "Marguerite", "1954-03-11", "Li ", "Bo "],
        &["4W", "ICU", "lname"],
    );
    check(
        "  mrn   |  last_name  | hgb\n-------+------------+-----\n   E004512 | Whitfield    | 13.2\n",
        &["E004512", "Whitfield"],
        &["13.2"],
    );
}

#[test]
fn grep_with_file_and_line_numbers() {
    check(
        "$ head -1 p.csv\nmrn,last_name,first_name,dob,weight\n$ grep -n Whit *.csv\np.csv:17:E004512,Whitfield,Marguerite,1954-03-11,71\n\x1b[35mp.csv\x1b[m\x1b[36m:\x1b[m\x1b[32m18\x1b[m\x1b[36m:\x1b[mE004513,\x1b[01;31mOkon\x1b[mkwo,Tobias,1987-11-30,80\n",
        &["E004512", "Whitfield", "Marguerite", "1954-03-11", "Okon", "Tobias", "kwo"],
        &[",71", ",80", "p.csv:17:"],
    );
}

#[test]
fn hl7_in_logs_and_pretty_printed() {
    check(
        "2024-01-15 08:30:01,114 INFO [mllp-3] << MSH|^~\\&|ADT|MERCY|EHR|MERCY|20240115083000||ADT^A04|MSG1|P|2.5.1<CR>PID|1||E004512^^^MERCY^MR||WHITFIELD^MARGUERITE||19540311|F|||12 ELM ST^^ASHBURN^VA^20147<CR>PV1|1|I|4W\n",
        &["E004512", "WHITFIELD", "19540311", "ELM", "20147", "ASHBURN"],
        &["MSH|^~\\&|ADT|MERCY", "PV1|1|I|4W", "^VA^"],
    );
    check(
        "PID.3.1: E004512\nPID.5.1: WHITFIELD\nPID-7 Date/Time of Birth = 19540311\nPV1.2: I\n",
        &["E004512", "WHITFIELD", "19540311"],
        &["PV1.2: I"],
    );
    check(
        "<PID>\n  <PID.3>\n    <CX.1>E004512</CX.1>\n    <CX.5>MR</CX.5>\n  </PID.3>\n  <PID.5>\n    <XPN.1><FN.1>WHITFIELD</FN.1></XPN.1>\n    <XPN.2>MARGUERITE</XPN.2>\n  </PID.5>\n  <PID.8>F</PID.8>\n</PID>\n",
        &["E004512", "WHITFIELD", "MARGUERITE"],
        &["<CX.5>MR</CX.5>", "<PID.8>F"],
    );
}

const X12: &str = "ISA*00*          *00*          *ZZ*SUBMITTER      *ZZ*RECEIVER       *240115*0830*^*00501*000000905*0*P*:~GS*HC*SENDER*RECEIVER*20240115*0830*1*X*005010X222A1~ST*837*0021*005010X222A1~NM1*85*1*HOUSE*GREGORY****XX*1234567893~N3*100 HOSPITAL WAY~N4*ASHBURN*VA*20147~NM1*IL*1*WHITFIELD*MARGUERITE*A***MI*EHP77120043~N3*12 ELM STREET~N4*LEESBURG*VA*20175~DMG*D8*19540311*F~REF*SY*078051120~NM1*PR*2*EXAMPLE HEALTH*****PI*842610001~CLM*A7712-1*150***11:B:1*Y*A*Y*I~DTP*472*D8*20240103~SV1*HC:99213*150*UN*1***1~SE*25*0021~";

#[test]
fn x12_claims_on_one_line_and_one_segment_a_line() {
    for text in [format!("{X12}\n"), X12.replace('~', "~\n"), X12.replace('*', "|").replace('~', "\n")] {
        check(
            &text,
            &["WHITFIELD", "MARGUERITE", "EHP77120043", "ELM STREET", "LEESBURG", "20175", "19540311", "078051120", "A7712"],
            &["HOUSE", "GREGORY", "1234567893", "HOSPITAL WAY", "EXAMPLE HEALTH", "842610001", "99213", "SUBMITTER"],
        );
    }
}

#[test]
fn x12_enrolment_and_remittance() {
    check(
        "INS*Y*18*030*XN*A*E**FT~\nREF*0F*EHP77120043~\nREF*1L*GRP0042~\nDTP*356*D8*20230101~\nNM1*IL*1*WHITFIELD*MARGUERITE****34*078051120~\nPER*IP**TE*5550142231*EM*MW@EXAMPLE.ORG~\nDMG*D8*19540311*F~\n",
        &["EHP77120043", "WHITFIELD", "078051120", "5550142231", "MW@EXAMPLE", "19540311"],
        &["INS*Y*18*030"],
    );
    check(
        "CLP*A7712-1*1*150*120*30*12*94060555410000*11*1~\nNM1*QC*1*WHITFIELD*MARGUERITE****MI*EHP77120043~\nNM1*82*1*HOUSE*GREGORY****XX*1234567893~\nSVC*HC:99213*150*120**1~\n",
        &["A7712-1", "WHITFIELD", "EHP77120043"],
        &["HOUSE", "99213", "1234567893"],
    );
}

#[test]
fn fhir_xml_and_c_cda() {
    check(
        "<Patient xmlns=\"http://hl7.org/fhir\">\n  <id value=\"p-88123\"/>\n  <identifier><system value=\"urn:oid:1.2.3\"/><value value=\"E004512\"/></identifier>\n  <name><family value=\"Whitfield\"/><given value=\"Marguerite\"/></name>\n  <telecom><system value=\"phone\"/><value value=\"555-014-2231\"/></telecom>\n  <gender value=\"female\"/>\n  <birthDate value=\"1954-03-11\"/>\n  <address><line value=\"12 Elm Street\"/><city value=\"Ashburn\"/><state value=\"VA\"/><postalCode value=\"20147\"/></address>\n</Patient>\n",
        &["E004512", "Whitfield", "Marguerite", "014-2231", "1954-03-11", "Elm", "Ashburn", "20147"],
        &["urn:oid:1.2.3", "female", "\"VA\"", "value=\"phone\""],
    );
    check(
        "<recordTarget>\n <patientRole>\n  <id extension=\"E004512\" root=\"2.16.840.1.113883.19.5\"/>\n  <addr use=\"HP\">\n   <streetAddressLine>12 Elm Street</streetAddressLine><city>Ashburn</city><state>VA</state><postalCode>20147</postalCode>\n  </addr>\n  <telecom value=\"tel:+1(555)014-2231\" use=\"HP\"/>\n  <patient>\n   <name><given>Marguerite</given><family>Whitfield</family></name>\n   <administrativeGenderCode code=\"F\" codeSystem=\"2.16.840.1.113883.5.1\"/>\n   <birthTime value=\"19540311\"/>\n  </patient>\n </patientRole>\n</recordTarget>\n<author>\n <assignedAuthor>\n  <id extension=\"1234567893\" root=\"2.16.840.1.113883.4.6\"/>\n  <assignedPerson><name><given>Gregory</given><family>House</family></name></assignedPerson>\n </assignedAuthor>\n</author>\n",
        &["E004512", "Elm", "Ashburn", "20147", "014-2231", "Marguerite", "Whitfield", "19540311"],
        &["2.16.840.1.113883.19.5", "Gregory", "House", "1234567893", "code=\"F\"", ">VA<"],
    );
}

#[test]
fn fhir_bundles_tell_patients_from_practitioners() {
    check(
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Practitioner\",\"name\":[{\"family\":\"House\",\"given\":[\"Gregory\"]}]}},{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p-88123\",\"name\":[{\"family\":\"Whitfield\",\"given\":[\"Marguerite\"]}],\"birthDate\":\"1954-03-11\"}},{\"resource\":{\"resourceType\":\"Observation\",\"subject\":{\"reference\":\"Patient/p-88123\",\"display\":\"Marguerite Whitfield\"},\"valueQuantity\":{\"value\":13.2}}}]}\n",
        &["p-88123", "Whitfield", "Marguerite", "1954-03-11"],
        &["House", "Gregory", "13.2"],
    );
}

#[test]
fn json_yaml_properties_and_ini_by_key() {
    check(
        "{\n  \"ward\": \"4W\",\n  \"patient\": {\n    \"name\": {\"first\": \"Marguerite\", \"last\": \"Whitfield\"},\n    \"dob\": \"1954-03-11\",\n    \"contact\": {\"name\": \"Harold Whitfield\", \"phone\": \"555-014-2232\"},\n    \"age\": 69\n  },\n  \"attending\": {\"name\": \"Gregory House\"}\n}\n",
        &["Marguerite", "Whitfield", "1954-03-11", "Harold", "014-2232"],
        &["\"4W\"", "69", "Gregory House"],
    );
    check(
        "patient:\n  name:\n    given:\n      - Marguerite\n      - Ann\n    family: Whitfield\n  address:\n    line: 12 Elm Street\n    city: Ashburn\n    state: VA\n  mrn: \"E004512\"\n  age: 69\nservice:\n  name: adt-router\n  replicas: 3\n",
        &["Marguerite", "- Ann", "Whitfield", "Elm", "Ashburn", "E004512"],
        &["state: VA", "age: 69", "name: adt-router", "replicas: 3"],
    );
    check(
        "[patient]\nlastName=Whitfield\nfirstName=Marguerite\ndateOfBirth=1954-03-11\nmedicareNo=1EG4TE5MK73\nemail=mw@example.org\n[server]\nhost=10.0.0.5\nport=2575\npatient.phone.home = 555-014-2231\n",
        &["Whitfield", "Marguerite", "1954-03-11", "1EG4TE5MK73", "mw@example", "014-2231"],
        &["host=10.0.0.5", "port=2575"],
    );
}

#[test]
fn a_weak_key_is_believed_when_its_object_names_a_patient() {
    check(
        "{\"id\":7,\"name\":\"Marguerite Whitfield\",\"mrn\":\"E004512\",\"ward\":\"4W\"}\n",
        &["Marguerite", "Whitfield", "E004512"],
        &["4W", "\"id\":7"],
    );
    check(
        "<Patients><Patient><PatientId>100234</PatientId><Name>Marguerite Whitfield</Name><Gender>F</Gender></Patient></Patients>\n",
        &["100234", "Whitfield"],
        &["<Gender>F"],
    );
    stays(
        "{\"name\":\"Network Manager\",\"version\":\"1.42.4\",\"address\":\"10.0.0.5\"}\n<server name=\"Integration Server\" address=\"10.0.0.5\"/>\n",
    );
}

#[test]
fn the_period_of_a_stay_is_the_patients_and_its_doctor_is_not() {
    check(
        "{\n  \"resourceType\": \"Encounter\",\n  \"subject\": { \"reference\": \"Patient/p-88123\" },\n  \"participant\": [ { \"individual\": { \"display\": \"Gregory House\" } } ],\n  \"period\": { \"start\": \"2024-01-03T14:22:00Z\", \"end\": \"2024-01-07T10:00:00Z\" }\n}\n",
        &["p-88123", "2024-01-03", "2024-01-07"],
        &["Gregory House"],
    );
}

#[test]
fn dicom_dumps() {
    check(
        "(0008,0020) DA [20240115]                               #   8, 1 StudyDate\n(0008,0060) CS [CT]                                     #   2, 1 Modality\n(0008,0090) PN [HOUSE^GREGORY]                          #  14, 1 ReferringPhysicianName\n(0010,0010) PN [WHITFIELD^MARGUERITE]                   #  20, 1 PatientName\n(0010,0020) LO [E004512]                                #   8, 1 PatientID\n(0010,0030) DA [19540311]                               #   8, 1 PatientBirthDate\n(0010,1010) AS [069Y]                                   #   4, 1 PatientAge\n(0018,1000) LO [SN-CT-4411]                             #  10, 1 DeviceSerialNumber\n",
        &["WHITFIELD", "MARGUERITE", "E004512", "19540311"],
        &["[CT]", "HOUSE^GREGORY", "069Y", "PatientName", "SN-CT-4411"],
    );
    check(
        "(0010, 0010) Patient's Name                      PN: 'WHITFIELD^MARGUERITE'\n(0010, 0020) Patient ID                          LO: 'E004512'\n(0010, 0030) Patient's Birth Date                DA: '19540311'\n(0010, 0040) Patient's Sex                       CS: 'F'\n(0028, 0010) Rows                                US: 512\n",
        &["WHITFIELD", "E004512", "19540311"],
        &["CS: 'F'", "US: 512", "Patient's Name"],
    );
    check(
        "{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"WHITFIELD^MARGUERITE\"}]},\"00100020\":{\"vr\":\"LO\",\"Value\":[\"E004512\"]},\"00080060\":{\"vr\":\"CS\",\"Value\":[\"CT\"]}}\n",
        &["WHITFIELD", "E004512"],
        &["\"PN\"", "\"CT\"", "\"LO\""],
    );
    check(
        "132: (0010,0010) PN #20 [WHITFIELD^MARGUERITE] PatientName\n160: (0010,0020) LO #8 [E004512] PatientID\n",
        &["WHITFIELD", "E004512"],
        &["PatientName"],
    );
}

#[test]
fn mumps_globals() {
    check(
        "^DPT(123,0)=\"WHITFIELD,MARGUERITE A^F^2540311^^3^^^^078051120^^^^^^3240115\"\n^DPT(123,.11)=\"12 ELM STREET^^^ASHBURN^51^20147\"\n^DPT(123,.13)=\"555-014-2231^555-014-9999\"\n^DPT(\"B\",\"WHITFIELD,MARGUERITE A\",123)=\"\"\n^DPT(\"SSN\",\"078051120\",123)=\"\"\n^DIC(4,500,0)=\"CAMP MASTER^^123\"\n",
        &["WHITFIELD", "MARGUERITE", "2540311", "078051120", "ELM", "ASHBURN", "20147", "014-2231"],
        &["^DPT(123,0)=", "CAMP MASTER", "\"B\""],
    );
    check(
        "^PAT(17,\"NAME\")=\"WHITFIELD,MARGUERITE\"\n^PAT(17,\"DOB\")=2540311\n^PAT(17,\"SEX\")=\"F\"\n^LR(44,\"CH\",7009,1)=\"13.2^^g/dL\"\n",
        &["WHITFIELD", "2540311"],
        &["\"SEX\")=\"F\"", "13.2^^g/dL"],
    );
}

#[test]
fn log_lines_of_engines_and_archives() {
    let mut all = String::new();
    for (line, hidden, kept) in [
        (
            "2024-01-15 08:30:00,123 INFO  [Channel ADT_In] patientName=WHITFIELD^MARGUERITE, patientId=E004512, took 12ms",
            &["WHITFIELD", "E004512"][..],
            "took 12ms",
        ),
        (
            "Jan 15 08:30:00 pacs1 dcmqrscp[811]: C-STORE from CT01 PatientID=E004512 PatientName=\"Whitfield^Marguerite\" StudyInstanceUID=1.2.840.113619.2.1",
            &["E004512", "Whitfield"],
            "1.2.840.113619.2.1",
        ),
        ("[INFO] merged patient E004512 into E009999 by svc_adt", &["E004512"], "by svc_adt"),
        (
            "user drhouse opened chart of WHITFIELD, MARGUERITE (E004512) from 10.20.30.41",
            &["WHITFIELD", "MARGUERITE", "E004512"],
            "10.20.30.41",
        ),
        ("GET /fhir/Patient/p-88123?_include=* HTTP/1.1 200", &["p-88123"], "HTTP/1.1 200"),
        ("GET /api/patients?mrn=E004512&last_name=Whitfield&dob=1954-03-11 200 12ms", &["E004512", "Whitfield", "1954-03-11"], "200 12ms"),
        (
            "WARN duplicate MRN E004512 for Whitfield, Marguerite (DOB 03/11/1954)",
            &["E004512", "Whitfield", "Marguerite", "03/11/1954"],
            "WARN duplicate",
        ),
        (
            "DEBUG Patient[id=17, lastName='Whitfield', firstName='Marguerite', birthDate=1954-03-11, sex=F]",
            &["Whitfield", "Marguerite", "1954-03-11"],
            "sex=F",
        ),
        ("login ok for portal user, patient ip: 203.0.113.77", &["203.0.113.77"], "login ok"),
        (
            "level=info msg=\"eligibility checked\" subscriber_id=EHP77120043 member=\"Marguerite Whitfield\" latency=31ms",
            &["EHP77120043", "Marguerite"],
            "latency=31ms",
        ),
        ("implant registered: UDI (01)00844588003288(17)260331(21)A213B1 for patient", &["00844588003288"], "implant registered"),
    ] {
        all.extend(wrong(&format!("{line}\n"), hidden, &[kept]));
    }
    assert!(all.is_empty(), "{all}");
}

#[test]
fn letters_and_forms() {
    check(
        "Mercy General Hospital\n\nMrs. Marguerite Whitfield\n12 Elm Street\nAshburn, VA 20147\n\nRe: Marguerite Whitfield, DOB: 03/11/1954\n\nDear Mrs. Whitfield,\n\nYou were admitted on January 3, 2024 and discharged on January 7, 2024.\nYour husband Harold may call 555-014-2231.\nHemoglobin was 13.2 g/dL.\n\nSincerely,\nDr. Gregory House\n",
        &["Marguerite", "Whitfield", "Elm", "Ashburn", "20147", "03/11/1954", "January 3", "January 7", "Harold", "014-2231"],
        &["Mercy General Hospital", "13.2 g/dL", "Dr. Gregory House", "VA"],
    );
    check(
        "Last Name      Whitfield            First Name    Marguerite\nMRN            E004512              DOB           03/11/1954\nAttending      Dr. Gregory House    Ward          4W\n",
        &["Whitfield", "Marguerite", "E004512", "03/11/1954"],
        &["Gregory House", "4W", "Last Name"],
    );
    check(
        "Name: Marguerite Whitfield\nSex: F\nMRN: E004512\n94-year-old woman admitted 01/03/2024 with chest pain.\n",
        &["Marguerite", "Whitfield", "E004512", "94", "01/03/2024"],
        &["chest pain", "Sex: F"],
    );
}

#[test]
fn lists_of_patients_without_a_header() {
    check(
        " 1. Whitfield, Marguerite   69F  MRN E004512   Rm 401-A   Dx: CHF\n 2. Delacroix, Jean-Luc     92M  MRN E004513   Rm 402-B   Dx: CVA\n",
        &["Whitfield", "Marguerite", "E004512", "Delacroix", "Jean-Luc", "92M"],
        &["69F", "Rm 401-A", "Dx: CVA"],
    );
}

#[test]
fn a_file_that_is_named_like_a_label_is_masked_behind_it() {
    check("/tmp/Patient Name: Whitfield, Ann\n", &["Whitfield"], &["/tmp/"]);
}

#[test]
fn a_dump_after_another_one_begins_anew() {
    let (od, xxd) =
        ("0000000   m   r   n   =   E   0   0   4   5   1   2\n", "00000000: 6d72 6e3d 4530 3034 3531 3220 6162 6320  mrn=E004512 abc \n");
    for dumps in [[od, xxd], [xxd, od], [od, od], [xxd, xxd]] {
        check(&dumps.concat(), &["E004512", "4530 3034", "E   0   0   4"], &["m"]);
    }
}

#[test]
fn dumps_of_bytes_are_masked_in_both_columns() {
    let bytes = b"MSH|^~\\&|LAB|MERCY|EHR|M|20240115||ORU^R01|1|P|2.5\rPID|1||E004512||WHITFIELD^MARGUERITE||19540311|F\r";
    let mut xxd = String::new();
    let mut canonical = String::new();
    let mut od = String::new();
    for (n, chunk) in bytes.chunks(16).enumerate() {
        let hex: Vec<String> = chunk.iter().map(|b| format!("{b:02x}")).collect();
        let text: String = chunk.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { *b as char } else { '.' }).collect();
        let pairs: Vec<String> = hex.chunks(2).map(|two| two.concat()).collect();
        xxd += &format!("{:08x}: {:39}  {text}\n", n * 16, pairs.join(" "));
        let halves: Vec<String> = hex.chunks(8).map(|half| half.join(" ")).collect();
        canonical += &format!("{:08x}  {:48}  |{text}|\n", n * 16, halves.join("  "));
        od += &format!(
            "{:07o}{}\n",
            n * 16,
            chunk.iter().map(|b| if *b == b'\r' { "  \\r".to_owned() } else { format!("   {}", *b as char) }).collect::<String>()
        );
    }
    let name: Vec<String> = "WHITFIELD".bytes().map(|b| format!("{b:02x}")).collect();
    check(&format!("$ xxd m.hl7\n{xxd}"), &["HITFIE", "RGUERI", "1954", "4849 5446"], &["MSH|", "00000000:", "4d53 487c"]);
    check(&format!("$ hexdump -C m.hl7\n{canonical}"), &["HITFIE", "RGUERI", &name[1..6].join(" ")], &["MSH|", "4d 53 48 7c"]);
    check(&format!("$ od -c m.hl7\n{od}"), &["H   I   T   F", "R   G   U   E"], &["M   S   H   |"]);
}

#[test]
fn what_is_typed_in_a_search() {
    check("$ grep -i 'Whitfield' patients.csv\n", &["Whitfield"], &["grep -i '", "patients.csv"]);
    check(
        "$ zgrep 'WHITFIELD^MARG' adt-2024.hl7.gz\n$ grep E004512 /var/spool/hl7/in.hl7\n",
        &["WHITFIELD", "E004512"],
        &["adt-2024.hl7.gz"],
    );
    check(
        "ehr=# SELECT * FROM patients WHERE last_name ILIKE 'WHIT%' AND mrn IN ('E004512', 'E004513') AND dob BETWEEN '1954-01-01' AND '1955-01-01';\n",
        &["WHIT", "E004512", "E004513", "1954-01-01"],
        &["SELECT * FROM patients WHERE last_name"],
    );
    stays(
        "$ grep -c ERROR /var/log/app.log\n$ grep 'Accepted' auth.log\n$ grep -rn fn_name src/\n$ grep -i timeout /var/log/hl7/engine.log\n",
    );
}

#[test]
fn wide_names_and_other_scripts() {
    check("{\"patient\":{\"name\":\"山田 太郎\",\"mrn\":\"E004512\",\"ward\":\"4W\"}}\n", &["山田", "太郎", "E004512"], &["4W"]);
    check(" mrn    │ pat_name │ hgb\n────────┼──────────┼────\n E77123 │ 王小明   │ 9.1\n", &["王小明", "E77123"], &["9.1"]);
}

#[test]
fn what_admins_see_all_day_stays() {
    stays(
        "NAME                    READY   STATUS    RESTARTS   AGE   IP            NODE\nmirth-connect-0         1/1     Running   0          94d   10.244.1.17   node-3\nIMAGE ID       REPOSITORY   TAG   CREATED       SIZE\n9fceb02d0ae5   postgres     15    2 weeks ago   412MB\n",
    );
    stays(
        "name: Build and Test\non:\n  push:\n    branches: [main]\njobs:\n  build:\n    runs-on: ubuntu-latest\n    name: Release Candidate\n    steps:\n      - name: Check Out\n        uses: actions/checkout@v4\napiVersion: v1\nkind: Service\nmetadata:\n  name: adt-router\n  namespace: Integration Engine\nspec:\n  ports:\n    - name: mllp\n      port: 2575\n",
    );
    stays(
        "Address: 10.0.0.5\nName:    ehr-db-1.mercy.example.org\nServer:  10.0.0.53\nListen Address: 0.0.0.0:2575\nbind_address = 127.0.0.1\nserver_name ehr.example.org;\nDisplay Name: Mirth Connect\nService Name: HL7 Listener\naddress family: inet\nMAC Address: 02:42:ac:11:00:02\n",
    );
    stays(
        "Jan 15 08:30:00 ehr-db-1 sshd[2211]: Accepted password for svc_backup from 10.20.30.41 port 51122 ssh2\nJan 15 08:30:01 ehr-db-1 sudo: pam_unix(sudo:session): session opened for user root by admin(uid=0)\n2024-01-15T08:30:00Z INFO  Started Network Manager, version=1.42.4 pid=991\n",
    );
    stays(
        "CREATE TABLE patients (\n  mrn text PRIMARY KEY,\n  last_name varchar(80) NOT NULL,\n  dob date,\n  phone text,\n  CONSTRAINT name_len CHECK (length(last_name) > 0)\n);\nmysql> DESCRIBE patient;\n| Field      | Type         | Null | Key | Default | Extra |\n| last_name  | varchar(80)  | YES  |     | NULL    |       |\n| birth_date | date         | YES  |     | NULL    |       |\n",
    );
    stays(
        "Test Name            Result   Units    Reference Range   Flag\nHemoglobin           13.2     g/dL     12.0-16.0         N\nWBC Count            7.1      10*3/uL  4.5-11.0          N\nGlucose, Fasting     104      mg/dL    70-99             H\n",
    );
    stays(
        "718-7,Hemoglobin,13.2,g/dL,2024-01-15,Final\n2345-7,Glucose,104,mg/dL,2024-01-15,Final\nid,code,display,value\n1,718-7,Hemoglobin,13.2\n",
    );
    stays(
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8\nAuthor: Rebecca Stone <rstone@users.noreply.github.com>\nDate:   Mon Jan 15 08:30:00 2024 +0100\n\n    Mask the first name, too\n",
    );
    stays(
        "total 48\ndrwxr-xr-x 2 postgres postgres 4096 Jan 15 08:30 base\n-rw------- 1 root     root      188 Mar  3  2023 patient_export_2024-01-15.csv\nFilesystem      Size  Used Avail Use% Mounted on\n/dev/sda1        98G   41G   53G  44% /\n",
    );
    stays(
        "policy: allow-dns\ncertificate number of retries: 3\nmember: node-17\nsubject: CN=ehr.example.org\nclient: 10.0.0.9\ncontact: root\naccount: default\npatient count: 1204\nPatients processed: 1204 in 13.2 s\nencounter_type: inpatient\nadmission_source: ED\ndischarge_disposition: home\nvisits per day 41\n",
    );
    stays(
        "vitals: HR 71 BP 120/80 age 67 y, weight 71 kg, height 171 cm, SpO2 98 %, temp 36.6\nAge: 67\nage=89\nuptime: 94 days, load 0.91\n",
    );
}

#[test]
fn full_screen_programs() {
    // vim with line numbers.
    check(
        "\x1b[?1049h\x1b[2J\x1b[1;1H  1 mrn,last_name,first_name,dob,weight\x1b[2;1H  2 E004512,Whitfield,Marguerite,1954-03-11,71\x1b[3;1H~\x1b[29;1H\"p.csv\" 2L, 80B\x1b[30;1H",
        &["E004512", "Whitfield", "Marguerite", "1954-03-11"],
        &["mrn,last_name", ",71", "\"p.csv\" 2L, 80B"],
    );
    // tmux: two panes and a status line; the left one is cut at the border.
    let left = ["$ cat p.csv", "mrn,last_name,dob,weight", "E004512,Whitfield,1954-03", "E004513,Okonkwo,1987-11-3", "$ "];
    let right = ["top - 08:30:00 up 9 days", "Tasks: 211 total", "  991 root  20  0 init", "MRN: E009999", "DOB: 03/11/1954"];
    let mut panes = String::from("\x1b[?1049h\x1b[2J");
    for row in 0..24 {
        let (left, right) = (left.get(row).unwrap_or(&""), right.get(row).unwrap_or(&""));
        panes += &format!("\x1b[{};1H{left:25}│{right}", row + 1);
    }
    panes += "\x1b[30;1H\x1b[42m[0] 0:bash*  \"ehr-db-1\" 08:30 15-Jan-24\x1b[0m";
    check(
        &panes,
        &["E004512", "Whitfield", "1954-03", "Okonkwo", "E009999", "03/11/1954"],
        &["$ cat p.csv", "mrn,last_name,dob,weight", "│top - 08:30:00 up 9 days", "991 root", "[0] 0:bash*"],
    );
}
