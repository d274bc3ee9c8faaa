#!/bin/sh
# A certificate authority for trying the edge on one machine: pebble.sh FOLDER
#
# Pebble (Let's Encrypt's test CA) on 127.0.0.1:14000 and a DNS server on 127.0.0.1:8053 that says that every name is this
# machine. It looks at ports 8080 and 8443 as a CA looks at 80 and 443. FOLDER gets holdfast.toml, the settings that make
# Holdfast use it, and root.pem, the root to trust. Ctrl-C ends it; nobody should trust it for anything else.
set -eu

folder=$1
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# The certificate of Pebble's own HTTPS, for this folder alone.
[ -s "$folder/pebble.pem" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE \
    -keyout "$folder/pebble-key.pem" -out "$folder/pebble.pem" 2>/dev/null

cat >"$folder/pebble.json" <<EOF
{ "pebble": {
    "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
    "certificate": "$folder/pebble.pem", "privateKey": "$folder/pebble-key.pem",
    "httpPort": 8080, "tlsPort": 8443, "externalAccountBindingRequired": false } }
EOF
cat >"$folder/holdfast.toml" <<EOF
[tenancy.domains]
targets = ["127.0.0.1"]
resolvers = ["127.0.0.1:8053"]

[[gateway.limits]]
name = "shop"
by = ["account"]
per_minute = 60
burst = 60

[[edge.certificates.issuers]]
id = "pebble"
directory = "https://localhost:14000/dir"
root = "$folder/pebble.pem"
EOF

trap 'kill $dns $ca 2>/dev/null' EXIT INT TERM
pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 "" -dns01 127.0.0.1:8053 -management 127.0.0.1:8055 \
    -http01 "" -https01 "" -tlsalpn01 "" >"$folder/dns.log" 2>&1 &
dns=$!
PEBBLE_VA_NOSLEEP=1 pebble -config "$folder/pebble.json" -dnsserver 127.0.0.1:8053 >"$folder/pebble.log" 2>&1 &
ca=$!

tries=0
until curl -sf --cacert "$folder/pebble.pem" https://localhost:15000/roots/0 -o "$folder/root.pem"; do
    tries=$((tries + 1))
    if [ $tries -ge 50 ] || ! kill -0 $ca 2>/dev/null; then
        echo "Pebble does not start; read $folder/pebble.log." >&2
        exit 1
    fi
    sleep 0.2
done
echo "The CA runs. In another terminal: make run ARGS=\"--config $folder/holdfast.toml\"; its root is $folder/root.pem."
wait $ca
