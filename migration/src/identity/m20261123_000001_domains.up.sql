-- The tenant's own domain at which it was made, and with which it ends.
ALTER TABLE identity_session ADD COLUMN domain {text};
ALTER TABLE identity_api_key ADD COLUMN domain {text};

CREATE INDEX identity_session_domain ON identity_session (tenant_id, domain) WHERE domain IS NOT NULL;
CREATE INDEX identity_api_key_domain ON identity_api_key (tenant_id, domain) WHERE domain IS NOT NULL;
