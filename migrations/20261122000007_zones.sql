-- migrate:up

-- The tables of the time zones that the programme names, as they were where it was published, so that every machine
-- decides with the same: a line a zone (services/published/frozen.h). NULL: published before this migration; each
-- worker then takes its own machine's.
ALTER TABLE programme_revision ADD COLUMN zones text;

-- migrate:down

ALTER TABLE programme_revision DROP COLUMN zones;
