//! Captures that nobody tuned the rules for, as a person could have them on the screen: what must be hidden, what must stay. All people are
//! made up.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)]

mod common;

use common::{check, stays};

#[test]
fn columns_of_unknown_names_in_a_table_of_patients() {
    check(
        " kz_7    | last_name | first_name | kz_9              | kz_11          | kz_12        | kz_13      | hgb  | created_at\n---------+-----------+------------+-------------------+----------------+--------------+------------+------+---------------------\n E882356 | Whitfield | Marguerite | 1FEXMKQBEAC870260 | 203.0.113.93   | 966 55 1204  | 2023-01-28 | 13.2 | 2024-06-13 10:11:12\n",
        &["E882356", "1FEXMKQBEAC870260", "203.0.113.93", "966 55 1204", "2023-01-28"],
        &["13.2", "2024-06-13 10:11:12", "kz_7"],
    );
    // What is known to be of staff, machines or results stays.
    check(
        "mrn,last_name,attending,order_id,host_ip,icd10,loinc\nE004512,Whitfield,\"House, Gregory\",55512345,10.1.4.22,E11.9,2345-7\n",
        &["E004512", "Whitfield"],
        &["House, Gregory", "55512345", "10.1.4.22", "E11.9", "2345-7"],
    );
}

#[test]
fn rows_without_header_teach_the_rows_around_them() {
    check(
        "MRN60221530|PIOTR TREMBLAY|2015-04-22|V|HAR707530440|J45.909\nMRN89015006|FAITH PARK|2019-08-08||HAR532516144|M54.5\n",
        &["MRN60221530", "PIOTR", "|V|", "HAR707530440", "MRN89015006", "FAITH PARK", "HAR532516144"],
        &["J45.909", "M54.5"],
    );
    check(
        "16-74-84#Szymanski#Fatima#1954-03-11#922 39 1243#7.3\n",
        &["16-74-84", "Szymanski", "Fatima", "1954-03-11", "922 39 1243"],
        &["#7.3"],
    );
}

#[test]
fn rows_of_an_insert_on_their_own_lines_and_columns_known_from_ddl() {
    check(
        "INSERT INTO patients (pubpid, fname, lname, dob, city) VALUES\n('E004512', 'Marguerite', 'de la Cruz', '1954-03-11', 'Ashburn'),\n('E004513', 'Da\\'Quan', 'Hartmann', NULL, 'Leesburg');\nSELECT 1;\n",
        &["E004512", "Marguerite", "la Cruz", "1954-03-11", "Ashburn", "E004513", "Quan", "Hartmann", "Leesburg"],
        &["INSERT INTO patients (pubpid, fname", "SELECT 1;"],
    );
    check(
        "CREATE TABLE `patient` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `mrn` varchar(16) DEFAULT NULL,\n  `last_name` varchar(64),\n  `ward` varchar(8),\n  PRIMARY KEY (`id`)\n);\nINSERT INTO `patient` VALUES (1,'E004512','Faith','4W'),(2,'E004513','Grant','ICU');\n",
        &["E004512", "Faith", "Grant"],
        &["CREATE TABLE `patient`", "'4W'", "'ICU'", "PRIMARY KEY"],
    );
}

#[test]
fn parameters_of_statements() {
    check(
        "LOG:  execute s1: SELECT 1\nDETAIL:  parameters: $1 = 'Whitfield', $2 = 'Marguerite', $3 = '1954-03-11'\n",
        &["Whitfield", "Marguerite", "1954-03-11"],
        &["parameters: $1 = '"],
    );
    check(
        "DEBUG ==> Parameters: Hartmann(String), Tobias(String), 1961-07-02(Date)\nINFO sqlalchemy.engine.Engine [generated in 0.00021s] ('E004514', 'Szabo', 'Ines', '1971-02-03')\n  Patient Load (0.5ms)  SELECT * FROM patients WHERE mrn = $1  [[\"mrn\", \"E004519\"], [\"LIMIT\", 1]]\n  Parameters: {\"patient\"=>{\"last_name\"=>\"Okonkwo\", \"mrn\"=>\"E004513\"}, \"commit\"=>\"Save\"}\n",
        &["Hartmann", "Tobias", "1961-07-02", "E004514", "Szabo", "Ines", "1971-02-03", "E004519", "Okonkwo", "E004513"],
        &["(String)", "[generated in 0.00021s]", "\"commit\"=>\"Save\"", "Patient Load"],
    );
}

