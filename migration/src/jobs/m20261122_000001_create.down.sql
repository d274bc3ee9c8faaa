DROP TABLE jobs_job;
DROP TABLE jobs_process;
