DROP TABLE identity_signing_key;
DROP TABLE identity_api_key;
DROP TABLE identity_refresh;
DROP TABLE identity_session;
DROP TABLE identity_account;
