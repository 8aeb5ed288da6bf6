-- The ledger grows: counters of users, endpoints, tenants and scheduled work beside the meters', cooldowns,
-- limits as data, alerts, usage by time. And it slims: the log of provider calls is the closing events
-- themselves, an open reservation is its id and what closing it is checked against, and the chain hashes a
-- digest made by the service instead of text made here.

-- ---- events, and the log of calls -------------------------------------------------------------------------

ALTER TABLE metercache.ledger_event
    ADD COLUMN is_scheduled boolean NOT NULL DEFAULT false,
    ADD COLUMN cooldown_key text NOT NULL DEFAULT '',
    ADD COLUMN actor        text NOT NULL DEFAULT '', -- who corrected or adjusted
    ADD COLUMN note         text NOT NULL DEFAULT '', -- and why
    -- How the call went: of events that end or correct one, NULL of others.
    ADD COLUMN outcome      smallint,
    ADD COLUMN started_at   timestamptz,
    ADD COLUMN latency_us   bigint,
    ADD COLUMN http_status  integer,
    ADD COLUMN detail       text;

UPDATE metercache.ledger_event AS e
SET outcome = l.outcome, started_at = l.started_at, latency_us = l.latency_us, http_status = l.http_status,
    detail = l.detail
FROM metercache.call_log AS l
WHERE l.event_id = e.op_id AND l.at = e.at;

DROP TABLE metercache.call_log;

-- One row an event that ended or corrected a call; the sum of credits_milli is what was posted for calls.
CREATE VIEW metercache.call_log AS
    SELECT at, op_id AS event_id, reservation_id AS op_id, started_at, amount_milli AS credits_milli,
           latency_us, http_status, outcome, platform, meter, provider, action, reason, creator, user_id, detail
    FROM metercache.ledger_event
    WHERE outcome IS NOT NULL;
GRANT SELECT ON metercache.call_log TO metercache_runtime, metercache_reader;

-- Ids sort by the time they were made: the log of all is read by the primary key, a user's by this.
CREATE INDEX ledger_event_user ON metercache.ledger_event (user_id, op_id) WHERE outcome IS NOT NULL;
-- Presumed spent: sent without an answer (11), not settled in time (12).
CREATE INDEX ledger_event_unknown ON metercache.ledger_event (op_id) WHERE outcome IN (11, 12);

CREATE OR REPLACE FUNCTION metercache.make_partitions(since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    month timestamptz;
    next  timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('metercache.make_partitions'));
    FOR month IN SELECT generate_series(date_trunc('month', since), until, '1 month') LOOP
        next := month + interval '1 month';
        PERFORM metercache.make_partition('ledger_event', month, quote_literal(metercache.uuid_at(month)),
                                          quote_literal(metercache.uuid_at(next)));
    END LOOP;
END
$$;

-- ---- what follows from the events -------------------------------------------------------------------------

-- Its event has the rest.
DROP INDEX metercache.quota_reservation_expires_at;
ALTER TABLE metercache.quota_reservation
    DROP COLUMN at, DROP COLUMN expires_at, DROP COLUMN limit_version, DROP COLUMN platform,
    DROP COLUMN provider, DROP COLUMN action, DROP COLUMN reason, DROP COLUMN creator, DROP COLUMN user_id,
    DROP COLUMN tenant, DROP COLUMN endpoint, DROP COLUMN body_hash;
-- Rows live for seconds: what is dead must not slow the index down.
ALTER TABLE metercache.quota_reservation SET (autovacuum_vacuum_scale_factor = 0.02,
                                              autovacuum_vacuum_threshold = 2000);

-- scope has the numbers of metercache.v1.LimitScope: 1 the meter, 2 user, 3 endpoint, 4 tenant, 5 scheduled
-- work. limit_milli -1: no hard limit.
ALTER TABLE metercache.quota_counter
    ADD COLUMN scope           smallint NOT NULL DEFAULT 1 CHECK (scope BETWEEN 1 AND 5),
    ADD COLUMN subject         text     NOT NULL DEFAULT '',
    ADD COLUMN crossed_percent smallint NOT NULL DEFAULT 0, -- of a meter: the highest threshold told
    ADD COLUMN soft_passed     boolean  NOT NULL DEFAULT false,
    DROP CONSTRAINT quota_counter_pkey,
    ADD PRIMARY KEY (meter, period_start, scope, subject),
    DROP CONSTRAINT quota_counter_limit_milli_check,
    ADD CONSTRAINT quota_counter_limit CHECK (limit_milli >= -1);

