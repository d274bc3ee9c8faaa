DROP TABLE edge_timeline;
DROP TABLE edge_account;
DROP TABLE edge_charge;
DROP TABLE edge_head;
DROP TABLE edge_certificate;
DROP TABLE edge_answer;
DROP TABLE edge_lease;
DROP TABLE edge_name;
