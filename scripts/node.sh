#!/bin/sh
# Runs npm in web-admin with a Node.js that the console's tools accept: node.sh TARGET ARGUMENT…
#
# Debian 12 and Ubuntu 24.04 carry Node.js 18, which Vite refuses; then a newer one comes from the npm registry,
# once, into TARGET/node.
set -eu

target=$1
shift
recent() {
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
}

PATH="$target/node/node_modules/.bin:$PATH"
if ! recent; then
    echo "Node.js $(node --version) is older than 20.19; fetching one from the npm registry"
    npm install --prefix "$target/node" --no-audit --no-fund --loglevel error node@22
    hash -r
    recent || {
        echo "No Node.js of 20.19 or newer: install one, see https://nodejs.org" >&2
        exit 1
    }
fi
exec npm --prefix web-admin "$@"
