-- How the ledger is written, for the tables of 0007. One call a batch; batches that change limits or
-- cooldowns, or carry alerts, make one more call for each, in the same transaction.
--
-- SQLSTATEs: MC001 fenced by a newer epoch, MC002 not the next batch, MC003 a counter is not what the batch
-- starts from, MC004 a reservation is not open as the event says.

DROP FUNCTION metercache.ledger_commit;
DROP FUNCTION metercache.ledger_count;

-- The batch is of this writer and the next one: takes its place at the head of the chain.
CREATE FUNCTION metercache.ledger_advance(p_epoch bigint, p_batch bigint, p_at timestamptz, p_digest bytea)
    RETURNS bytea
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    w    metercache.quota_writer;
    head bytea;
BEGIN
    UPDATE metercache.quota_writer
    SET last_batch = p_batch, last_at = greatest(last_at, p_at), beat = beat + 1,
        head_hash = sha256(head_hash || int8send(p_epoch) || int8send(p_batch) || p_digest)
    WHERE epoch = p_epoch AND last_batch = p_batch - 1
    RETURNING head_hash INTO head;
    IF FOUND THEN
        RETURN head;
    END IF;
    SELECT * INTO STRICT w FROM metercache.quota_writer;
    IF w.epoch <> p_epoch THEN
        RAISE EXCEPTION 'epoch % is fenced, the ledger is at epoch %', p_epoch, w.epoch USING ERRCODE = 'MC001';
    END IF;
    RAISE EXCEPTION 'batch % cannot follow batch %', p_batch, w.last_batch USING ERRCODE = 'MC002';
END
$$;

