DROP TABLE edge_routing;
DROP TABLE edge_pool;
DROP TABLE edge_route;
