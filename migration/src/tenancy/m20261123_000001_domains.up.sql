-- Names of the tenants' own. Several may claim one; one holds it.
CREATE TABLE tenancy_domain (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    -- A-labels in lower case, or such a name after *. for all names one label below it.
    name {text} NOT NULL,
    -- What its proof says. A claim that lapsed or was made anew has another one.
    token {text} NOT NULL,
    status {text} NOT NULL CHECK (status IN ('pending', 'verified', 'failing', 'lapsed')),
    -- How the parts stood at the last check.
    proof {text} NOT NULL,
    address {text} NOT NULL,
    caa {text} NOT NULL,
    findings {json} NOT NULL,
    -- Held, and nothing in the way of visitors.
    ready {bool} NOT NULL,
    -- Checks in a row that left something to be waited for.
    tries {int} NOT NULL,
    checked_at {time},
    next_check_at {time} NOT NULL,
    -- When the last check began: nobody begins another one soon after.
    asked_at {time},
    verified_at {time},
    -- When all was well for the first time.
    ready_at {time},
    proof_missing_since {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {strict_rowless};

CREATE UNIQUE INDEX tenancy_domain_claim ON tenancy_domain (tenant_id, name);
CREATE UNIQUE INDEX tenancy_domain_holder ON tenancy_domain (name) WHERE status IN ('verified', 'failing');
CREATE INDEX tenancy_domain_name ON tenancy_domain (name);
CREATE INDEX tenancy_domain_created ON tenancy_domain (tenant_id, created_at, id);
CREATE INDEX tenancy_domain_due ON tenancy_domain (next_check_at);

-- What happened to a domain, the last of it.
CREATE TABLE tenancy_domain_step (
    tenant_id {uuid} NOT NULL,
    domain_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    at {time} NOT NULL,
    -- Steps that follow one another and differ in their time only are one.
    last_at {time} NOT NULL,
    times {bigint} NOT NULL,
    status {text} NOT NULL,
    code {text},
    sentence {text} NOT NULL,
    evidence {json} NOT NULL,
    mend {text},
    next_try_at {time},
    PRIMARY KEY (tenant_id, domain_id, id),
    FOREIGN KEY (tenant_id, domain_id) REFERENCES tenancy_domain (tenant_id, id) ON DELETE CASCADE
) {strict_rowless};
