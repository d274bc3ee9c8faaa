-- Keys, each sealed under its parent's: a tenant's under the root key, a collection's under the tenant's, a document's
-- under the collection's. What opens with a key goes when its row goes.
CREATE TABLE vault_key (
    tenant_id {uuid} NOT NULL,
    -- The tenant, the collection or the document.
    owner_id {uuid} NOT NULL,
    version {int} NOT NULL,
    parent_version {int} NOT NULL,
    wrapped {bytes} NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, version)
) {strict_rowless};

-- What people call things is in the clear only in a searchable collection; the sealed part holds all of it always.
CREATE TABLE vault_collection (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    owner_id {uuid},
    searchable {bool} NOT NULL,
    name {text},
    key_version {int} NOT NULL,
    sealed {bytes} NOT NULL,
    -- Set when it was deleted and what it held has yet to go.
    deleted_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {strict_rowless};

CREATE INDEX vault_collection_created ON vault_collection (tenant_id, created_at, id);
CREATE INDEX vault_collection_deleted ON vault_collection (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE vault_document (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    collection_id {uuid} NOT NULL,
    owner_id {uuid},
    name {text},
    media_type {text},
    size {bigint} NOT NULL,
    -- The newest version.
    current_id {uuid} NOT NULL,
    key_version {int} NOT NULL,
    sealed {bytes} NOT NULL,
    deleted_at {time},
    purge_at {time},
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, collection_id) REFERENCES vault_collection (tenant_id, id)
) {strict_rowless};

CREATE INDEX vault_document_created ON vault_document (tenant_id, created_at, id);
CREATE INDEX vault_document_collection ON vault_document (tenant_id, collection_id, created_at, id);
CREATE INDEX vault_document_purge ON vault_document (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE vault_version (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    document_id {uuid} NOT NULL,
    number {bigint} NOT NULL,
    size {bigint} NOT NULL,
    key_version {int} NOT NULL,
    sealed {bytes} NOT NULL,
    created_by {uuid},
    created_at {time} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, document_id) REFERENCES vault_document (tenant_id, id)
) {strict_rowless};

CREATE UNIQUE INDEX vault_version_number ON vault_version (tenant_id, document_id, number);

CREATE TABLE vault_record (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    collection_id {uuid} NOT NULL,
    owner_id {uuid},
    key_version {int} NOT NULL,
    sealed {bytes} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, collection_id) REFERENCES vault_collection (tenant_id, id)
) {strict_rowless};

CREATE INDEX vault_record_created ON vault_record (tenant_id, created_at, id);
CREATE INDEX vault_record_collection ON vault_record (tenant_id, collection_id, created_at, id);

CREATE TABLE vault_grant (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    collection_id {uuid} NOT NULL,
    -- Null for the whole collection.
    document_id {uuid},
    subject_kind {text} NOT NULL CHECK (subject_kind IN ('account', 'role', 'everyone')),
    subject_id {uuid},
    access {text} NOT NULL CHECK (access IN ('read', 'write')),
    valid_from {time} NOT NULL,
    valid_until {time},
    created_by {uuid},
    created_at {time} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, collection_id) REFERENCES vault_collection (tenant_id, id)
) {strict_rowless};

CREATE INDEX vault_grant_object ON vault_grant (tenant_id, collection_id, document_id);
CREATE INDEX vault_grant_created ON vault_grant (tenant_id, created_at, id);
