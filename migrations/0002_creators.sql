-- Creators, their reports and e-mail look-ups. NULL is unknown; platform has the numbers of
-- metercache.v1.Platform; _ppm is parts per million.

CREATE TABLE metercache.creator (
    platform            smallint    NOT NULL CHECK (platform > 0),
    provider_user_id    text        NOT NULL CHECK (provider_user_id <> ''),
    handle              text        NOT NULL DEFAULT '',
    full_name           text        NOT NULL DEFAULT '',
    url                 text        NOT NULL DEFAULT '',
    picture_url         text        NOT NULL DEFAULT '',
    followers           bigint      CHECK (followers >= 0),
    engagements         bigint      CHECK (engagements >= 0),
    engagement_rate_ppm bigint      CHECK (engagement_rate_ppm >= 0),
    average_views       bigint      CHECK (average_views >= 0),
    is_private          boolean     NOT NULL DEFAULT false,
    is_verified         boolean     NOT NULL DEFAULT false,
    email               text        NOT NULL DEFAULT '',
    email_source        text        NOT NULL DEFAULT '',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL,
    PRIMARY KEY (platform, provider_user_id)
);
-- Several rows may claim a handle that changed hands; the newest owns it.
-- The platform comes last: it has three values, and before a table has statistics the planner takes an index
-- that leads with it to be as good as the primary key.
CREATE INDEX creator_handle ON metercache.creator (lower(handle), platform) WHERE handle <> '';
CREATE INDEX creator_followers ON metercache.creator (followers, platform);

CREATE TABLE metercache.creator_report (
    platform         smallint    NOT NULL,
    provider_user_id text        NOT NULL,
    document         json        COMPRESSION lz4 NOT NULL, -- read whole: json is text, jsonb took 4 times as long
    credibility_ppm  bigint      CHECK (credibility_ppm >= 0),
    gender           text        NOT NULL DEFAULT '',
    age_group        text        NOT NULL DEFAULT '',
    country          text        NOT NULL DEFAULT '',
    city             text        NOT NULL DEFAULT '',
    language         text        NOT NULL DEFAULT '',
    account_type     text        NOT NULL DEFAULT '',
    posts            bigint      CHECK (posts >= 0),
    fetched_at       timestamptz NOT NULL,
    fresh_until      timestamptz NOT NULL,
    PRIMARY KEY (platform, provider_user_id),
    FOREIGN KEY (platform, provider_user_id) REFERENCES metercache.creator
);
CREATE INDEX creator_report_fresh_until ON metercache.creator_report (fresh_until);
CREATE INDEX creator_report_place ON metercache.creator_report (country, gender, platform);
CREATE INDEX creator_report_language ON metercache.creator_report (language, platform);
CREATE INDEX creator_report_credibility ON metercache.creator_report (credibility_ppm, platform);

CREATE TABLE metercache.creator_enrichment (
    platform         smallint    NOT NULL,
    provider_user_id text        NOT NULL,
    state            smallint    NOT NULL CHECK (state > 0), -- metercache.v1.EnrichmentState
    email            text        NOT NULL DEFAULT '',
    provider         text        NOT NULL,
    run_id           text        NOT NULL DEFAULT '',
    asked_at         timestamptz NOT NULL,
    answered_at      timestamptz,
    fresh_until      timestamptz,
    PRIMARY KEY (platform, provider_user_id),
    FOREIGN KEY (platform, provider_user_id) REFERENCES metercache.creator
);

-- What was asked for and answered with another id: an old handle, or a handle given as an id.
CREATE TABLE metercache.creator_alias (
    platform         smallint    NOT NULL,
    key              text        NOT NULL CHECK (key = lower(key)),
    is_handle        boolean     NOT NULL, -- how it was asked for
    provider_user_id text        NOT NULL,
    at               timestamptz NOT NULL,
    PRIMARY KEY (platform, key, is_handle),
    FOREIGN KEY (platform, provider_user_id) REFERENCES metercache.creator
);

-- What a provider said it does not have; key is an id, or '@' and a handle in lower case.
CREATE TABLE metercache.creator_negative (
    platform smallint    NOT NULL,
    key      text        NOT NULL,
    kind     smallint    NOT NULL, -- enum creator_negative_kind
    reason   text        NOT NULL,
    until    timestamptz NOT NULL,
    PRIMARY KEY (platform, key, kind)
);

GRANT SELECT, INSERT, UPDATE ON metercache.creator, metercache.creator_report, metercache.creator_enrichment,
    metercache.creator_alias TO metercache_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON metercache.creator_negative TO metercache_runtime;
GRANT SELECT ON metercache.creator, metercache.creator_report, metercache.creator_enrichment,
    metercache.creator_alias, metercache.creator_negative TO metercache_reader;
