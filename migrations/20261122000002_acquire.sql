-- migrate:up

-- Takes partitions over: raises the epoch of each, ascending, and returns their rows as they stand then. Whoever holds
-- a row for two seconds is ended: a client that was stopped inside its pipeline would hold it for ever, and no time-out
-- of the server fires. What it ends is fenced by the epoch or about to be, so nothing is lost but a transaction that
-- will be decided again. Gives up with 55P03 (an outage: try again) after five attempts at one row.
CREATE FUNCTION acquire_partitions(ks int[], new_owner text) RETURNS SETOF partition
LANGUAGE plpgsql AS $$
DECLARE
  wanted   int;
  taken    partition;
  attempt  int;
BEGIN
  PERFORM set_config('lock_timeout', '2s', true);
  FOR wanted IN SELECT DISTINCT w.k FROM unnest(ks) AS w(k) ORDER BY w.k LOOP
    attempt := 0;
    LOOP
      BEGIN
        UPDATE partition p
        SET epoch = p.epoch + 1, owner = new_owner, acquired_at = clock_timestamp(), attempts = p.attempts + 1
        WHERE p.k = wanted
        RETURNING p.* INTO taken;
        EXIT;
      EXCEPTION WHEN lock_not_available THEN
        attempt := attempt + 1;
        IF attempt = 5 THEN
          RAISE EXCEPTION 'partition % stays locked by somebody whom acquire could not end', wanted
            USING ERRCODE = 'lock_not_available';
        END IF;
        PERFORM end_holder_of_partition(wanted);
        -- Whoever stops a process stops all its transactions: the next ones need not wait so long.
        PERFORM set_config('lock_timeout', '500ms', true);
      END;
    END LOOP;
    IF taken.k IS NULL THEN
      RAISE EXCEPTION 'partition % has no row: was the installation made with fewer partitions?', wanted
        USING ERRCODE = 'no_data_found';
    END IF;
    RETURN NEXT taken;
  END LOOP;
END $$;

-- The transaction that last locked the row stands in its xmax; the backend that runs it holds the lock on its own
-- number. A backend that we may not end (another role's) is left alone.
CREATE FUNCTION end_holder_of_partition(wanted int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_terminate_backend(l.pid)
  FROM partition p
  JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = p.xmax AND l.mode = 'ExclusiveLock' AND l.granted
  WHERE p.k = wanted AND l.pid <> pg_backend_pid();
EXCEPTION WHEN insufficient_privilege THEN
  NULL;
END $$;

-- migrate:down

DROP FUNCTION acquire_partitions(int[], text);
DROP FUNCTION end_holder_of_partition(int);
