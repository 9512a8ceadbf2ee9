-- migrate:up

-- Points that move from one lot of a member to another, so that a member may have any number of purchases: what a lot
-- loses and another gets. They add up to nothing in every event.
INSERT INTO entry_kind VALUES
  (5, 'join', 1, 0, 0),
  (6, 'join_pending', 0, 1, 0);

-- migrate:down

DELETE FROM entry_kind WHERE number IN (5, 6);
