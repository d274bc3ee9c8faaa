DROP TABLE knowledge_embedding;
DROP TABLE knowledge_term;
DROP TABLE knowledge_passage;
DROP TABLE knowledge_head;
DROP TABLE knowledge_document;
