-- migrate:up

-- One row: what this installation is. Topics, their number of partitions and the group never change after the first
-- start; incarnation goes up after a restore from backup.
CREATE TABLE installation (
  one         boolean PRIMARY KEY DEFAULT true CHECK (one),
  topics      text[]  NOT NULL,          -- input topics in their order; the internal and the tick topic last
  partitions  int     NOT NULL CHECK (partitions > 0),
  group_id    text    NOT NULL,
  incarnation int     NOT NULL DEFAULT 1,
  created_at  timestamptz NOT NULL DEFAULT now()
);

-- Ids of wallets, rules, funders: numbers in the journal, text here and in the views. Numbers are never reused.
CREATE TABLE dictionary (
  kind   text COLLATE "C" NOT NULL CHECK (kind IN ('wallet', 'rule', 'funder')),
  number int  NOT NULL CHECK (number >= 0),
  id     text COLLATE "C" NOT NULL,
  PRIMARY KEY (kind, number),
  UNIQUE (kind, id)
);

-- The rules in force at t: the highest number with from_at <= t. Number 1 is from the beginning of time. Immutable.
CREATE TABLE programme_revision (
  number     int PRIMARY KEY CHECK (number > 0),
  from_at    timestamptz NOT NULL,
  programme  text NOT NULL,
  author     text NOT NULL,
  reason     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (number > 1 OR from_at = '-infinity')
);