#[test]
fn data_as_programs_print_it() {
    check(
        "&{ID:17 MRN:E004512 FirstName:Marguerite LastName:Whitfield DOB:1954-03-11}\n{'line': 27801, 'pubpid': '19-59-48', 'fname': 'DeShawn'}\n{ mrn: 'E004514', dob: ISODate('1971-02-03T00:00:00.000Z'), address: { line1: '12 Elm Street', state: 'VA', zip: '20147' } }\nchannelMap.put('patientName', 'GRANT,MARK X')\n",
        &[
            "E004512",
            "Marguerite",
            "Whitfield",
            "1954-03-11",
            "19-59-48",
            "DeShawn",
            "E004514",
            "1971-02-03",
            "12 Elm",
            "20147",
            "GRANT",
            "MARK",
        ],
        &["&{ID:17", "'line': 27801", "state: 'VA'", "channelMap.put('patientName'"],
    );
    check(
        "127.0.0.1:6379> HGETALL patient:17\n1) \"mrn\"\n2) \"E004515\"\n3) \"last_name\"\n4) \"Delacroix\"\n5) \"ward\"\n6) \"4W\"\n",
        &["E004515", "Delacroix"],
        &["1) \"mrn\"", "6) \"4W\""],
    );
}

#[test]
fn exported_variables_and_forms_with_leaders() {
    check(
        "export PATIENT_NAME=\"Marguerite Whitfield\"\nexport MRN=\"E004512\"\ndeclare -x DATE_OF_BIRTH=\"1954-03-11\"\nexport PATH=\"/usr/bin\"\n",
        &["Marguerite", "Whitfield", "E004512", "1954-03-11"],
        &["export PATIENT_NAME=", "PATH=\"/usr/bin\""],
    );
    check(
        "Patient Name: ------------------ Whitfield, Marguerite\nUnit No ........ : E351456\nPHONE NUMBER [RESIDENCE]: 6555550154      WARD LOCATION: 7 North\nID Number (insurance): XYH564444424\nD/C Date: 2024-01-03\nDoB: 1954-03-11\nMI: Q\n",
        &["Whitfield", "Marguerite", "E351456", "6555550154", "XYH564444424", "2024-01-03", "1954-03-11", "MI: Q"],
        &["WARD LOCATION: 7 North", "Patient Name: ---"],
    );
}

#[test]
fn labels_in_other_languages() {
    check(
        "Name, Vorname      : Müller, Jürgen\nGeburtsdatum       : 11.03.1954\nPLZ / Ort          : 50667 Köln\nVersicherten-Nr.   : A123456780\nKrankenkasse       : AOK Rheinland\n",
        &["Müller", "Jürgen", "11.03.1954", "50667", "Köln", "A123456780"],
        &["AOK Rheinland", "Geburtsdatum"],
    );
    check(
        "Nom de naissance : DUPONT\nPrénom : Élodie\nDate de naissance : 11/03/1954\nN° Sécurité sociale : 2 54 03 75 116 001 42\nMédecin traitant : Dr Bernard\n",
        &["DUPONT", "Élodie", "11/03/1954", "2 54 03", "001 42"],
        &["Dr Bernard"],
    );
    check("患者氏名: 山田 太郎\n生年月日: 1954-03-11\n", &["山田", "太郎", "1954-03-11"], &["患者氏名"]);
}

#[test]
fn packets_and_other_dumps_of_bytes() {
    let packet = "10:11:12.131415 IP 192.0.2.17.51122 > 192.0.2.9.2575: Flags [P.], length 64\n\t0x0000:  4d52 4e3a 2045 3030 3435 3132 0a44 4f42  MRN:.E004512.DOB\n\t0x0010:  3a20 3139 3534 2d30 332d 3131 0a         :.1954-03-11.\n";
    check(packet, &["4530 3034 35", "E004512", "1954-03-11", "3139 3534"], &["192.0.2.17.51122", "0x0010:", "MRN:."]);
    // A row of numbers is no dump, and is read as what it is.
    check("1234567  67  Whitfield  Marguerite  1954-03-11\n", &["1234567", "Whitfield", "1954-03-11"], &[]);
}

#[test]
fn hl7_printed_by_field() {
    check(
        "PID-3\t1044534-7^^^EASTWING^MR\nPID-5\tBIANCHI^JO\nPID-7\t19970921\nPID-8\tF\nPID-11\t14558 Dogwood Ln^^Bellwater^NM^55344^USA\n",
        &["1044534-7", "BIANCHI", "19970921", "14558 Dogwood", "Bellwater", "55344"],
        &["EASTWING^MR", "PID-8"],
    );
    check(
        "MSH|^~\\&|ADT|HOSP|LAB|HOSP|20240915||ADT^A08|1|P|2.5\\x0DPID|1||E393936^^^HOSP^MR||LE^IOANA||19750421|M\\x0DPV1|1|O|4W\n",
        &["E393936", "LE^IOANA", "19750421"],
        &["HOSP^MR", "PV1|1|O|4W"],
    );
    check(
        "H|\\^&|||ANALYZER1\nP|1|PRAC123|LAB99812||Whitfield^Marguerite||19540311|F\nR|1|^^^GLU|98|mg/dL\n",
        &["PRAC123", "LAB99812", "Whitfield", "19540311"],
        &["^^^GLU|98|mg/dL"],
    );
}

