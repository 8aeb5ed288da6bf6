-- metercache.ledger_commit as in 0008, but for the reservations that a batch closes: each is looked up by its
-- key. A join with them became one of all open reservations with all that are closed when the planner believed
-- the table to be empty, as autovacuum had seen it: seconds with 100,000 open, past every deadline.
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
    head    bytea := metercache.ledger_advance(p_epoch, p_batch, p_at, p_digest);
    matched bigint;
    added   bigint;
BEGIN
    IF cardinality(p_events) > 0 THEN
        INSERT INTO metercache.ledger_event SELECT * FROM unnest(p_events);
        INSERT INTO metercache.quota_reservation (reservation_id, meter, period_start, amount_milli)
        SELECT op_id, meter, period_start, amount_milli FROM unnest(p_events) WHERE kind = 1;
    END IF;

    IF cardinality(x_id) > 0 THEN
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
