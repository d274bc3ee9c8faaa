DROP TABLE edge_purge;
