#!/bin/sh
# Runs the conformance suite http-cache-tests through the cache and prints its scores: run.sh TARGET [TEST-ID]
#
# TARGET is cargo's target folder; the suite (npm, pinned) and the results go there too.
set -eu

target=$1
id=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
suite=$target/cache-tests
version=0.4.5
origin=127.0.0.1:8310
edge=127.0.0.1:8311

CARGO_TARGET_DIR=$target cargo build --quiet --package edge-cache --example proxy
if [ ! -d "$suite/node_modules/http-cache-tests" ]; then
    npm install --prefix "$suite" --no-audit --no-fund --loglevel error "http-cache-tests@$version"
fi
cd "$suite/node_modules/http-cache-tests"
npm_config_protocol=http npm_config_port=${origin#*:} npm_config_pidfile=/dev/null node server/server.mjs >/dev/null &
server=$!
# shellcheck disable=SC2086
"$target/debug/examples/proxy" $edge $origin ${PROXY_ARGS:-} &
proxy=$!
trap 'kill $server $proxy 2>/dev/null' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    curl --silent --output /dev/null "http://$edge/" && break
    sleep 0.2
done
if [ -n "$id" ]; then
    npm_config_base=http://$edge npm_config_id=$id node --no-warnings cli.mjs
else
    npm_config_base=http://$edge npm_package_config_id= node --no-warnings cli.mjs >"$suite/results.json"
    node "$here/score.mjs" "$suite"
fi
