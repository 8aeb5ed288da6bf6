-- Two batches of the writer may be under way: the later one writes its events while the former is being
-- committed, then waits for it, and follows it or fails (MC002). What depends on the former, the head of the
-- chain, counters and closed reservations, comes after that. It replaces the function of 0008.

-- A transaction that commits a batch holds the advisory lock (1296257107, number of the batch) until its end.

-- Why a batch is not the next one of this writer.
CREATE FUNCTION metercache.ledger_refuse(p_epoch bigint, p_batch bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    w metercache.quota_writer;
BEGIN
    SELECT * INTO STRICT w FROM metercache.quota_writer;
    IF w.epoch <> p_epoch THEN
        RAISE EXCEPTION 'epoch % is fenced, the ledger is at epoch %', p_epoch, w.epoch USING ERRCODE = 'MC001';
    END IF;
    RAISE EXCEPTION 'batch % cannot follow batch %', p_batch, w.last_batch USING ERRCODE = 'MC002';
END
$$;

-- Until the former batch is committed or given up. It was sent first, but may be read later: a little patience.
-- Its lock is waited for inside a block that is rolled back, and so is let go at once.
CREATE FUNCTION metercache.ledger_await_former(p_batch bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    FOR i IN 1..20 LOOP
        PERFORM FROM metercache.quota_writer WHERE last_batch >= p_batch - 1;
        IF FOUND THEN
            RETURN;
        END IF;
        IF i > 1 THEN
            PERFORM pg_sleep(0.001);
        END IF;
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(1296257107, ((p_batch - 1) % 2147483647)::integer);
            RAISE EXCEPTION USING ERRCODE = 'MC000';
        EXCEPTION WHEN SQLSTATE 'MC000' THEN NULL;
        END;
    END LOOP;
END
$$;

-- Events come as rows, for which the type's own form is three times as fast as an array a column.
CREATE OR REPLACE FUNCTION metercache.ledger_commit(
    p_epoch bigint, p_batch bigint, p_at timestamptz, p_digest bytea,
    p_events metercache.ledger_event[], -- in the order they were decided
    -- one element a reservation that the batch closes
    x_id uuid[], x_meter text[], x_period_start timestamptz[], x_amount bigint[],
    -- one element a counter: its state after the batch, and what it must be before
    c_meter text[], c_period_start timestamptz[], c_scope smallint[], c_subject text[],
    c_period_end timestamptz[], c_limit bigint[], c_posted bigint[], c_held bigint[], c_overage bigint[],
    c_crossed smallint[], c_soft boolean[], c_base_posted bigint[], c_base_held bigint[],
    c_base_overage bigint[],
    -- one element a meter and bucket
    u_bucket timestamptz[], u_meter text[], u_posted bigint[], u_calls bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS
$$
DECLARE
    was     bigint;
    head    bytea;
    matched bigint;
    added   bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(1296257107, (p_batch % 2147483647)::integer);
    SELECT last_batch INTO was FROM metercache.quota_writer
    WHERE epoch = p_epoch AND last_batch IN (p_batch - 1, p_batch - 2);
    IF NOT FOUND THEN
        PERFORM metercache.ledger_refuse(p_epoch, p_batch);
    END IF;
    IF cardinality(p_events) > 0 THEN
        INSERT INTO metercache.ledger_event SELECT * FROM unnest(p_events);
        INSERT INTO metercache.quota_reservation (reservation_id, meter, period_start, amount_milli)
        SELECT op_id, meter, period_start, amount_milli FROM unnest(p_events) WHERE kind = 1;
    END IF;

    -- Its place at the head of the chain; from here on it is alone.
    IF was < p_batch - 1 THEN
        PERFORM metercache.ledger_await_former(p_batch);
    END IF;
    UPDATE metercache.quota_writer
    SET last_batch = p_batch, last_at = greatest(last_at, p_at), beat = beat + 1,
        head_hash = sha256(head_hash || int8send(p_epoch) || int8send(p_batch) || p_digest)
    WHERE epoch = p_epoch AND last_batch = p_batch - 1
    RETURNING head_hash INTO head;
    IF NOT FOUND THEN
        PERFORM metercache.ledger_refuse(p_epoch, p_batch);
    END IF;

    IF cardinality(x_id) > 0 THEN
        -- One look-up each, also when the planner was told that the table is empty (autovacuum saw it so):
        -- a join would then compare every open reservation with every one that is closed.
        DELETE FROM metercache.quota_reservation AS r
        WHERE r.ctid = ANY (ARRAY(
            SELECT f.ctid
            FROM unnest(x_id, x_meter, x_period_start, x_amount) AS x (id, meter, period_start, amount)
            CROSS JOIN LATERAL (
                SELECT q.ctid FROM metercache.quota_reservation AS q
                WHERE q.reservation_id = x.id AND q.meter = x.meter AND q.period_start = x.period_start
                  AND q.amount_milli = x.amount OFFSET 0) AS f));
        GET DIAGNOSTICS matched = ROW_COUNT;
        IF matched <> cardinality(x_id) THEN
            RAISE EXCEPTION 'only % of the reservations the batch closes were open as it says', matched
                USING ERRCODE = 'MC004';
        END IF;
    END IF;

    UPDATE metercache.quota_counter AS q
    SET limit_milli = c.limit_milli, posted_milli = c.posted, held_milli = c.held, overage_milli = c.overage,
        crossed_percent = c.crossed, soft_passed = c.soft,
        -- What is used may pass a new limit only as far as it was allowed to before.
        ceiling_milli = CASE WHEN c.limit_milli < 0 THEN 9223372036854775807
                        ELSE greatest(c.limit_milli, least(c.posted - c.overage + c.held, CASE
                            WHEN q.limit_milli < 0 THEN 9223372036854775807
                            ELSE greatest(q.limit_milli, q.posted_milli - q.overage_milli + q.held_milli)
                            END)) END
    FROM unnest(c_meter, c_period_start, c_scope, c_subject, c_limit, c_posted, c_held, c_overage, c_crossed,
                c_soft, c_base_posted, c_base_held, c_base_overage, c_period_end)
        AS c (meter, period_start, scope, subject, limit_milli, posted, held, overage, crossed, soft,
              base_posted, base_held, base_overage, period_end)
    WHERE q.meter = c.meter AND q.period_start = c.period_start AND q.scope = c.scope AND q.subject = c.subject
      AND q.period_end = c.period_end AND q.posted_milli = c.base_posted AND q.held_milli = c.base_held
      AND q.overage_milli = c.base_overage;
    GET DIAGNOSTICS matched = ROW_COUNT;
    IF matched <> cardinality(c_meter) THEN
        -- New ones. A meter's begins with nothing; a subject's with what the ledger had of it.
        INSERT INTO metercache.quota_counter (
            meter, period_start, scope, subject, period_end, limit_milli, posted_milli, held_milli,
            overage_milli, ceiling_milli, crossed_percent, soft_passed)
        SELECT c.meter, c.period_start, c.scope, c.subject, c.period_end, c.limit_milli, c.posted, c.held,
               c.overage,
               CASE WHEN c.limit_milli < 0 THEN 9223372036854775807
                    WHEN c.scope = 1 THEN c.limit_milli
                    ELSE greatest(c.limit_milli, c.base_posted - c.base_overage + c.base_held) END,
               c.crossed, c.soft
        FROM unnest(c_meter, c_period_start, c_scope, c_subject, c_period_end, c_limit, c_posted, c_held,
                    c_overage, c_crossed, c_soft, c_base_posted, c_base_held, c_base_overage)
            AS c (meter, period_start, scope, subject, period_end, limit_milli, posted, held, overage, crossed,
                  soft, base_posted, base_held, base_overage)
        WHERE (c.scope > 1 OR (c.base_posted = 0 AND c.base_held = 0 AND c.base_overage = 0))
          AND NOT EXISTS (SELECT FROM metercache.quota_counter AS q
                          WHERE q.meter = c.meter AND q.period_start = c.period_start AND q.scope = c.scope
                            AND q.subject = c.subject);
        GET DIAGNOSTICS added = ROW_COUNT;
        IF matched + added <> cardinality(c_meter) THEN
            RAISE EXCEPTION 'the counters of the batch disagree with the ledger' USING ERRCODE = 'MC003';
        END IF;
    END IF;

    IF cardinality(u_meter) > 0 THEN
        INSERT INTO metercache.quota_usage AS q (bucket, meter, posted_milli, calls)
        SELECT bucket, meter, posted, calls
        FROM unnest(u_bucket, u_meter, u_posted, u_calls) AS u (bucket, meter, posted, calls)
        ON CONFLICT (bucket, meter) DO UPDATE
        SET posted_milli = q.posted_milli + excluded.posted_milli, calls = q.calls + excluded.calls;
    END IF;

    INSERT INTO metercache.quota_batch (batch, epoch, at, events, hash, format)
    VALUES (p_batch, p_epoch, p_at, cardinality(p_events), head, 2);
END
$$;

DROP FUNCTION metercache.ledger_advance;

REVOKE EXECUTE ON FUNCTION metercache.ledger_refuse, metercache.ledger_await_former FROM PUBLIC;
