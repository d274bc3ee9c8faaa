-- One row a key that a client made a write idempotent with. The key itself is not kept.
CREATE TABLE kernel_idempotency (
    tenant_id {uuid} NOT NULL,
    key_hash {bytes} NOT NULL,
    fingerprint {bytes} NOT NULL,
    response {bytes},
    expires_at {time} NOT NULL,
    PRIMARY KEY (tenant_id, key_hash)
) {strict_rowless};

CREATE INDEX kernel_idempotency_expiry ON kernel_idempotency (expires_at);

-- Facts about the installation, such as the check value of its root key.
CREATE TABLE kernel_fact (
    name {text} NOT NULL PRIMARY KEY,
    value {bytes} NOT NULL
) {strict_rowless};
