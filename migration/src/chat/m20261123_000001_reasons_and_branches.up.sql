-- Sealed: a code and a sentence about an answer that is not what was hoped for.
ALTER TABLE chat_answer ADD COLUMN reason {bytes};

CREATE INDEX chat_message_parent ON chat_message (tenant_id, conversation_id, parent_id);
