-- Purges of the cache, in the order in which every process does them. The newest stays, so that numbers only grow.
CREATE TABLE edge_purge (
    number {bigint} NOT NULL PRIMARY KEY,
    what {text} NOT NULL,
    purged_at {time} NOT NULL
) {strict_rowless};
