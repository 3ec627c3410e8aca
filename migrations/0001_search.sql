-- The words of executions that have ended, filled in the background; rowid is executions.seq.
-- Contentless: the texts themselves stand in the tables, here is only their index.
CREATE VIRTUAL TABLE `execution_search` USING fts5(
  id, path, logs, errors, content = '', contentless_delete = 1, prefix = '2 3', tokenize = 'unicode61'
);
