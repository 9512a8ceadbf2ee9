-- migrate:up

-- ANALYZE reads 300 rows for each value of the largest statistics target, 30,000 by default, and takes every wide value
-- of them apart: a second or more of CPU time for these tables, about once a minute under load, which is what the slowest
-- updates waited for. Batches read through primary keys, whatever the statistics say; reports do with coarse ones, and
-- nobody looks for an event's bytes.
ALTER TABLE journal
  ALTER k SET STATISTICS 20,
  ALTER n SET STATISTICS 20,
  ALTER seq SET STATISTICS 20,
  ALTER version SET STATISTICS 20,
  ALTER topic SET STATISTICS 20,
  ALTER part SET STATISTICS 20,
  ALTER off SET STATISTICS 20,
  ALTER arrival SET STATISTICS 20,
  ALTER occurred_at SET STATISTICS 20,
  ALTER revision SET STATISTICS 20,
  ALTER engine SET STATISTICS 20,
  ALTER kind SET STATISTICS 20,
  ALTER applied SET STATISTICS 20,
  ALTER subject SET STATISTICS 20;
ALTER TABLE journal
  ALTER event_key SET STATISTICS 0,
  ALTER entries SET STATISTICS 0,
  ALTER event SET STATISTICS 0,
  ALTER trace SET STATISTICS 0;
ALTER TABLE member
  ALTER k SET STATISTICS 20,
  ALTER n SET STATISTICS 20,
  ALTER member_id SET STATISTICS 20,
  ALTER seq SET STATISTICS 20,
  ALTER version SET STATISTICS 20;
ALTER TABLE member
  ALTER digest SET STATISTICS 0,
  ALTER level SET STATISTICS 0,
  ALTER available SET STATISTICS 0,
  ALTER pending SET STATISTICS 0,
  ALTER reserved SET STATISTICS 0,
  ALTER state SET STATISTICS 0;
ALTER TABLE due
  ALTER k SET STATISTICS 20,
  ALTER n SET STATISTICS 20,
  ALTER at SET STATISTICS 20;
ALTER TABLE outbox
  ALTER payload SET STATISTICS 0;

-- migrate:down

ALTER TABLE outbox
  ALTER payload SET STATISTICS -1;
ALTER TABLE due
  ALTER k SET STATISTICS -1,
  ALTER n SET STATISTICS -1,
  ALTER at SET STATISTICS -1;
ALTER TABLE member
  ALTER k SET STATISTICS -1,
  ALTER n SET STATISTICS -1,
  ALTER member_id SET STATISTICS -1,
  ALTER seq SET STATISTICS -1,
  ALTER version SET STATISTICS -1,
  ALTER digest SET STATISTICS -1,
  ALTER level SET STATISTICS -1,
  ALTER available SET STATISTICS -1,
  ALTER pending SET STATISTICS -1,
  ALTER reserved SET STATISTICS -1,
  ALTER state SET STATISTICS -1;
ALTER TABLE journal
  ALTER k SET STATISTICS -1,
  ALTER n SET STATISTICS -1,
  ALTER seq SET STATISTICS -1,
  ALTER version SET STATISTICS -1,
  ALTER topic SET STATISTICS -1,
  ALTER part SET STATISTICS -1,
  ALTER off SET STATISTICS -1,
  ALTER arrival SET STATISTICS -1,
  ALTER occurred_at SET STATISTICS -1,
  ALTER revision SET STATISTICS -1,
  ALTER engine SET STATISTICS -1,
  ALTER kind SET STATISTICS -1,
  ALTER applied SET STATISTICS -1,
  ALTER subject SET STATISTICS -1,
  ALTER event_key SET STATISTICS -1,
  ALTER entries SET STATISTICS -1,
  ALTER event SET STATISTICS -1,
  ALTER trace SET STATISTICS -1;
