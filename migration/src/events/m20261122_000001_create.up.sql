-- One row an event, written once. Readers go by (txid, seq) below the oldest transaction in flight: numbers of `seq`
-- are given out before their transactions commit, so a reader that went by `seq` alone would pass rows by.
CREATE TABLE events_log (
    seq {serial_key},
    txid {bigint} NOT NULL,
    id {uuid} NOT NULL,
    tenant_id {uuid} NOT NULL,
    kind {text} NOT NULL,
    key {text} NOT NULL,
    data {json} NOT NULL,
    occurred_at {time} NOT NULL
) {strict};

CREATE UNIQUE INDEX events_log_order ON events_log (txid, seq);
CREATE UNIQUE INDEX events_log_id ON events_log (id);
CREATE INDEX events_log_tenant ON events_log (tenant_id, occurred_at, id);

-- How far each subscriber has come. A step that retires a subscriber removes its row, or the log is kept for it.
CREATE TABLE events_subscriber (
    name {text} NOT NULL PRIMARY KEY,
    txid {bigint} NOT NULL,
    seq {bigint} NOT NULL,
    updated_at {time} NOT NULL
) {strict_rowless};

-- What each subscriber has done; committed together with the doing.
CREATE TABLE events_inbox (
    subscriber {text} NOT NULL,
    event_id {uuid} NOT NULL,
    done_at {time} NOT NULL,
    PRIMARY KEY (subscriber, event_id)
) {strict_rowless};

-- What a subscriber failed to do, and what waits behind it for the sake of the order of its key.
CREATE TABLE events_parked (
    subscriber {text} NOT NULL,
    event_id {uuid} NOT NULL,
    tenant_id {uuid} NOT NULL,
    key {text} NOT NULL,
    txid {bigint} NOT NULL,
    seq {bigint} NOT NULL,
    attempts {int} NOT NULL,
    retry_at {time} NOT NULL,
    last_error {text},
    PRIMARY KEY (subscriber, event_id)
) {strict_rowless};

CREATE INDEX events_parked_key ON events_parked (subscriber, tenant_id, key, txid, seq);
CREATE INDEX events_parked_due ON events_parked (subscriber, retry_at);
CREATE INDEX events_parked_seq ON events_parked (seq);
