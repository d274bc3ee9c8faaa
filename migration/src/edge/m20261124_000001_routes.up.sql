-- What the edge does with requests, and the services that it sends them to; the operators' own. Bodies are checked as a
-- whole with all others before they are written.
CREATE TABLE edge_route (
    id {uuid} NOT NULL PRIMARY KEY,
    name {text} NOT NULL,
    body {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL
) {strict};

CREATE UNIQUE INDEX edge_route_name ON edge_route (name);

CREATE TABLE edge_pool (
    id {uuid} NOT NULL PRIMARY KEY,
    name {text} NOT NULL,
    body {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    version {bigint} NOT NULL
) {strict};

CREATE UNIQUE INDEX edge_pool_name ON edge_pool (name);

-- Grows with each change of either, so that every process sees that it is behind.
CREATE TABLE edge_routing (
    id {int} NOT NULL PRIMARY KEY,
    version {bigint} NOT NULL
) {strict_rowless};

INSERT INTO edge_routing (id, version) VALUES (1, 0);
