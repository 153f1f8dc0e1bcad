#!/bin/sh
# A made-up medical device: a menu and nothing else, like the service port of many real ones.
rate=12.5
mode=RUNNING
banner() {
    printf '\r\nINFUSION PUMP 7 (demo)   firmware 4.2.1   serial DEMO-0007\r\n'
    printf 'Bed 12, ward 4   patient label: MRN 00-DEMO-4711\r\n\r\n'
}
menu() { printf '1 status  2 alarms  3 dose log  4 set rate  5 pause/run  q quit\r\npump> '; }
status() { printf 'mode %s   rate %s ml/h   volume left 38.0 ml   battery 91%%\r\n' "$mode" "$rate"; }
alarms() { printf 'no active alarm\r\nlast: 2 h ago, AIR IN LINE, cleared by nurse\r\n'; }
doses() {
    printf 'time   drug         ml     patient\r\n'
    printf '08:00  Placebolin   12.5   Example^Testa\r\n09:00  Placebolin   12.5   Example^Testa\r\n10:00  Placebolin   12.5   Example^Testa\r\n'
}
case "${SSH_ORIGINAL_COMMAND:-}" in
'') ;;
status) status; exit 0 ;;
alarms) alarms; exit 0 ;;
*) echo "this device knows: status, alarms"; exit 1 ;;
esac
banner
menu
while read -r choice; do
    case "$choice" in
    1) status ;;
    2) alarms ;;
    3) doses ;;
    4)
        printf 'new rate (ml/h, 0.1-99): '
        read -r wish || exit 0
        case "$wish" in
        *[!0-9.]* | '' | *.*.*) printf 'not a rate\r\n' ;;
        *) rate=$wish; printf 'rate is now %s ml/h\r\n' "$rate" ;;
        esac
        ;;
    5) if [ "$mode" = RUNNING ]; then mode=PAUSED; else mode=RUNNING; fi; status ;;
    q) exit 0 ;;
    *) printf '?\r\n' ;;
    esac
    menu
done
