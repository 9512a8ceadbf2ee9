-- migrate:up

-- Messages of a batch resemble each other, and nobody compressed them before. LZ4 takes less time than writing what it saves:
-- to the log, to the table behind the row, and deleting it there. PostgreSQL's own method takes more than that, so that a
-- server without LZ4 (one that somebody built so) stores them as they come.
DO $$
BEGIN
  IF (SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression') THEN
    ALTER TABLE outbox ALTER COLUMN payload SET COMPRESSION lz4;
    ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTENDED;
  END IF;
END $$;

-- migrate:down

ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE outbox ALTER COLUMN payload SET COMPRESSION default;
