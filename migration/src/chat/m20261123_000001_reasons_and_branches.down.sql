DROP INDEX chat_message_parent;
ALTER TABLE chat_answer DROP COLUMN reason;
