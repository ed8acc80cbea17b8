-- +goose Up

-- Which installation this database is of: one row, made here once. With the
-- server's identifier and the database's name it names the Redis channel that
-- the installation's instances talk on (internal/feed/channel.go). A dump
-- carries it along, so it is not enough alone.
CREATE TABLE installation (
    id uuid NOT NULL DEFAULT gen_random_uuid(),

    CONSTRAINT installation_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX installation_one_row ON installation ((true));

INSERT INTO installation DEFAULT VALUES;

-- +goose Down

DROP TABLE installation;
