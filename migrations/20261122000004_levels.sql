-- migrate:up

-- Levels of the tier ladder have numbers of their own, which stand in members' states: stable across revisions.
ALTER TABLE dictionary DROP CONSTRAINT dictionary_kind_check;
ALTER TABLE dictionary ADD CONSTRAINT dictionary_kind_check CHECK (kind IN ('wallet', 'rule', 'funder', 'level'));

-- migrate:down

DELETE FROM dictionary WHERE kind = 'level';
ALTER TABLE dictionary DROP CONSTRAINT dictionary_kind_check;
ALTER TABLE dictionary ADD CONSTRAINT dictionary_kind_check CHECK (kind IN ('wallet', 'rule', 'funder'));
