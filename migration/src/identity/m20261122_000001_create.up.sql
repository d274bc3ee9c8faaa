-- People who can sign in. An account belongs to one tenant, and its address is unique there.
CREATE TABLE identity_account (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    -- Trimmed and in lower case; email_shown is what the person wrote.
    email {text} NOT NULL,
    email_shown {text} NOT NULL,
    display_name {text} NOT NULL,
    disabled {bool} NOT NULL,
    -- Argon2id in PHC form.
    password_hash {text} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    UNIQUE (tenant_id, email)
) {strict};

CREATE INDEX identity_account_list ON identity_account (tenant_id, created_at, id);

-- One row a signed-in device; a revoked session has none.
CREATE TABLE identity_session (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    account_id {uuid} NOT NULL REFERENCES identity_account (id) ON DELETE CASCADE,
    transport {text} NOT NULL,
    -- Keyed hash of the cookie; null for bearer sessions.
    cookie_hash {bytes},
    device {text} NOT NULL,
    user_agent {text},
    address {text},
    created_at {time} NOT NULL,
    last_seen_at {time} NOT NULL,
    expires_at {time} NOT NULL
) {strict};

CREATE INDEX identity_session_list ON identity_session (tenant_id, created_at, id);
CREATE INDEX identity_session_account ON identity_session (account_id);
CREATE UNIQUE INDEX identity_session_cookie ON identity_session (tenant_id, cookie_hash) WHERE cookie_hash IS NOT NULL;
CREATE INDEX identity_session_expiry ON identity_session (expires_at);

-- Refresh tokens by their keyed hash. A used one keeps its successor, sealed under a key made of the token itself.
CREATE TABLE identity_refresh (
    tenant_id {uuid} NOT NULL,
    token_hash {bytes} NOT NULL,
    session_id {uuid} NOT NULL REFERENCES identity_session (id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    used_at {time},
    successor {bytes},
    PRIMARY KEY (tenant_id, token_hash)
) {strict_rowless};

CREATE INDEX identity_refresh_session ON identity_refresh (session_id);
CREATE INDEX identity_refresh_expiry ON identity_refresh (expires_at);

-- Keys of programs, which act for the account that made them.
CREATE TABLE identity_api_key (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    account_id {uuid} NOT NULL REFERENCES identity_account (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    prefix {text} NOT NULL,
    secret_hash {bytes} NOT NULL,
    -- A JSON array of permissions; null is whatever the account may.
    scopes {json},
    created_at {time} NOT NULL,
    expires_at {time},
    last_used_at {time},
    version {bigint} NOT NULL,
    UNIQUE (tenant_id, secret_hash)
) {strict};

CREATE INDEX identity_api_key_list ON identity_api_key (tenant_id, created_at, id);
CREATE INDEX identity_api_key_account ON identity_api_key (account_id);

-- Keys that sign access tokens; the private half is sealed.
CREATE TABLE identity_signing_key (
    id {uuid} NOT NULL PRIMARY KEY,
    tenant_id {uuid} NOT NULL,
    algorithm {text} NOT NULL,
    state {text} NOT NULL,
    public_key {bytes} NOT NULL,
    private_key {bytes} NOT NULL,
    created_at {time} NOT NULL,
    activated_at {time},
    -- From when no token that it signed is valid any more.
    retires_at {time}
) {strict};

CREATE INDEX identity_signing_key_list ON identity_signing_key (tenant_id, created_at, id);
CREATE UNIQUE INDEX identity_signing_key_active ON identity_signing_key (tenant_id) WHERE state = 'active';
CREATE UNIQUE INDEX identity_signing_key_next ON identity_signing_key (tenant_id) WHERE state = 'next';
