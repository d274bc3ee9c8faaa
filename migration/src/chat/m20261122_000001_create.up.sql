-- A conversation belongs to one account; nobody else reads it. Its title is sealed.
CREATE TABLE chat_conversation (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    account_id {uuid} NOT NULL,
    title {bytes} NOT NULL,
    -- The position of the last message.
    last_position {bigint} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id)
) {strict};

CREATE INDEX chat_conversation_list ON chat_conversation (tenant_id, account_id, updated_at, id);

-- A tree: the messages with one parent are branches. Positions are 1, 2, 3 … within a conversation.
CREATE TABLE chat_message (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    conversation_id {uuid} NOT NULL,
    position {bigint} NOT NULL,
    parent_id {uuid},
    role {text} NOT NULL,
    -- Sealed: the text, what it cites, and which documents it was made from.
    content {bytes} NOT NULL,
    answer_id {uuid},
    created_at {time} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, conversation_id, position),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES chat_conversation (tenant_id, id) ON DELETE CASCADE
) {strict};

-- One answer to one question. While it runs, `process` makes it and says so by `beat_at`.
CREATE TABLE chat_answer (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    conversation_id {uuid} NOT NULL,
    question_id {uuid} NOT NULL,
    message_id {uuid} NOT NULL,
    account_id {uuid} NOT NULL,
    state {text} NOT NULL,
    provider {text},
    model {text},
    -- A JSON array of the documents whose text it was given.
    documents {json} NOT NULL,
    -- The number of the last event on disk.
    last_seq {bigint} NOT NULL,
    prompt_tokens {bigint},
    completion_tokens {bigint},
    process {uuid} NOT NULL,
    beat_at {time} NOT NULL,
    stop_requested {bool} NOT NULL,
    created_at {time} NOT NULL,
    ended_at {time},
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES chat_conversation (tenant_id, id) ON DELETE CASCADE
) {strict};

CREATE INDEX chat_answer_running ON chat_answer (process, beat_at) WHERE state = 'running';
CREATE INDEX chat_answer_conversation ON chat_answer (tenant_id, conversation_id);
CREATE INDEX chat_answer_ended ON chat_answer (ended_at) WHERE last_seq > 0;

-- The log of an answer, appended in batches: a row holds the events `seq` to `last`, sealed. Goes some time after the
-- answer's end; the message stays.
CREATE TABLE chat_event (
    tenant_id {uuid} NOT NULL,
    answer_id {uuid} NOT NULL,
    seq {bigint} NOT NULL,
    last {bigint} NOT NULL,
    data {bytes} NOT NULL,
    PRIMARY KEY (tenant_id, answer_id, seq),
    FOREIGN KEY (tenant_id, answer_id) REFERENCES chat_answer (tenant_id, id) ON DELETE CASCADE
) {strict_rowless};

-- Who can be asked, in this order.
CREATE TABLE chat_provider (
    tenant_id {uuid} NOT NULL,
    id {uuid} NOT NULL,
    name {text} NOT NULL,
    kind {text} NOT NULL,
    base_url {text} NOT NULL,
    -- Sealed; null where none is needed.
    api_key {bytes},
    -- A JSON array of names, the usual one first.
    models {json} NOT NULL,
    position {bigint} NOT NULL,
    first_token_timeout_ms {bigint} NOT NULL,
    idle_timeout_ms {bigint} NOT NULL,
    enabled {bool} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) {strict};