CREATE TABLE metercache.quota_cooldown (
    meter          text        NOT NULL,
    key            text        NOT NULL,
    until_at       timestamptz, -- NULL: given back
    reservation_id uuid        NOT NULL,
    PRIMARY KEY (meter, key)
) WITH (fillfactor = 70);

-- Changes of the rules, append-only; the last one of each scope, meter, subject and mode is in force.
CREATE TABLE metercache.quota_limit (
    version           bigint      PRIMARY KEY,
    batch             bigint      NOT NULL,
    scope             smallint    NOT NULL CHECK (scope BETWEEN 1 AND 6),
    meter             text        NOT NULL,
    subject           text        NOT NULL,
    mode              smallint    NOT NULL CHECK (mode BETWEEN 1 AND 3),
    limit_milli       bigint      NOT NULL,
    anchor_day        smallint    NOT NULL,
    cooldown_ms       bigint      NOT NULL,
    threshold_percent smallint[]  NOT NULL,
    removed           boolean     NOT NULL,
    set_at            timestamptz NOT NULL,
    set_by            text        NOT NULL,
    reason            text        NOT NULL
);
CREATE INDEX quota_limit_rule ON metercache.quota_limit (meter, scope, subject, mode, version DESC);

-- The outbox of alerts: kind has the numbers of metercache.v1.AlertKind.
CREATE TABLE metercache.quota_alert (
    sequence     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    batch        bigint      NOT NULL,
    position     smallint    NOT NULL, -- in its batch, from 1
    kind         smallint    NOT NULL,
    meter        text        NOT NULL,
    period_start timestamptz NOT NULL,
    period_end   timestamptz NOT NULL,
    percent      smallint    NOT NULL,
    at           timestamptz NOT NULL,
    limit_milli  bigint      NOT NULL,
    posted_milli bigint      NOT NULL,
    held_milli   bigint      NOT NULL,
    amount_milli bigint      NOT NULL,
    published_at timestamptz
);
-- Thresholds and soft limits once a period.
CREATE UNIQUE INDEX quota_alert_once ON metercache.quota_alert (meter, period_start, kind, percent)
    WHERE kind IN (1, 2);
CREATE INDEX quota_alert_unpublished ON metercache.quota_alert (sequence) WHERE published_at IS NULL;
CREATE INDEX quota_alert_batch ON metercache.quota_alert (batch);

-- What was posted, by buckets of five minutes; corrections and adjustments when they were made.
CREATE TABLE metercache.quota_usage (
    bucket       timestamptz NOT NULL,
    meter        text        NOT NULL,
    posted_milli bigint      NOT NULL,
    calls        bigint      NOT NULL, -- settled or lapsed
    PRIMARY KEY (bucket, meter)
) WITH (fillfactor = 70);
INSERT INTO metercache.quota_usage (bucket, meter, posted_milli, calls)
SELECT date_bin('5 minutes', at, '2000-01-01T00:00:00Z'), meter, sum(amount_milli)::bigint,
       count(*) FILTER (WHERE kind IN (2, 4))
FROM metercache.ledger_event
WHERE kind <> 1
GROUP BY 1, 2;

GRANT SELECT ON metercache.quota_cooldown, metercache.quota_limit, metercache.quota_alert, metercache.quota_usage
    TO metercache_runtime, metercache_reader;

-- ---- who writes, and the chain ----------------------------------------------------------------------------

-- format 1: sha256(former hash || text of epoch, batch, at and events, by ledger_event_text)
-- format 2: sha256(former hash || epoch || batch || digest), numbers as 8 bytes, most significant first; the
--           digest is cache-service's (services/cache-service/ledger/ledger_digest.h)
ALTER TABLE metercache.quota_batch ADD COLUMN format smallint NOT NULL DEFAULT 1;
ALTER TABLE metercache.quota_writer
    ADD COLUMN beat      bigint NOT NULL DEFAULT 0, -- moves while the writer lives
    ADD COLUMN head_hash bytea  NOT NULL DEFAULT '\x';
UPDATE metercache.quota_writer AS w
SET head_hash = b.hash FROM metercache.quota_batch AS b WHERE b.batch = w.last_batch;