#[test]
fn dicom_tags_in_logs_and_searches_of_fhir() {
    check(
        "I0412 StoreScp.cpp:364] (0010,0010) PN Steele^Zoë\nI0412   0010,0020 (PatientID) = E004512\n(0x0010,0x0010) PN Patient's Name  VR=<PN>   VL=<0x0008>  <OKONKWO^TOBIAS>\nMWL Item of St. Clair^José [60-73-96] scheduled\n",
        &["Steele", "Zoë", "E004512", "OKONKWO", "Clair", "José", "60-73-96"],
        &["StoreScp.cpp:364", "scheduled"],
    );
    check(
        "10.20.4.2 - - [12/Apr/2025:10:11:12 +0000] \"GET /fhir/Patient?family=Whitfield&birthdate=ge1954-03-11&identifier=http%3A%2F%2Fh%7CE004512&_count=20 HTTP/1.1\" 200 512\n",
        &["Whitfield", "1954-03-11", "E004512"],
        &["_count=20", "10.20.4.2", "12/Apr/2025:10:11:12"],
    );
}

#[test]
fn names_in_logs_are_told_by_what_is_around_them() {
    check(
        "Apr 12 09:12:50 ehr01 audit: user=jsmith action=VIEW patient=889126 (Nguyen, Thi Mai) screen=Labs ip=10.1.4.22\nApr 12 09:12:51 ehr01 audit: opened record of Anna-Lena Öztürk [E-22019] from 10.1.4.23\nApr 12 09:12:53 ehr01 bed[12]: transfer van der Berg, Pieter from 4W-12 to ICU-3\nApr 12 09:12:54 ehr01 merge: 0930370-8 into 6494341-2\nApr 12 09:12:55 ehr01 reminder call 4075550124 answered, patient Rivers, Mark\nApr 12 09:12:56 ehr01 eligibility check failed for member XYH355271713: timeout after 30 s\n",
        &[
            "889126",
            "Nguyen",
            "Öztürk",
            "E-22019",
            "Berg",
            "Pieter",
            "0930370-8",
            "6494341-2",
            "4075550124",
            "Rivers",
            "Mark",
            "XYH355271713",
        ],
        &["user=jsmith", "ip=10.1.4.22", "from 10.1.4.23", "4W-12", "Apr 12 09:12:50", "timeout after 30 s"],
    );
}

#[test]
fn letters_whose_lines_are_filled() {
    check(
        "Dear Dr. Patel:\n\nI had the pleasure of seeing your patient, Mrs. de la Cruz, on April 12, 2025. Please call her daughter Susan\nWhitfield at 703.555.0188 after noon. She was admitted from 3/2/2025 through 3/9/2025 and discharged on\n2025-03-09. Aetna W123456789.\n\nSincerely,\nElias Feldman, MD\n",
        &["la Cruz", "April 12", "Susan", "Whitfield", "703.555.0188", "3/2/2025", "3/9/2025", "2025-03-09", "W123456789"],
        &["Dr. Patel", "Elias Feldman, MD", "Aetna"],
    );
    check(
        "From: Naveen Smith-Jones <naveen.smithjones@example.com>\n\nHello, my name is Naveen Smith-Jones and my chart\nnumber is 47-33-13. Please call me at 3165550149.\n",
        &["Naveen", "Smith-Jones", "47-33-13", "3165550149"],
        &["my name is"],
    );
}

#[test]
fn questions_of_a_program_and_answers() {
    check(
        "New patient registration\nSurname? Park\nDoB? 01/21/1986\nSS#? 666 88 3975\nHome Phone: +1 524 555 0176\nSaved.\n",
        &["Park", "01/21/1986", "666 88", "524 555"],
        &["Surname?", "Saved."],
    );
}

#[test]
fn reports_over_page_breaks_and_rows_that_were_cut() {
    check(
        "MRN       LAST NAME      FIRST NAME   DOB\n__________________________________________________\nE882356   Whitfield      Marguerite   1954-03-11\n\nE882357   Okonkwo        Tobias       1987-11-30\n\nTotal: 2    Page 1\n",
        &["E882356", "Whitfield", "E882357", "Okonkwo", "Tobias", "1987-11-30"],
        &["MRN       LAST NAME", "Total: 2    Page 1"],
    );
    check(
        "mrn;last_name;first_name;attending;phone\nE004512;Whitfield;Marguerite;House;5550142231\nE004513;Okonkwo;Tobias;Wilson;55501>\n",
        &["E004513", "Okonkwo", "Tobias", "55501>"],
        &["House", "Wilson"],
    );
}

