-- Whether the settings name it: such a name goes when they no longer do.
ALTER TABLE edge_name ADD COLUMN from_settings {bool} NOT NULL DEFAULT {false};
