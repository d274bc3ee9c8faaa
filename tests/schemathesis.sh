#!/bin/sh
# Fuzzes every operation of the OpenAPI document against a real server: no 5xx, no undocumented answer.
#
#   tests/schemathesis.sh ENGINE EXAMPLES     ENGINE is sqlite or postgres; EXAMPLES a operation and kind of input
#
# Wants TARGET (cargo's target folder) with the built binaries, and Schemathesis in $TARGET/schemathesis (make deps).
set -eu
cd "$(dirname "$0")/.."

if [ "$1" != --inside ]; then
    exec "$TARGET/debug/with-server" "$1" "$TARGET/debug/holdfast" "$0" --inside "$2" "$1"
fi

report="$TARGET/schemathesis-$3"
rm -rf "$report"
mkdir -p "$report"
cd "$report" # it leaves its replays where it runs
# It would revoke the key that it works with, and then see nothing but 401; and watching progress or requests has no end.
# A seed of its own makes a failure repeatable; what it found so far is not kept between runs.
exec "$TARGET/schemathesis/bin/schemathesis" run "$HOLDFAST_URL/openapi.json" \
    --url "$HOLDFAST_URL" \
    --header "Authorization: Bearer $HOLDFAST_KEY" --header "Holdfast-Tenant: system" \
    --exclude-operation-id revoke_api_key --exclude-operation-id follow_knowledge_progress \
    --exclude-operation-id follow_edge_requests \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance \
    --phases examples,coverage,fuzzing --max-examples "$2" --seed 20261122 \
    --request-timeout 20 --suppress-health-check all --generation-database none \
    --report junit --report-dir .
