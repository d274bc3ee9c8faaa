DROP TABLE events_parked;
DROP TABLE events_inbox;
DROP TABLE events_subscriber;
DROP TABLE events_log;
