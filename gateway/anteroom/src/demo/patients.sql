-- Nobody here exists: names, numbers and stories are made up. 555-01xx telephone numbers and 9xx social security numbers are never
-- given to anybody.
CREATE TABLE patient (
    mrn           text PRIMARY KEY,
    patient_name  text NOT NULL,
    date_of_birth date NOT NULL,
    ssn           text NOT NULL,
    phone         text NOT NULL,
    email         text NOT NULL,
    ward          text NOT NULL,
    diagnosis     text NOT NULL
);
INSERT INTO patient
SELECT format('MRN-%s', 4700000 + n * 37),
       (ARRAY['Testa','Fausto','Mockeline','Samplon','Dummia','Placebo','Ersatza','Ficto'])[1 + n % 8] || ' ' ||
       (ARRAY['Example','Sample','Notreal','Pretend','Madeup','Fixture','Imaginary'])[1 + n % 7],
       date '1931-03-14' + (n * 977) % 30000,
       format('9%s-%s-%s', to_char((n * 13) % 100, 'FM00'), to_char(10 + (n * 7) % 89, 'FM00'), to_char((n * 6173) % 10000, 'FM0000')),
       format('(202) 555-01%s', to_char((n * 17) % 100, 'FM00')),
       format('patient%s@example.invalid', n),
       format('ward %s', 1 + n % 9),
       (ARRAY['invented cough','fictional fracture','pretend hypertension','made-up migraine','imaginary arrhythmia'])[1 + n % 5]
FROM generate_series(1, 240) AS n;

CREATE TABLE lab_result (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mrn         text NOT NULL REFERENCES patient,
    taken_at    timestamptz NOT NULL,
    test        text NOT NULL,
    value       numeric(6, 1) NOT NULL,
    unit        text NOT NULL
);
INSERT INTO lab_result (mrn, taken_at, test, value, unit)
SELECT mrn, timestamptz '2026-11-01 06:00Z' + n * interval '5 hours', t.test, t.base + (n * 7) % 20, t.unit
FROM patient, generate_series(1, 3) AS n, (VALUES ('glucose', 70, 'mg/dL'), ('potassium', 3, 'mmol/L')) AS t(test, base, unit);

-- A message as laboratories send them (HL7 v2), to be looked at with psql -At.
CREATE TABLE hl7_inbox (received_at timestamptz NOT NULL, message text NOT NULL);
INSERT INTO hl7_inbox
SELECT timestamptz '2026-11-23 08:00Z' + row_number() OVER (ORDER BY mrn) * interval '1 minute',
       format(E'MSH|^~\\&|LAB|DEMO|EHR|DEMO|20261123080000||ORU^R01|%s|T|2.5\rPID|1||%s^^^DEMO^MR||%s||%s|F|||1 Nowhere Road^^Nulltown^ZZ^00000||%s\rOBX|1|NM|GLU^Glucose||98|mg/dL|70-110|N|||F',
              row_number() OVER (ORDER BY mrn), mrn, split_part(patient_name, ' ', 2) || '^' || split_part(patient_name, ' ', 1), to_char(date_of_birth, 'YYYYMMDD'), phone)
FROM patient ORDER BY mrn LIMIT 20;

GRANT SELECT, UPDATE ON patient, lab_result, hl7_inbox TO dba;