-- Events come as rows, for which the type's own form is three times as fast as an array a column. Every join
-- is a look-up by primary key, whatever the planner knew of the tables when it planned.
CREATE FUNCTION metercache.ledger_commit(
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
        USING unnest(x_id, x_meter, x_period_start, x_amount) AS x (id, meter, period_start, amount)
        WHERE r.reservation_id = x.id AND r.meter = x.meter AND r.period_start = x.period_start
          AND r.amount_milli = x.amount;
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

-- The rest of a batch, right after it in its transaction.
CREATE FUNCTION metercache.ledger_require_batch(p_epoch bigint, p_batch bigint) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM FROM metercache.quota_batch AS b
    WHERE b.batch = p_batch AND b.epoch = p_epoch AND b.xmin = pg_current_xact_id()::xid;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'batch % is not of this transaction', p_batch USING ERRCODE = 'MC002';
    END IF;
END
$$;

CREATE FUNCTION metercache.ledger_add_cooldowns(
    p_epoch bigint, p_batch bigint, p_meter text[], p_key text[], p_until timestamptz[], p_reservation_id uuid[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM metercache.ledger_require_batch(p_epoch, p_batch);
    INSERT INTO metercache.quota_cooldown AS q (meter, key, until_at, reservation_id)
    SELECT * FROM unnest(p_meter, p_key, p_until, p_reservation_id)
    ON CONFLICT (meter, key) DO UPDATE
    SET until_at = excluded.until_at, reservation_id = excluded.reservation_id;
END
$$;

-- thresholds: texts such as '{50,80}'
CREATE FUNCTION metercache.ledger_add_limits(
    p_epoch bigint, p_batch bigint, p_version bigint[], p_scope smallint[], p_meter text[], p_subject text[],
    p_mode smallint[], p_limit bigint[], p_anchor_day smallint[], p_cooldown_ms bigint[], p_thresholds text[],
    p_removed boolean[], p_set_at timestamptz[], p_set_by text[], p_reason text[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM metercache.ledger_require_batch(p_epoch, p_batch);
    INSERT INTO metercache.quota_limit (
        version, batch, scope, meter, subject, mode, limit_milli, anchor_day, cooldown_ms, threshold_percent,
        removed, set_at, set_by, reason)
    SELECT version, p_batch, scope, meter, subject, mode, limit_milli, anchor_day, cooldown_ms,
           thresholds::smallint[], removed, set_at, set_by, reason
    FROM unnest(p_version, p_scope, p_meter, p_subject, p_mode, p_limit, p_anchor_day, p_cooldown_ms,
                p_thresholds, p_removed, p_set_at, p_set_by, p_reason)
        AS l (version, scope, meter, subject, mode, limit_milli, anchor_day, cooldown_ms, thresholds, removed,
              set_at, set_by, reason);
END
$$;

CREATE FUNCTION metercache.ledger_add_alerts(
    p_epoch bigint, p_batch bigint, p_kind smallint[], p_meter text[], p_period_start timestamptz[],
    p_period_end timestamptz[], p_percent smallint[], p_at timestamptz[], p_limit bigint[], p_posted bigint[],
    p_held bigint[], p_amount bigint[], p_published bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM metercache.ledger_require_batch(p_epoch, p_batch);
    INSERT INTO metercache.quota_alert (
        batch, position, kind, meter, period_start, period_end, percent, at, limit_milli, posted_milli,
        held_milli, amount_milli)
    SELECT p_batch, position, kind, meter, period_start, period_end, percent, at, limit_milli, posted, held,
           amount
    FROM unnest(p_kind, p_meter, p_period_start, p_period_end, p_percent, p_at, p_limit, p_posted, p_held,
                p_amount) WITH ORDINALITY
        AS a (kind, meter, period_start, period_end, percent, at, limit_milli, posted, held, amount, position)
    ORDER BY position
    ON CONFLICT (meter, period_start, kind, percent) WHERE kind IN (1, 2) DO UPDATE
    SET batch = excluded.batch, position = excluded.position;
    UPDATE metercache.quota_alert SET published_at = now()
    WHERE sequence = ANY (p_published) AND published_at IS NULL;
END
$$;

-- ---- signs of life ----------------------------------------------------------------------------------------

CREATE FUNCTION metercache.ledger_beat(p_epoch bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    w metercache.quota_writer;
BEGIN
    UPDATE metercache.quota_writer SET beat = beat + 1 WHERE epoch = p_epoch;
    IF NOT FOUND THEN
        SELECT * INTO STRICT w FROM metercache.quota_writer;
        RAISE EXCEPTION 'epoch % is fenced, the ledger is at epoch %', p_epoch, w.epoch USING ERRCODE = 'MC001';
    END IF;
END
$$;

-- A writer leaves: nobody need wait until it is silent.
CREATE FUNCTION metercache.ledger_resign(p_epoch bigint) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    UPDATE metercache.quota_writer SET writer = '' WHERE epoch = p_epoch
$$;

-- ---- reading ----------------------------------------------------------------------------------------------

-- What the ledger has of a subject whose counter is not kept: what was posted is in closing events, what is
-- held in the open reservations.
CREATE FUNCTION metercache.ledger_subject_sums(
    p_scope smallint, p_meter text, p_subject text, p_period_start timestamptz,
    OUT posted bigint, OUT held bigint, OUT overage bigint)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    IF p_scope = 2 THEN -- by its index
        SELECT coalesce(sum(e.amount_milli), 0), coalesce(sum(e.overage_milli), 0) INTO posted, overage
        FROM metercache.ledger_event AS e
        WHERE e.outcome IS NOT NULL AND e.user_id = p_subject AND e.meter = p_meter
          AND e.period_start = p_period_start;
    ELSE -- ids of what was settled in a period are not older than a day before it
        SELECT coalesce(sum(e.amount_milli), 0), coalesce(sum(e.overage_milli), 0) INTO posted, overage
        FROM metercache.ledger_event AS e
        WHERE e.outcome IS NOT NULL AND e.op_id >= metercache.uuid_at(p_period_start - interval '1 day')
          AND e.meter = p_meter AND e.period_start = p_period_start
          AND CASE p_scope WHEN 3 THEN e.endpoint = p_subject WHEN 4 THEN e.tenant = p_subject
                           ELSE e.is_scheduled END;
    END IF;
    SELECT coalesce(sum(r.amount_milli), 0) INTO held
    FROM metercache.quota_reservation AS r JOIN metercache.ledger_event AS e ON e.op_id = r.reservation_id
    WHERE r.meter = p_meter AND r.period_start = p_period_start
      AND CASE p_scope WHEN 2 THEN e.user_id = p_subject WHEN 3 THEN e.endpoint = p_subject
                       WHEN 4 THEN e.tenant = p_subject ELSE e.is_scheduled END;
END
$$;

-- The hash of a batch of format 1, as the function of 0006 made it.
CREATE FUNCTION metercache.ledger_text_hash(p_batch bigint, former bytea) RETURNS bytea
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS
$$
    SELECT sha256(former || convert_to(
        concat_ws(E'\n', ROW (b.epoch, b.batch, extract(epoch FROM b.at))::text,
                  (SELECT string_agg(metercache.ledger_event_text(e), E'\n' ORDER BY e.position)
                   FROM metercache.ledger_event AS e WHERE e.batch = p_batch)), 'UTF8'))
    FROM metercache.quota_batch AS b WHERE b.batch = p_batch
$$;

-- The first counter that is not what its events add up to; no row: all are. Of periods whose events are all
-- there still (retention detaches whole months).
CREATE FUNCTION metercache.ledger_first_wrong_counter() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS
$$
    WITH event AS (
        SELECT meter, period_start, scope, subject,
               coalesce(sum(amount_milli) FILTER (WHERE kind <> 1), 0) AS posted,
               coalesce(sum(amount_milli) FILTER (WHERE kind = 1), 0) - sum(released_milli) AS held,
               sum(overage_milli) AS overage
        FROM metercache.ledger_event AS e
        CROSS JOIN LATERAL (
            SELECT 1::smallint AS scope, ''::text AS subject
            UNION ALL SELECT 2, e.user_id WHERE e.user_id <> '' AND e.kind <> 6
            UNION ALL SELECT 3, e.endpoint WHERE e.endpoint <> '' AND e.kind <> 6
            UNION ALL SELECT 4, e.tenant WHERE e.tenant <> '' AND e.kind <> 6
            UNION ALL SELECT 5, '' WHERE e.is_scheduled AND e.kind <> 6) AS s
        GROUP BY meter, period_start, scope, subject
    ), oldest AS (
        SELECT coalesce(min(at), '-infinity') AS at FROM metercache.ledger_event
    )
    SELECT format('quota_counter %s %s scope %s %L: posted %s, held %s, overage %s, its events say %s, %s, %s',
                  c.meter, c.period_start, c.scope, c.subject, c.posted_milli, c.held_milli, c.overage_milli,
                  coalesce(e.posted, 0), coalesce(e.held, 0), coalesce(e.overage, 0))
    FROM metercache.quota_counter AS c
    LEFT JOIN event AS e USING (meter, period_start, scope, subject)
    WHERE c.period_start >= (SELECT at FROM oldest) - interval '31 days'
      AND (c.posted_milli, c.held_milli, c.overage_milli)
          <> (coalesce(e.posted, 0), coalesce(e.held, 0), coalesce(e.overage, 0))
    ORDER BY c.period_start, c.meter, c.scope, c.subject LIMIT 1
$$;

-- The first reservation that is open though an event closed it, or the other way round.
CREATE FUNCTION metercache.ledger_first_wrong_reservation() RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS
$$
    WITH open AS (
        SELECT reservation_id, sum(CASE WHEN kind = 1 THEN amount_milli ELSE -released_milli END) AS held,
               bool_or(kind IN (2, 3, 4)) AS is_closed
        FROM metercache.ledger_event WHERE kind <= 4 GROUP BY reservation_id
    )
    SELECT format('quota_reservation %s: %s', coalesce(o.reservation_id, r.reservation_id),
                  CASE WHEN r.reservation_id IS NULL THEN 'its events leave it open, it is not listed'
                       WHEN o.reservation_id IS NULL THEN 'it has no event'
                       WHEN o.is_closed THEN 'an event closed it, it is listed as open'
                       ELSE format('holds %s, its event says %s', r.amount_milli, o.held) END)
    FROM open AS o FULL JOIN metercache.quota_reservation AS r USING (reservation_id)
    WHERE o.is_closed IS DISTINCT FROM (r.reservation_id IS NULL) OR (NOT o.is_closed AND r.amount_milli <> o.held)
    ORDER BY 1 LIMIT 1
$$;

REVOKE EXECUTE ON FUNCTION metercache.ledger_advance, metercache.ledger_commit,
    metercache.ledger_require_batch, metercache.ledger_add_cooldowns, metercache.ledger_add_limits,
    metercache.ledger_add_alerts, metercache.ledger_beat, metercache.ledger_resign,
    metercache.ledger_subject_sums, metercache.ledger_text_hash, metercache.ledger_first_wrong_counter,
    metercache.ledger_first_wrong_reservation FROM PUBLIC;
GRANT EXECUTE ON FUNCTION metercache.ledger_commit, metercache.ledger_add_cooldowns,
    metercache.ledger_add_limits, metercache.ledger_add_alerts, metercache.ledger_beat,
    metercache.ledger_resign TO metercache_runtime;
GRANT EXECUTE ON FUNCTION metercache.uuid_at, metercache.ledger_subject_sums, metercache.ledger_text_hash,
    metercache.ledger_first_wrong_counter, metercache.ledger_first_wrong_reservation
    TO metercache_runtime, metercache_reader;
