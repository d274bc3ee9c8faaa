#!/bin/sh
# Installs what a goal of the Makefile needs and this machine lacks: install.sh (run|test|bench|pebble)
#
# On Debian and Ubuntu by apt-get, when that is allowed without a question; elsewhere it names what to install.
set -eu

missing=
need() { # command, Debian package
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need_postgres() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
}

need_python() {
    need python3 python3
    python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || missing="$missing python3-venv"
}

need cc build-essential
case $1 in
run)
    need node nodejs
    need npm npm
    need_python
    ;;
test)
    need node nodejs
    need npm npm
    need_postgres
    need setpriv util-linux
    need curl curl
    need jq jq
    need pebble pebble
    need redis-server redis-server
    [ -x /usr/sbin/nats-server ] || need nats-server nats-server
    [ -x /usr/sbin/nginx ] || need nginx nginx-light
    [ -x /usr/sbin/haproxy ] || need haproxy haproxy
    [ -x /usr/sbin/knotd ] || need knotd knot
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || missing="$missing chromium"
    need_python
    ;;
bench)
    need node nodejs
    need npm npm
    need wrk wrk
    [ -x /usr/sbin/nginx ] || need nginx nginx-light
    [ -x /usr/sbin/haproxy ] || need haproxy haproxy
    need h2load nghttp2-client
    need setpriv util-linux
    need pebble pebble
    need openssl openssl
    need_python
    ;;
pebble)
    need pebble pebble
    need openssl openssl
    need curl curl
    ;;
*)
    echo "usage: install.sh (run|test|bench|pebble)" >&2
    exit 2
    ;;
esac

[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null 2>&1 && ${as_root:-true} true 2>/dev/null; then
    echo "installing:$missing"
    export DEBIAN_FRONTEND=noninteractive
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # words on purpose
    exec $as_root apt-get install -y -qq --no-install-recommends $missing </dev/null
fi
echo "Missing:$missing. Install with: sudo apt-get install$missing" >&2
exit 1
