-- migrate:up

-- Acquire waits one second for a partition's row, not two, before it ends whoever holds it: work is to go on within the
-- session time-out and two seconds. An owner that was asked to give its partitions back waits for the reply of its commit
-- first, and one that was not has been silent for a whole session.
CREATE OR REPLACE FUNCTION acquire_partitions(ks int[], new_owner text) RETURNS SETOF partition
LANGUAGE plpgsql AS $$
DECLARE
  wanted   int;
  taken    partition;
  attempt  int;
BEGIN
  PERFORM set_config('lock_timeout', '1s', true);
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
        PERFORM set_config('lock_timeout', '250ms', true);
      END;
    END LOOP;
    IF taken.k IS NULL THEN
      RAISE EXCEPTION 'partition % has no row: was the installation made with fewer partitions?', wanted
        USING ERRCODE = 'no_data_found';
    END IF;
    RETURN NEXT taken;
  END LOOP;
END $$;

-- migrate:down

CREATE OR REPLACE FUNCTION acquire_partitions(ks int[], new_owner text) RETURNS SETOF partition
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
