-- migrate:up

-- What a batch changes comes as arrays of columns; here each is read by the row's number. Unnested, each array was a function
-- to run and a table of its own to fill, and totals were added by a query that sorts: small batches notice.

CREATE OR REPLACE FUNCTION move_partitions(ks int[], epochs bigint[], old_outbox_seqs bigint[],
  new_outbox_seqs bigint[], old_next_ns int[], new_next_ns int[], old_offsets bigint[], new_offsets bigint[],
  added_totals bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  moved int;
BEGIN
  UPDATE partition p
  SET next_offset = new_offsets[i * 16 - 15 : i * 16 - 16 + cardinality(p.next_offset)],
      attempts = CASE WHEN p.next_offset = new_offsets[i * 16 - 15 : i * 16 - 16 + cardinality(p.next_offset)]
                      THEN p.attempts ELSE 0 END,
      alone = CASE WHEN new_offsets[i * 16 - 15 + p.alone_topic] > p.alone_offset THEN 0 ELSE p.alone END,
      outcome_totals = ARRAY(SELECT p.outcome_totals[o] + added_totals[i * 96 - 96 + o]
                             FROM generate_series(1, cardinality(p.outcome_totals)) AS o),
      outbox_seq = new_outbox_seqs[i], next_n = new_next_ns[i]
  FROM generate_series(1, cardinality(ks)) AS i
  WHERE p.k = ks[i] AND p.epoch = epochs[i] AND p.outbox_seq = old_outbox_seqs[i] AND p.next_n = old_next_ns[i]
    AND p.next_offset = old_offsets[i * 16 - 15 : i * 16 - 16 + cardinality(p.next_offset)];
  GET DIAGNOSTICS moved = ROW_COUNT;
  moved := must_hold(moved = cardinality(ks));
END $$;

-- Balances are `width` wallets' a member.
CREATE OR REPLACE FUNCTION change_members(ks int[], ns int[], states bytea[], old_seqs bigint[], old_digests uuid[],
  seqs bigint[], versions bigint[], digests uuid[], availables bigint[], pendings bigint[], reserveds bigint[],
  width int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  changed int;
BEGIN
  IF width = 1 THEN -- as nearly always: no slice to be cut from a long array
    UPDATE member m
    SET seq = seqs[i], version = versions[i], digest = digests[i], available = ARRAY[availables[i]],
        pending = ARRAY[pendings[i]], reserved = ARRAY[reserveds[i]], state = states[i]
    FROM generate_series(1, cardinality(ks)) AS i
    WHERE m.k = ks[i] AND m.n = ns[i] AND m.seq = old_seqs[i] AND m.digest = old_digests[i];
  ELSE
    UPDATE member m
    SET seq = seqs[i], version = versions[i], digest = digests[i],
        available = ARRAY(SELECT availables[j] FROM generate_series((i - 1) * width + 1, i * width) AS j),
        pending = ARRAY(SELECT pendings[j] FROM generate_series((i - 1) * width + 1, i * width) AS j),
        reserved = ARRAY(SELECT reserveds[j] FROM generate_series((i - 1) * width + 1, i * width) AS j),
        state = states[i]
    FROM generate_series(1, cardinality(ks)) AS i
    WHERE m.k = ks[i] AND m.n = ns[i] AND m.seq = old_seqs[i] AND m.digest = old_digests[i];
  END IF;
  GET DIAGNOSTICS changed = ROW_COUNT;
  changed := must_hold(changed = cardinality(ks));
END $$;

-- migrate:down

CREATE OR REPLACE FUNCTION move_partitions(ks int[], epochs bigint[], old_outbox_seqs bigint[],
  new_outbox_seqs bigint[], old_next_ns int[], new_next_ns int[], old_offsets bigint[], new_offsets bigint[],
  added_totals bigint[]) RETURNS void
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

CREATE OR REPLACE FUNCTION change_members(ks int[], ns int[], states bytea[], old_seqs bigint[], old_digests uuid[],
  seqs bigint[], versions bigint[], digests uuid[], availables bigint[], pendings bigint[], reserveds bigint[],
  width int) RETURNS void
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
