DROP TABLE tenancy_invitation;
DROP TABLE tenancy_member;
DROP TABLE tenancy_role;
DROP TABLE tenancy_tenant;
