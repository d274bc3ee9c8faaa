/** Commands that work as they stand, against the host the console is open at. */
export function samples(origin: string) {
  const auth = '-H "Authorization: Bearer $HOLDFAST_KEY"';
  return [
    { title: "Who am I?", command: `curl ${origin}/api/v1/identity/me ${auth}` },
    {
      title: "List, filter and sort",
      command: [
        `curl -G ${origin}/api/v1/audit/entries ${auth}`,
        `  --data-urlencode 'filter=outcome eq "denied"' -d sort=-occurred_at -d limit=20`,
      ].join(" \\\n"),
    },
    {
      title: "Create, once, however often it is sent",
      command: [
        `curl ${origin}/api/v1/tenancy/invitations ${auth}`,
        `  -H "Content-Type: application/json" -H "Idempotency-Key: $(uuidgen)"`,
        `  -d '{"email": "ada@example.com", "role_id": "rol_…"}'`,
      ].join(" \\\n"),
    },
    {
      title: "GraphQL",
      command: [
        `curl ${origin}/graphql ${auth} -H "Content-Type: application/json"`,
        `  -d '{"query": "{ me { tenant { slug } permissions } }"}'`,
      ].join(" \\\n"),
    },
  ];
}
