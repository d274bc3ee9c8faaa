-- The budget of one key of a limit that replicas share: when it would be whole again, in microseconds since 1970.
CREATE TABLE edge_allowance (
    limit_name {text} NOT NULL,
    key {bytes} NOT NULL,
    whole_at {bigint} NOT NULL,
    PRIMARY KEY (limit_name, key)
) {strict_rowless};

CREATE INDEX edge_allowance_whole ON edge_allowance (whole_at);

-- Replicas and when they were heard of last, in the same unit.
CREATE TABLE edge_replica (
    id {text} NOT NULL PRIMARY KEY,
    seen_at {bigint} NOT NULL
) {strict_rowless};
