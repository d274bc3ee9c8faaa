-- A name that is to have a certificate, or whose end is under way. Names of tenants lie side by side: the process as a
-- whole works through them, and who may see one is the domain's to say.
CREATE TABLE edge_name (
    name {text} NOT NULL PRIMARY KEY,
    -- Whose it is: a tenant's id. The queue is fair among owners.
    owner {text} NOT NULL,
    wanted {bool} NOT NULL,
    lane {text} NOT NULL CHECK (lane IN ('working', 'renewing', 'starting', 'checking')),
    due_at {time} NOT NULL,
    progress {json} NOT NULL
) {strict};

CREATE INDEX edge_name_due ON edge_name (lane, due_at);
CREATE INDEX edge_name_owner ON edge_name (owner, name);

-- The right to work on a name, or on an account with an issuer. Rows stay, so that tokens grow for ever.
CREATE TABLE edge_lease (
    key {text} NOT NULL PRIMARY KEY,
    holder {text} NOT NULL,
    token {bigint} NOT NULL,
    held_until {time}
) {strict_rowless};

-- Answers to challenges, for any replica to give.
CREATE TABLE edge_answer (
    name {text} NOT NULL,
    kind {text} NOT NULL CHECK (kind IN ('http-01', 'tls-alpn-01')),
    host {text} NOT NULL,
    token {text} NOT NULL,
    key_authorization {text} NOT NULL,
    PRIMARY KEY (name, kind, host, token)
) {strict_rowless};

CREATE INDEX edge_answer_token ON edge_answer (token);
CREATE INDEX edge_answer_host ON edge_answer (host);

-- Chain and key, sealed; without them it was withdrawn. Versions grow over the whole table, in the order of commits.
CREATE TABLE edge_certificate (
    name {text} NOT NULL PRIMARY KEY,
    version {bigint} NOT NULL,
    sealed {bytes}
) {strict};

CREATE UNIQUE INDEX edge_certificate_version ON edge_certificate (version);

CREATE TABLE edge_head (
    id {int} NOT NULL PRIMARY KEY,
    version {bigint} NOT NULL
) {strict_rowless};

-- What was taken of an issuer's limits, one row each.
CREATE TABLE edge_charge (
    number {serial_key},
    bucket {text} NOT NULL,
    taken_at {time} NOT NULL
) {strict};

CREATE INDEX edge_charge_bucket ON edge_charge (bucket, taken_at);

-- Accounts with issuers, sealed.
CREATE TABLE edge_account (
    issuer {text} NOT NULL PRIMARY KEY,
    sealed {bytes} NOT NULL
) {strict_rowless};

-- What happened to a name's certificate, the last of it.
CREATE TABLE edge_timeline (
    name {text} NOT NULL,
    number {bigint} NOT NULL,
    owner {text} NOT NULL,
    entry {json} NOT NULL,
    PRIMARY KEY (name, number)
) {strict_rowless};
