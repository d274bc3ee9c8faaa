DROP INDEX identity_api_key_domain;
DROP INDEX identity_session_domain;
ALTER TABLE identity_api_key DROP COLUMN domain;
ALTER TABLE identity_session DROP COLUMN domain;
