-- The quota ledger: who writes (quota_writer), what was decided (ledger_event, append-only), in which
-- batches (quota_batch, a hash chain), what follows from it (quota_counter, quota_reservation), and the log
-- of provider calls (call_log). All written by metercache.ledger_commit alone. Amounts are thousandths of a
-- credit; kind has the numbers of metercache.v1.OperationKind, outcome those of CallOutcome.

-- One row. A higher epoch fences the writers before it.
CREATE TABLE metercache.quota_writer (
    is_single  boolean     PRIMARY KEY DEFAULT true CHECK (is_single),
    epoch      bigint      NOT NULL CHECK (epoch >= 0),
    last_batch bigint      NOT NULL CHECK (last_batch >= 0),
    last_at    timestamptz,
    writer     text        NOT NULL,
    opened_at  timestamptz
) WITH (fillfactor = 50);
INSERT INTO metercache.quota_writer (epoch, last_batch, writer) VALUES (0, 0, '');

-- hash = sha256(former hash || epoch, batch, at and the batch's events in canonical text)
CREATE TABLE metercache.quota_batch (
    batch  bigint      PRIMARY KEY,
    epoch  bigint      NOT NULL,
    at     timestamptz NOT NULL,
    events integer     NOT NULL,
    hash   bytea       NOT NULL CHECK (octet_length(hash) = 32)
);

-- A checkpoint of the ledger: recomputable from it. `ceiling_milli` is what may be used: the limit, or what
-- was used already when the limit was cut below that.
CREATE TABLE metercache.quota_counter (
    meter         text        NOT NULL,
    period_start  timestamptz NOT NULL,
    period_end    timestamptz NOT NULL,
    limit_milli   bigint      NOT NULL CHECK (limit_milli >= 0),
    posted_milli  bigint      NOT NULL,
    held_milli    bigint      NOT NULL,
    overage_milli bigint      NOT NULL,
    ceiling_milli bigint      NOT NULL,
    PRIMARY KEY (meter, period_start),
    CONSTRAINT quota_counter_period CHECK (period_end > period_start),
    CONSTRAINT quota_counter_posted CHECK (posted_milli >= 0),
    CONSTRAINT quota_counter_held CHECK (held_milli >= 0),
    CONSTRAINT quota_counter_overspent CHECK (posted_milli - overage_milli + held_milli <= ceiling_milli)
) WITH (fillfactor = 50);

-- Holds that nobody settled yet.
CREATE TABLE metercache.quota_reservation (
    reservation_id uuid        PRIMARY KEY,
    meter          text        NOT NULL,
    period_start   timestamptz NOT NULL,
    amount_milli   bigint      NOT NULL CHECK (amount_milli >= 0),
    at             timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    limit_version  bigint      NOT NULL,
    platform       smallint    NOT NULL,
    provider       text        NOT NULL,
    action         text        NOT NULL,
    reason         text        NOT NULL,
    creator        text        NOT NULL,
    user_id        text        NOT NULL,
    tenant         text        NOT NULL,
    endpoint       text        NOT NULL,
    body_hash      bytea       NOT NULL
);
CREATE INDEX quota_reservation_expires_at ON metercache.quota_reservation (expires_at);

-- Op ids are UUIDs of version 7, which sort by time: a month is a range of them, and an id is unique over
-- all months.
CREATE TABLE metercache.ledger_event (
    op_id          uuid        PRIMARY KEY,
    reservation_id uuid        NOT NULL,
    batch          bigint      NOT NULL,
    at             timestamptz NOT NULL,
    period_start   timestamptz NOT NULL,
    expires_at     timestamptz,
    amount_milli   bigint      NOT NULL,
    released_milli bigint      NOT NULL,
    overage_milli  bigint      NOT NULL,
    limit_version  bigint      NOT NULL,
    position       smallint    NOT NULL, -- in its batch, from 1
    kind           smallint    NOT NULL CHECK (kind BETWEEN 1 AND 6),
    platform       smallint    NOT NULL,
    meter          text        NOT NULL,
    provider       text        NOT NULL,
    action         text        NOT NULL,
    reason         text        NOT NULL,
    creator        text        NOT NULL,
    user_id        text        NOT NULL,
    tenant         text        NOT NULL,
    endpoint       text        NOT NULL,
    body_hash      bytea       NOT NULL
) PARTITION BY RANGE (op_id);
-- For a RESERVE both ids are the same.
CREATE INDEX ledger_event_reservation ON metercache.ledger_event (reservation_id) WHERE kind <> 1;
CREATE INDEX ledger_event_batch ON metercache.ledger_event USING brin (batch);

-- One row an event that ended or corrected a call; the sum of credits_milli is what was posted for calls.
CREATE TABLE metercache.call_log (
    at             timestamptz NOT NULL, -- of the event, on the writer's clock
    event_id       uuid        NOT NULL, -- its op id
    op_id          uuid        NOT NULL, -- of the reservation
    started_at     timestamptz,
    credits_milli  bigint      NOT NULL,
    latency_us     bigint      NOT NULL,
    http_status    integer     NOT NULL,
    outcome        smallint    NOT NULL,
    platform       smallint    NOT NULL,
    meter          text        NOT NULL,
    provider       text        NOT NULL,
    action         text        NOT NULL,
    reason         text        NOT NULL,
    creator        text        NOT NULL,
    user_id        text        NOT NULL,
    detail         text        NOT NULL,
    PRIMARY KEY (at, event_id)
) PARTITION BY RANGE (at);
CREATE INDEX call_log_user ON metercache.call_log (user_id, at, event_id);
CREATE INDEX call_log_provider ON metercache.call_log (provider, at, event_id);

GRANT SELECT ON metercache.quota_writer, metercache.quota_batch, metercache.quota_counter,
    metercache.quota_reservation, metercache.ledger_event, metercache.call_log
    TO metercache_runtime, metercache_reader;
