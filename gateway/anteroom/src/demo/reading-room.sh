#!/bin/sh
# The demo's desktop. Nobody in it exists.
show() {
    printf '\033[2J\033[H'
    cat <<END
  Reading room 1 - chart viewer (demo, all patients are invented)

  MRN:            $1
  Patient name:   $2
  Date of birth:  $3
  SSN:            $4          Phone: $5
  Diagnosis:      $6

  MRN          | PATIENT_NAME      | WARD   | STATUS
  -------------+-------------------+--------+-----------
  MRN-4700074  | Mockeline Sample  | ward 3 | admitted
  MRN-4700111  | Samplon Notreal   | ward 4 | discharged

  Infusion pump ready. Battery full. Last service in March.

  Enter: next patient
END
}
while :; do
    show MRN-4700037 'Fausto Example' 1933-11-15 913-17-6173 '(202) 555-0117' 'invented cough'
    read -r _ || sleep 86400
    show MRN-4700148 'Imagina Placeholder' 1941-02-08 946-41-2207 '(202) 555-0168' 'fictional fracture'
    read -r _ || sleep 86400
done
