-- The column is called tenant_id so that a tenant's own row is as invisible to other tenants as its data.
CREATE TABLE tenancy_tenant (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    slug {text} NOT NULL,
    name {text} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('active', 'suspended', 'deleting')),
    suspended_reason {text},
    -- Set while suspended, also through a scheduled deletion, so that a restored tenant is what it was.
    suspended_at {time},
    purge_at {time},
    purge_job {uuid},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL
) {strict};

CREATE UNIQUE INDEX tenancy_tenant_slug ON tenancy_tenant (slug);
CREATE INDEX tenancy_tenant_created ON tenancy_tenant (created_at, tenant_id);

-- Built-in roles have a level and take their permissions from the catalogue; custom ones list them.
CREATE TABLE tenancy_role (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    -- The name in lower case: names differ in more than their case.
    name_key {text} NOT NULL,
    description {text} NOT NULL,
    level {text} CHECK (level IN ('viewer', 'editor', 'admin', 'owner')),
    permissions {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {strict_rowless};

CREATE UNIQUE INDEX tenancy_role_name ON tenancy_role (tenant_id, name_key);
CREATE INDEX tenancy_role_created ON tenancy_role (tenant_id, created_at, id);

CREATE TABLE tenancy_member (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    account_id {uuid} NOT NULL,
    email {text} NOT NULL,
    display_name {text} NOT NULL,
    role_id {uuid} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    -- The tenant is part of the reference, so that no member can hold another tenant's role.
    FOREIGN KEY (tenant_id, role_id) REFERENCES tenancy_role (tenant_id, id)
) {strict_rowless};

CREATE UNIQUE INDEX tenancy_member_account ON tenancy_member (tenant_id, account_id);
CREATE INDEX tenancy_member_created ON tenancy_member (tenant_id, created_at, id);
CREATE INDEX tenancy_member_email ON tenancy_member (tenant_id, email, id);
CREATE INDEX tenancy_member_role ON tenancy_member (tenant_id, role_id);

CREATE TABLE tenancy_invitation (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    email {text} NOT NULL,
    role_id {uuid} NOT NULL,
    -- What the role was called, for invitations that outlive their role.
    role_name {text} NOT NULL,
    -- Keyed hash of the tenant, the token and the address together; the token itself is not kept.
    token_hash {bytes} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('pending', 'accepted', 'revoked', 'expired')),
    expires_at {time} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {strict_rowless};

CREATE UNIQUE INDEX tenancy_invitation_token ON tenancy_invitation (token_hash);
CREATE UNIQUE INDEX tenancy_invitation_pending ON tenancy_invitation (tenant_id, email) WHERE state = 'pending';
CREATE INDEX tenancy_invitation_created ON tenancy_invitation (tenant_id, created_at, id);
CREATE INDEX tenancy_invitation_role ON tenancy_invitation (tenant_id, role_id);
