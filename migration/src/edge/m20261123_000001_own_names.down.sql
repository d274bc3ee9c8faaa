ALTER TABLE edge_name DROP COLUMN from_settings;
