-- How far each searchable document is on its way into the search. The row of a deleted one stays for a while, without
-- its name, so that every replica's index learns of it.
CREATE TABLE knowledge_document (
    tenant_id {uuid} NOT NULL,
    document_id {uuid} NOT NULL,
    collection_id {uuid} NOT NULL,
    -- The newest version that was heard of, and the one whose passages are found.
    version_id {uuid} NOT NULL,
    live_version_id {uuid},
    name {text} NOT NULL,
    title {text},
    media_type {text} NOT NULL,
    size {bigint} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('queued', 'extracting', 'embedding', 'ready', 'failed', 'deleted')),
    -- Why it failed: a code, and a sentence for people.
    reason {text},
    detail {text},
    passages_done {bigint} NOT NULL,
    passages_total {bigint} NOT NULL,
    -- The live version's.
    live_passages {bigint} NOT NULL,
    -- The embedding model; empty for none.
    model {text} NOT NULL,
    -- The tenant's sequence number of the last change to what is found.
    seq {bigint} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, document_id)
) {strict_rowless};

CREATE INDEX knowledge_document_seq ON knowledge_document (tenant_id, seq);
CREATE INDEX knowledge_document_created ON knowledge_document (tenant_id, created_at, document_id);
CREATE INDEX knowledge_document_updated ON knowledge_document (tenant_id, updated_at, document_id);
CREATE INDEX knowledge_document_collection ON knowledge_document (tenant_id, collection_id);

-- The last sequence number of each tenant. Its row lock makes the numbers appear in their order.
CREATE TABLE knowledge_head (
    tenant_id {uuid} NOT NULL PRIMARY KEY,
    seq {bigint} NOT NULL
) {strict};

-- Derived plaintext. Those of a version that is not live yet are being written.
CREATE TABLE knowledge_passage (
    tenant_id {uuid} NOT NULL,
    document_id {uuid} NOT NULL,
    version_id {uuid} NOT NULL,
    ordinal {int} NOT NULL,
    id {uuid} NOT NULL,
    start_byte {bigint} NOT NULL,
    end_byte {bigint} NOT NULL,
    heading {text} NOT NULL,
    page {int},
    body {text} NOT NULL,
    -- SHA-256 of what is embedded, to find its vector.
    digest {bytes} NOT NULL,
    PRIMARY KEY (tenant_id, document_id, version_id, ordinal)
) {strict};

CREATE UNIQUE INDEX knowledge_passage_id ON knowledge_passage (tenant_id, id);
CREATE INDEX knowledge_passage_digest ON knowledge_passage (tenant_id, digest);

-- Which term is in which live document: the search of the database itself.
CREATE TABLE knowledge_term (
    tenant_id {uuid} NOT NULL,
    term {text} NOT NULL,
    document_id {uuid} NOT NULL,
    PRIMARY KEY (tenant_id, term, document_id)
) {strict_rowless};

CREATE INDEX knowledge_term_document ON knowledge_term (tenant_id, document_id);

-- Vectors, once for equal content: 32-bit floats, little-endian, length 1.
CREATE TABLE knowledge_embedding (
    tenant_id {uuid} NOT NULL,
    model {text} NOT NULL,
    digest {bytes} NOT NULL,
    vector {bytes} NOT NULL,
    PRIMARY KEY (tenant_id, model, digest)
) {strict};
