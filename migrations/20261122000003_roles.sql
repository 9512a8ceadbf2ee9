-- migrate:up

-- Four group roles with what each program needs and no more; log in as members of them:
--   CREATE ROLE loyald LOGIN PASSWORD '…' IN ROLE loyald_worker;
-- All workers log in as the same role: acquire may then end a stalled worker's backend. Roles belong to the whole
-- server, so another database of it may have made them. A later migration grants what its own tables need.
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['loyald_worker', 'loyald_scheduler', 'loyald_publisher', 'loyald_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
    END IF;
  END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE EXCEPTION 'this login may not create roles: have an administrator create % once, NOLOGIN, then migrate again',
    'loyald_worker, loyald_scheduler, loyald_publisher and loyald_reader' USING ERRCODE = 'insufficient_privilege';
END $$;

-- The worker writes the ledger. It can neither change nor delete what stands in the journal, nor delete a member.
GRANT SELECT ON schema_migrations, installation, dictionary, programme_revision, entry_kind TO loyald_worker;
GRANT INSERT ON installation TO loyald_worker;
GRANT SELECT, INSERT, UPDATE ON partition, member TO loyald_worker;
GRANT SELECT, INSERT ON journal TO loyald_worker;
GRANT SELECT, INSERT, DELETE ON outbox TO loyald_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON due TO loyald_worker;
GRANT SELECT, INSERT, UPDATE ON counter TO loyald_worker;

GRANT EXECUTE ON FUNCTION no_newer_revision(int, timestamptz) TO loyald_worker;

-- The publisher adds programme revisions, which nobody may change, and sees no customer.
GRANT SELECT, INSERT ON programme_revision, dictionary TO loyald_publisher;
GRANT SELECT ON schema_migrations, installation TO loyald_publisher;
GRANT SELECT (id, name), INSERT (id, name) ON counter TO loyald_publisher;
GRANT EXECUTE ON FUNCTION next_revision() TO loyald_publisher;

-- The scheduler reads who is due when, and no balance.
GRANT SELECT ON schema_migrations, installation, dictionary, programme_revision, due TO loyald_scheduler;
GRANT SELECT (k) ON partition TO loyald_scheduler;
GRANT SELECT (k, n, member_id) ON member TO loyald_scheduler;

-- The reader is for reports, the audit and people.
GRANT SELECT ON schema_migrations, installation, dictionary, programme_revision, entry_kind, partition, member, journal,
  outbox, due, counter, ledger, balance TO loyald_reader;

-- migrate:down

REVOKE ALL ON schema_migrations, installation, dictionary, programme_revision, entry_kind, partition, member, journal,
  outbox, due, counter, ledger, balance FROM loyald_worker, loyald_scheduler, loyald_publisher, loyald_reader;
REVOKE ALL ON FUNCTION no_newer_revision(int, timestamptz), next_revision() FROM loyald_worker, loyald_publisher;
-- Another database of this server may still use them, or logins may be members: then they stay.
DO $$
DECLARE
  unwanted text;
BEGIN
  FOREACH unwanted IN ARRAY ARRAY['loyald_worker', 'loyald_scheduler', 'loyald_publisher', 'loyald_reader'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = unwanted::regrole) THEN
        EXECUTE format('DROP ROLE %I', unwanted);
      END IF;
    EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
END $$;
