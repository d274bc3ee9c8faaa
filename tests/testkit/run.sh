#!/bin/sh
# One test run: a folder for everything its tests start, and the end of it all.
#
#   run.sh           nextest's setup script: the run ends with nextest, however nextest ends
#   run.sh --stdin   plain `cargo test`: the run ends when standard input closes, so with the test process
#
# What a test starts is noted as <run>/pids/PID, holding "OWNER SIGNAL": a process whose owner is gone gets the
# signal at once, and at the end of the run all of them do. Then the folder goes.
set -u

alive() { # a zombie that nobody reaps is dead
    kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.Z' "/proc/$1/status"
}

strays() {
    for note in "$1"/pids/*; do
        [ -e "$note" ] || continue
        read -r owner signal <"$note" || continue
        [ "$2" = all ] || ! alive "$owner" || continue
        kill -s "${signal:-KILL}" "${note##*/}" 2>/dev/null
        [ "$2" = all ] || rm -f "$note"
    done
}

finish() {
    strays "$1" all
    tries=0
    for note in "$1"/pids/*; do
        while [ -e "$note" ] && alive "${note##*/}" && [ "$tries" -lt 50 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
        [ -e "$note" ] && kill -s KILL "${note##*/}" 2>/dev/null
    done
    rm -rf "$1" || { sleep 1 && rm -rf "$1"; }
}

new_run() {
    run=$(mktemp -d /tmp/holdfast-test.XXXXXX) || exit 1
    mkdir "$run/pids"
    chmod 755 "$run" # the postgres user passes through
    echo "$1" >"$run/owner"
}

case ${1:-} in
--stdin)
    new_run "$PPID"
    echo "$run"
    cat >/dev/null
    finish "$run"
    ;;
--watch)
    while alive "$2"; do
        strays "$3" orphans
        sleep 0.5
    done
    finish "$3"
    ;;
*)
    new_run "$PPID"
    echo "HOLDFAST_TEST_RUN=$run" >>"$NEXTEST_ENV"
    setsid sh "$0" --watch "$PPID" "$run" </dev/null >/dev/null 2>&1 &
    ;;
esac
