DROP TABLE tenancy_domain_step;
DROP TABLE tenancy_domain;