-- One row a partition of the input topics: who works it, how far, and what became of every record so far.
-- Arrays have an element (start_offset, next_offset) or six (outcome_totals: applied, duplicate, ignored, forwarded,
-- rejected, gap) for each topic. Always: next_offset = start_offset + sum of the topic's totals.
CREATE TABLE partition (
  k              int PRIMARY KEY,
  epoch          bigint   NOT NULL DEFAULT 0,
  owner          text     NOT NULL DEFAULT '',
  acquired_at    timestamptz,
  attempts       int      NOT NULL DEFAULT 0,  -- acquires since the offsets last moved, but those
                                               -- that were given back in good order
  start_offset   bigint[] NOT NULL,
  next_offset    bigint[] NOT NULL,
  outcome_totals bigint[] NOT NULL,
  outbox_seq     bigint   NOT NULL DEFAULT 0,
  next_n         int      NOT NULL DEFAULT 1,
  alone          int      NOT NULL DEFAULT 0,  -- workers that one record stopped while it was worked alone; negative:
                                               -- an operator skips it. 0 again when that record is done
  alone_topic    int      NOT NULL DEFAULT 0,  -- which record, while alone is not 0: place in installation.topics
  alone_offset   bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- A member's balances and state. n is the account's number inside partition k, handed out by k's writer.
CREATE TABLE member (
  k         int    NOT NULL,
  n         int    NOT NULL,
  member_id text COLLATE "C" NOT NULL,
  seq       bigint NOT NULL,               -- journaled events
  version   bigint NOT NULL,               -- published updates
  digest    uuid   NOT NULL,               -- of id, k, n, seq, version and state: see docs/architecture.md
  level     smallint[],
  available bigint[] NOT NULL,             -- by wallet number
  pending   bigint[] NOT NULL,
  reserved  bigint[] NOT NULL,
  state     bytea  NOT NULL,
  PRIMARY KEY (k, n)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX member_id ON member (member_id);
ALTER TABLE member ALTER COLUMN state SET STORAGE MAIN;

-- What each kind of entry does to a balance: the table of the engine, for SQL.
CREATE TABLE entry_kind (
  number    smallint PRIMARY KEY,
  name      text NOT NULL UNIQUE,
  available smallint NOT NULL,
  pending   smallint NOT NULL,
  reserved  smallint NOT NULL
);
INSERT INTO entry_kind VALUES
  (1, 'earn', 1, 0, 0),
  (2, 'earn_pending', 0, 1, 0),
  (3, 'release', 1, -1, 0),
  (4, 'expire', 1, 0, 0);

CREATE TYPE entry AS (kind smallint, wallet smallint, amount bigint, lot int, rule int, funder int);

-- One row for every event that was applied: its input position, what it was decided with, what it did, and itself.
-- The primary key is the guard against repeats (see docs/architecture.md, "Duplicates").
CREATE TABLE journal (
  k           int      NOT NULL,
  n           int      NOT NULL,
  event_key   uuid     NOT NULL,
  seq         bigint   NOT NULL,
  version     bigint   NOT NULL,
  topic       smallint NOT NULL,           -- place in installation.topics, from 0
  part        int      NOT NULL,
  off         bigint   NOT NULL,
  arrival     timestamptz NOT NULL,
  occurred_at timestamptz NOT NULL,
  revision    int      NOT NULL,
  engine      smallint NOT NULL,
  kind        smallint NOT NULL,
  applied     smallint NOT NULL,
  subject     text COLLATE "C",
  entries     entry[],
  event       bytea    NOT NULL,           -- loyalty.v1.Event
  trace       bytea,                       -- loyalty.v1.Trace
  PRIMARY KEY (k, n, event_key)
);

-- Messages of one batch, written with it, deleted once the broker has acknowledged them.
CREATE TABLE outbox (
  k       int    NOT NULL,
  seq     bigint NOT NULL,
  payload bytea  NOT NULL,
  PRIMARY KEY (k, seq)
);
ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTERNAL; -- compressed already

-- When time alone next changes an account.
CREATE TABLE due (
  k  int NOT NULL,
  n  int NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (k, n)
) WITH (fillfactor = 70);
CREATE INDEX due_at ON due (at);

-- Budgets and shared limits.
CREATE TABLE counter (
  id   int PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  used bigint NOT NULL DEFAULT 0 CHECK (used >= 0)
) WITH (fillfactor = 50);

CREATE VIEW ledger AS
SELECT m.member_id, j.seq, j.version, e.ordinal, ek.name AS entry, coalesce(w.id, e.wallet::text) AS wallet, e.amount,
       e.amount * ek.available AS available, e.amount * ek.pending AS pending, e.amount * ek.reserved AS reserved,
       e.lot, coalesce(r.id, nullif(e.rule, 0)::text) AS rule, f.id AS funder,
       j.subject, j.occurred_at, j.arrival, j.revision, j.kind, j.k, j.n, j.topic, j.part, j.off
FROM journal j
JOIN member m USING (k, n)
CROSS JOIN LATERAL unnest(j.entries) WITH ORDINALITY AS e(kind, wallet, amount, lot, rule, funder, ordinal)
JOIN entry_kind ek ON ek.number = e.kind
LEFT JOIN dictionary w ON w.kind = 'wallet' AND w.number = e.wallet
LEFT JOIN dictionary r ON r.kind = 'rule' AND r.number = e.rule
LEFT JOIN dictionary f ON f.kind = 'funder' AND f.number = e.funder;

CREATE VIEW balance AS
SELECT m.member_id, coalesce(w.id, (b.ordinal - 1)::text) AS wallet, b.available, b.pending, b.reserved, m.version, m.k, m.n
FROM member m
CROSS JOIN LATERAL unnest(m.available, m.pending, m.reserved) WITH ORDINALITY AS b(available, pending, reserved, ordinal)
LEFT JOIN dictionary w ON w.kind = 'wallet' AND w.number = b.ordinal - 1;

-- A number that stands for a condition: raises (22012) when it does not hold, inside the transaction that must not go on.
CREATE FUNCTION must_hold(condition boolean) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 1 / (condition IS TRUE)::int $$;

-- Whether a decision by revisions up to `known`, for moments up to `moment`, still stands; and it goes on standing until
-- the transaction ends, since publishing waits for the lock. With their owner's rights: who asks may change nothing.
CREATE FUNCTION no_newer_revision(known int, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  LOCK TABLE programme_revision IN ROW SHARE MODE;
  RETURN NOT EXISTS (SELECT FROM programme_revision WHERE number > known AND from_at <= moment);
END $$;

-- The number that a new revision gets. Waits for the batches under way; later ones wait for this transaction, and see
-- what it published. The caller sets a short lock_timeout and tries again: whoever waits here holds up everybody.
CREATE FUNCTION next_revision() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  LOCK TABLE programme_revision IN EXCLUSIVE MODE;
  RETURN (SELECT coalesce(max(number), 0) + 1 FROM programme_revision);
END $$;

REVOKE ALL ON FUNCTION no_newer_revision(int, timestamptz), next_revision() FROM PUBLIC;

-- migrate:down

DROP FUNCTION next_revision();
DROP FUNCTION no_newer_revision(int, timestamptz);
DROP FUNCTION must_hold(boolean);
DROP VIEW balance;
DROP VIEW ledger;
DROP TABLE counter;
DROP TABLE due;
DROP TABLE outbox;
DROP TABLE journal;
DROP TYPE entry;
DROP TABLE entry_kind;
DROP TABLE member;
DROP TABLE partition;
DROP TABLE programme_revision;
DROP TABLE dictionary;
DROP TABLE installation;
