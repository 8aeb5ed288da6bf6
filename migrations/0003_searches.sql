-- Searches by the hash of their canonical filters, and who asked. See store/searches_store.h for how a
-- generation replaces the one before it: filled_ is of `generation`, the other columns of held_generation.

CREATE TABLE metercache.search (
    filter_hash        bytea       PRIMARY KEY CHECK (octet_length(filter_hash) = 32),
    platform           smallint    NOT NULL CHECK (platform > 0),
    filters            jsonb       NOT NULL,
    sort               jsonb       NOT NULL,
    generation         bigint      NOT NULL CHECK (generation > 0),
    next_page          bigint      NOT NULL DEFAULT 0 CHECK (next_page >= 0),
    filled             bigint      NOT NULL DEFAULT 0 CHECK (filled >= 0),
    filled_fetched_at  timestamptz,
    filled_fresh_until timestamptz,
    held_generation    bigint      NOT NULL DEFAULT 0 CHECK (held_generation <= generation),
    held               bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),
    total              bigint      CHECK (total >= 0),
    exhausted          boolean     NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT now(),
    fetched_at         timestamptz,
    fresh_until        timestamptz
);
CREATE INDEX search_fresh_until ON metercache.search (fresh_until);

CREATE TABLE metercache.search_result (
    filter_hash      bytea    NOT NULL REFERENCES metercache.search,
    generation       bigint   NOT NULL,
    position         integer  NOT NULL CHECK (position >= 0),
    platform         smallint NOT NULL,
    provider_user_id text     NOT NULL,
    PRIMARY KEY (filter_hash, generation, position),
    UNIQUE (filter_hash, generation, provider_user_id),
    FOREIGN KEY (platform, provider_user_id) REFERENCES metercache.creator
);

CREATE TABLE metercache.search_request (
    id          uuid        PRIMARY KEY, -- version 7: sorts by time
    user_id     text        NOT NULL CHECK (user_id <> ''),
    platform    smallint    NOT NULL,
    filter_hash bytea       NOT NULL CHECK (octet_length(filter_hash) = 32),
    filters     jsonb       NOT NULL,
    count       bigint      NOT NULL CHECK (count >= 0),
    from_cache  bigint      NOT NULL CHECK (from_cache >= 0),
    discovered  bigint      NOT NULL CHECK (discovered >= 0),
    at          timestamptz NOT NULL
);
CREATE INDEX search_request_user ON metercache.search_request (user_id, id);
CREATE INDEX search_request_filter ON metercache.search_request (filter_hash);

-- A user sees only their own requests. Nobody named: nothing, whoever asks, the owner too.
ALTER TABLE metercache.search_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE metercache.search_request FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows_seen ON metercache.search_request FOR SELECT
    USING (user_id = nullif(current_setting('app.user', true), ''));
CREATE POLICY own_rows_added ON metercache.search_request FOR INSERT
    WITH CHECK (user_id = nullif(current_setting('app.user', true), ''));

GRANT SELECT, INSERT, UPDATE ON metercache.search TO metercache_runtime;
GRANT SELECT, INSERT, DELETE ON metercache.search_result TO metercache_runtime;
GRANT SELECT, INSERT ON metercache.search_request TO metercache_runtime;
GRANT SELECT ON metercache.search, metercache.search_result, metercache.search_request
    TO metercache_reader;
