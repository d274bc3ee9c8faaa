DROP TABLE vault_grant;
DROP TABLE vault_record;
DROP TABLE vault_version;
DROP TABLE vault_document;
DROP TABLE vault_collection;
DROP TABLE vault_key;
