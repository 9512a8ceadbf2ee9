-- migrate:up

-- The statements of a batch's commit, as functions: PL/pgSQL plans them once a session, where a text that is sent anew
-- is planned each time, which for a small batch is most of its cost. They are no named statements of a session: a pooler
-- in transaction mode may hand the connection to anyone. With their caller's rights. docs/adr/0018.

-- For the transaction. Nested loops through the primary keys are right for every batch, whatever the statistics say; a
-- plan that fits all sizes of batches is the same one; and whoever waits for somebody else's lock gives up by itself
-- even when its client is gone.
CREATE FUNCTION begin_batch() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  ignored text;
BEGIN
  ignored := set_config('plan_cache_mode', 'force_generic_plan', true);
  ignored := set_config('enable_seqscan', 'off', true);
  ignored := set_config('enable_hashjoin', 'off', true);
  ignored := set_config('enable_mergejoin', 'off', true);
  ignored := set_config('enable_bitmapscan', 'off', true);
  ignored := set_config('jit', 'off', true);
  ignored := set_config('lock_timeout', '10s', true);
END $$;

-- Offsets and totals are 16 topics' (of 6 outcomes) a partition, of which the row's own topics count.
CREATE FUNCTION move_partitions(ks int[], epochs bigint[], old_outbox_seqs bigint[], new_outbox_seqs bigint[],
  old_next_ns int[], new_next_ns int[], old_offsets bigint[], new_offsets bigint[], added_totals bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  moved int;
BEGIN
  UPDATE partition p
  SET next_offset = new_offsets[w.i * 16 - 15 : w.i * 16 - 16 + cardinality(p.next_offset)],
      attempts = CASE WHEN p.next_offset = new_offsets[w.i * 16 - 15 : w.i * 16 - 16 + cardinality(p.next_offset)]
                      THEN p.attempts ELSE 0 END,
      alone = CASE WHEN new_offsets[w.i * 16 - 15 + p.alone_topic] > p.alone_offset THEN 0 ELSE p.alone END,
      outcome_totals = (SELECT array_agg(t.a + t.b ORDER BY t.o)
                        FROM unnest(p.outcome_totals,
                                    added_totals[w.i * 96 - 95 : w.i * 96 - 96 + cardinality(p.outcome_totals)])
                             WITH ORDINALITY AS t(a, b, o)),
      outbox_seq = w.new_outbox_seq, next_n = w.new_next_n
  FROM unnest(ks, epochs, old_outbox_seqs, new_outbox_seqs, old_next_ns, new_next_ns) WITH ORDINALITY
       AS w(k, epoch, old_outbox_seq, new_outbox_seq, old_next_n, new_next_n, i)
  WHERE p.k = w.k AND p.epoch = w.epoch AND p.outbox_seq = w.old_outbox_seq AND p.next_n = w.old_next_n
    AND p.next_offset = old_offsets[w.i * 16 - 15 : w.i * 16 - 16 + cardinality(p.next_offset)];
  GET DIAGNOSTICS moved = ROW_COUNT;
  moved := must_hold(moved = cardinality(ks));
END $$;

CREATE FUNCTION add_journal(added journal[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO journal SELECT * FROM unnest(added);
END $$;

-- Balances are `width` wallets' a member.
CREATE FUNCTION change_members(ks int[], ns int[], states bytea[], old_seqs bigint[], old_digests uuid[], seqs bigint[],
  versions bigint[], digests uuid[], availables bigint[], pendings bigint[], reserveds bigint[], width int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  changed int;
BEGIN
  IF width = 1 THEN -- as nearly always: no slice to be cut from a long array
    UPDATE member m
    SET seq = seqs[w.i], version = versions[w.i], digest = digests[w.i], available = ARRAY[availables[w.i]],
        pending = ARRAY[pendings[w.i]], reserved = ARRAY[reserveds[w.i]], state = w.state
    FROM unnest(ks, ns, states) WITH ORDINALITY AS w(k, n, state, i)
    WHERE m.k = w.k AND m.n = w.n AND m.seq = old_seqs[w.i] AND m.digest = old_digests[w.i];
  ELSE
    UPDATE member m
    SET seq = seqs[w.i], version = versions[w.i], digest = digests[w.i],
        available = ARRAY(SELECT availables[j] FROM generate_series((w.i - 1) * width + 1, w.i * width) AS j),
        pending = ARRAY(SELECT pendings[j] FROM generate_series((w.i - 1) * width + 1, w.i * width) AS j),
        reserved = ARRAY(SELECT reserveds[j] FROM generate_series((w.i - 1) * width + 1, w.i * width) AS j),
        state = w.state
    FROM unnest(ks, ns, states) WITH ORDINALITY AS w(k, n, state, i)
    WHERE m.k = w.k AND m.n = w.n AND m.seq = old_seqs[w.i] AND m.digest = old_digests[w.i];
  END IF;
  GET DIAGNOSTICS changed = ROW_COUNT;
  changed := must_hold(changed = cardinality(ks));
END $$;

CREATE FUNCTION add_members(added member[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO member SELECT * FROM unnest(added);
END $$;

-- Accounts that were read only decide, too.
CREATE FUNCTION confirm_members(ks int[], ns int[], seqs bigint[], digests uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  unchanged int;
BEGIN
  SELECT count(*) INTO unchanged
  FROM unnest(ks, ns, seqs, digests) AS r(k, n, seq, digest)
  JOIN member m ON m.k = r.k AND m.n = r.n AND m.seq = r.seq AND m.digest = r.digest;
  unchanged := must_hold(unchanged = cardinality(ks));
END $$;

CREATE FUNCTION put_due(ks int[], ns int[], ats timestamptz[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO due SELECT * FROM unnest(ks, ns, ats) ON CONFLICT ON CONSTRAINT due_pkey DO UPDATE SET at = excluded.at;
END $$;

CREATE FUNCTION end_due(ks int[], ns int[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM due d USING unnest(ks, ns) AS w(k, n) WHERE d.k = w.k AND d.n = w.n;
END $$;

CREATE FUNCTION trim_outbox(ks int[], throughs bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM outbox o USING unnest(ks, throughs) AS w(k, through) WHERE o.k = w.k AND o.seq <= w.through;
END $$;

CREATE FUNCTION put_outbox(ks int[], seqs bigint[], payloads bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox SELECT * FROM unnest(ks, seqs, payloads);
END $$;

-- Locked in the order of their numbers, then charged where no more was used than each charge allows for.
CREATE FUNCTION charge_counters(ids int[], points bigint[], at_mosts bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  charged int;
BEGIN
  WITH locked AS MATERIALIZED (
    SELECT c.id, c.used, w.points, w.at_most
    FROM unnest(ids, points, at_mosts) AS w(id, points, at_most) JOIN counter c ON c.id = w.id
    ORDER BY c.id FOR UPDATE OF c),
  changed AS (
    UPDATE counter c SET used = l.used + l.points FROM locked l WHERE c.id = l.id AND l.points > 0)
  SELECT count(*) INTO charged FROM locked WHERE used <= at_most;
  charged := must_hold(charged = cardinality(ids));
END $$;

-- migrate:down

DROP FUNCTION charge_counters(int[], bigint[], bigint[]);
DROP FUNCTION put_outbox(int[], bigint[], bytea[]);
DROP FUNCTION trim_outbox(int[], bigint[]);
DROP FUNCTION end_due(int[], int[]);
DROP FUNCTION put_due(int[], int[], timestamptz[]);
DROP FUNCTION confirm_members(int[], int[], bigint[], uuid[]);
DROP FUNCTION add_members(member[]);
DROP FUNCTION change_members(int[], int[], bytea[], bigint[], uuid[], bigint[], bigint[], uuid[], bigint[], bigint[],
  bigint[], int);
DROP FUNCTION add_journal(journal[]);
DROP FUNCTION move_partitions(int[], bigint[], bigint[], bigint[], int[], int[], bigint[], bigint[], bigint[]);
DROP FUNCTION begin_batch();
