DROP TABLE kernel_fact;
DROP TABLE kernel_idempotency;
