-- One row an entry. Its content is the canonical text (RFC 8785) and stands in no other column but those that lists
-- are filtered by. It is written once; later only the sequence is filled in, and salt and text may be erased while
-- the leaf stays.
CREATE TABLE audit_entry (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    sequence {bigint},
    leaf_hash {bytes} NOT NULL,
    salt {bytes},
    canonical {text},
    occurred_at {time} NOT NULL,
    actor_id {text},
    action {text} NOT NULL,
    target_kind {text},
    target_id {text},
    outcome {text} NOT NULL
) {strict};

-- What the sequencer has yet to number; empty most of the time.
CREATE INDEX audit_entry_unsequenced ON audit_entry (id) WHERE sequence IS NULL;
CREATE UNIQUE INDEX audit_entry_sequence ON audit_entry (tenant_id, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_entry_occurred ON audit_entry (tenant_id, occurred_at, id);

-- One row a tenant: the root of the Merkle tree over its numbered entries, the peaks from which the tree grows, and
-- a tag under the root key, so that who can only write the database can't make a head.
CREATE TABLE audit_head (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    size {bigint} NOT NULL,
    root_hash {bytes} NOT NULL,
    peaks {bytes} NOT NULL,
    tag {bytes} NOT NULL,
    updated_at {time} NOT NULL
) {strict_rowless};
