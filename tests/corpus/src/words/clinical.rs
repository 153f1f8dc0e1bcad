//! What is said about bodies, not about persons.

/// Test, unit, low, high (tenths), reference.
pub const TESTS: &[(&str, &str, u64, u64, &str)] = &[
    ("Hemoglobin", "g/dL", 90, 170, "12.0-16.0"),
    ("WBC", "10*3/uL", 30, 140, "4.5-11.0"),
    ("Platelets", "10*3/uL", 1200, 4200, "150-400"),
    ("Glucose", "mg/dL", 700, 2400, "70-99"),
    ("Sodium", "mmol/L", 1280, 1490, "136-145"),
    ("Potassium", "mmol/L", 29, 59, "3.5-5.1"),
    ("Creatinine", "mg/dL", 5, 31, "0.6-1.2"),
    ("BUN", "mg/dL", 70, 480, "7-20"),
    ("TSH", "uIU/mL", 3, 90, "0.4-4.0"),
    ("ALT", "U/L", 80, 1900, "7-56"),
    ("Hematocrit", "%", 280, 510, "36-46"),
    ("INR", "", 9, 38, "0.8-1.2"),
    ("Troponin I", "ng/mL", 0, 21, "<0.04"),
    ("HbA1c", "%", 48, 119, "4.0-5.6"),
    ("Calcium", "mg/dL", 79, 108, "8.5-10.2"),
];
pub const LOINC: &[&str] = &["718-7", "6690-2", "777-3", "2345-7", "2951-2", "2823-3", "2160-0", "3094-0", "3016-3"];
pub const ICD: &[&str] = &["E11.9", "I10", "J45.909", "N18.3", "M54.5", "F32.1", "K21.9", "I48.91", "Z79.4"];
pub const PROBLEMS: &[&str] = &[
    "Type 2 diabetes mellitus",
    "Essential hypertension",
    "Chronic kidney disease stage 3",
    "Asthma, unspecified",
    "Low back pain",
    "Atrial fibrillation",
    "Community acquired pneumonia",
    "Hip fracture",
    "Iron deficiency anemia",
    "GERD without esophagitis",
];
pub const DRUGS: &[&str] = &[
    "metformin 500 mg BID",
    "lisinopril 10 mg daily",
    "atorvastatin 40 mg qhs",
    "apixaban 5 mg BID",
    "albuterol inhaler prn",
    "furosemide 20 mg daily",
    "amoxicillin 875 mg",
    "levothyroxine 75 mcg",
    "insulin glargine 18 units",
];
pub const WARDS: &[&str] = &["4W", "ICU", "ED", "MED-SURG 3", "7 North", "NICU", "PACU", "CCU-2", "ONC"];
pub const MODALITIES: &[&str] = &["CT", "MR", "CR", "US", "DX", "NM", "XA", "MG", "PT"];
pub const STUDIES: &[&str] =
    &["CT CHEST W/O CONTRAST", "MRI BRAIN", "XR HAND LEFT 3V", "US ABDOMEN", "CT HEAD", "CHEST PA LATERAL", "MAMMO SCREENING"];
pub const STATUS: &[&str] = &["active", "final", "discharged", "pending", "DELETED", "Inpatient", "open", "F", "preliminary"];
pub const SENTENCES: &[&str] = &[
    "Vital signs are stable and pain is controlled with oral medication.",
    "No acute distress. Lungs clear to auscultation, heart regular without murmur.",
    "CT of the chest showed no evidence of pulmonary embolism.",
    "Continue current medications and repeat basic metabolic panel in one week.",
    "Wound is clean, dry and intact. Sutures to be removed at follow up.",
    "Echocardiogram shows an ejection fraction of 55% with mild mitral regurgitation.",
    "Tolerating a regular diet, ambulating with physical therapy.",
    "White count trended down from 14.2 to 8.1 on ceftriaxone.",
    "Blood pressure 132/78, heart rate 74, saturation 97% on room air.",
    "Discussed risks and benefits of anticoagulation; questions were answered.",
    "Recommend a low sodium diet and daily weights.",
    "Chest x-ray with bibasilar atelectasis, no effusion.",
];