#[test]
fn developers_packages_and_manuals_stay() {
    stays(
        "Maintainer: Matthias Klose <doko@example.org>\nCopyright 2005-2007 Rodolfo Giometti <giometti@example.it>\nAuthor: Ann Whitfield <ann@example.net>\n    Signed-off-by: Tobias Okonkwo <tobias@example.net>\nii  zip            3.0-13           amd64        De-archiver for .zip files\nii  zlib1g:amd64   1:1.2.13.dfsg-1  amd64        compression library - runtime\nradius-acct\t1813/tcp\tradacct\n       There are several built-in formats, and you can define additional\n       formats by setting a pretty.<name> config option to either another\n       format name, or a format: string\n coproc NAME { command; } is always named COPROC, and it is simpler\nssh dba@ehr-db-1@bastion.example.org -p 2222\n",
    );
    stays(
        "This is GNU Bash, version 5.2\nlicense for Visual Studio\nkernel: Detected Intel Corporation device\nerror: patients=120455 rows\nUPDATE patients SET HomePhone = NULL\naccount    | last_login          | source_ip      | role\n-----------+---------------------+----------------+--------\n postgres  | 2025-04-11 16:59:22 | 198.51.100.179 | service\n",
    );
}

#[test]
fn what_stands_beside_a_patient_in_a_list_or_a_note() {
    check(
        "ADMIT: 97 y/o F, Ruth Abernathy, via EMS. Daughter Carol (555) 014-8890 notified.\nEmergency Contact #1: Susan Whitfield - daughter - 703-555-0199\nWristband: GONZALEZ, MARIA J  F  11/30/1987  MRN 889128\nPT: Okonkwo, Tobias / M / 11-Mar-54\n08:15  Hartmann, K.                  MR-123-4567   91F 212.555.0123      Hip fracture\nmerge: MR-123-4568 into MR-765-4321 (Ann Marie Delacroix Jr)\n",
        &[
            "97 y/o",
            "Ruth",
            "Abernathy",
            "Carol",
            "014-8890",
            "Susan",
            "0199",
            "GONZALEZ",
            "11/30/1987",
            "889128",
            "Okonkwo",
            "11-Mar-54",
            "Hartmann",
            "MR-123-4567",
            "91F",
            "555.0123",
            "MR-123-4568",
            "MR-765-4321",
            "Delacroix",
        ],
        &["ADMIT:", "via EMS", "Hip fracture", "08:15", "merge:"],
    );
    check("^PATIENT(\"E004513\",\"NAME\")=\"Delacroix,Jean-Luc\"\n", &["E004513", "Delacroix", "Jean-Luc"], &["^PATIENT(", "\"NAME\""]);
}

#[test]
fn clusters_journals_vitals_and_hardware_stay() {
    stays(
        "NAMESPACE     NAME                             READY   STATUS    RESTARTS   AGE   IP            NODE\ndefault       patient-api-7d9f8c6b5d-abcde     1/1     Running   2          94d   10.244.1.44   node-2\nINFO  Job 3f2a9c1d-8e7b-46a5-94c3-d2e1f0a9b8c7 finished in 12.4s on worker-3 (10.0.4.12)\nBP 132/78  HR 74  RR 16  T 98.6F  SpO2 97% on RA  Weight 71.2 kg  Age 67\nHgb 13.2 g/dL (12.0-15.5)   WBC 7.4   Glucose 98 mg/dL   03/14/2025 08:12\nAttending: House, Gregory MD    Consultant: Dr. Allison Cameron   NPI 1234567893\nSerial Number: VMware-42 1d 0c 8a   Version: 2.14.1   Release Date: 04/01/2014\nApr 14 09:12:44 host sshd[4412]: Accepted publickey for jsmith from 198.51.100.7 port 50122 ssh2\nOrder 55512345: CBC with differential, ordered by Feldman, Elias MD on 4W\n",
    );
}

#[test]
fn numbers_of_statements_need_no_quotes() {
    check("select * from p where mrn between 1004512 and 1004599 order by mrn;\n", &["1004512", "1004599"], &["select", "order by"]);
}

#[test]
fn a_line_may_begin_with_a_name_in_brackets() {
    // There is no number before it that could be its record's.
    stays(" (Whitfield, Marguerite\n");
}
