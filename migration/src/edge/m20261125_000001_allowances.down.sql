DROP TABLE edge_replica;
DROP TABLE edge_allowance;
