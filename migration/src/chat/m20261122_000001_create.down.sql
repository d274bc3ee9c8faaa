DROP TABLE chat_provider;
DROP TABLE chat_event;
DROP TABLE chat_answer;
DROP TABLE chat_message;
DROP TABLE chat_conversation;
