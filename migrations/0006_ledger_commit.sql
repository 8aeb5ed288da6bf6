-- How the ledger is written: one call a batch, one set-based statement a table, all or nothing.
--
-- SQLSTATEs: MC001 fenced by a newer epoch, MC002 not the next batch, MC003 counters disagree with the
-- events, MC004 a reservation is not open as the event says, MC005 the hash chain has no head.

-- What the hash chain covers of an event. Never changed: old hashes must stay computable.
CREATE FUNCTION metercache.ledger_event_text(e metercache.ledger_event) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE AS
$$
    SELECT ROW (e.position, e.op_id, e.kind, e.reservation_id, e.meter, extract(epoch FROM e.period_start),
                e.amount_milli, e.released_milli, e.overage_milli, extract(epoch FROM e.at),
                extract(epoch FROM e.expires_at), encode(e.body_hash, 'hex'), e.limit_version, e.platform,
                e.provider, e.action, e.reason, e.creator, e.user_id, e.tenant, e.endpoint)::text
$$;

-- A new writer: fences every older one. Waits for a batch in flight, whose outcome is then known.
CREATE FUNCTION metercache.ledger_open(new_writer text)
    RETURNS TABLE (epoch bigint, last_batch bigint, last_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    UPDATE metercache.quota_writer AS w
    SET epoch = w.epoch + 1, writer = new_writer, opened_at = clock_timestamp()
    RETURNING w.epoch, w.last_batch, w.last_at
$$;

-- Was this batch committed? Waits for a batch in flight, so that the answer is final for a writer that lost
-- its connection in a commit.
CREATE FUNCTION metercache.ledger_find_batch(p_epoch bigint, p_batch bigint)
    RETURNS TABLE (committed boolean, current_epoch bigint, last_batch bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
BEGIN
    PERFORM FROM metercache.quota_writer FOR UPDATE;
    RETURN QUERY
        SELECT EXISTS (SELECT FROM metercache.quota_batch AS b
                       WHERE b.batch = p_batch AND b.epoch = p_epoch), w.epoch, w.last_batch
        FROM metercache.quota_writer AS w;
END
$$;

CREATE FUNCTION metercache.ledger_commit(
    p_epoch bigint, p_batch bigint, p_at timestamptz,
    -- one element an event, in the order they were decided
    p_op_id uuid[], p_kind smallint[], p_reservation_id uuid[], p_meter text[], p_period_start timestamptz[],
    p_amount bigint[], p_released bigint[], p_overage bigint[], p_event_at timestamptz[],
    p_expires_at timestamptz[], p_body_hash bytea[], p_limit_version bigint[],
    p_platform smallint[], p_provider text[], p_action text[], p_reason text[], p_creator text[],
    p_user_id text[], p_tenant text[], p_endpoint text[],
    -- its call-log row, where p_has_call
    p_has_call boolean[], p_started_at timestamptz[], p_outcome smallint[], p_latency_us bigint[],
    p_http_status integer[], p_detail text[],
    -- one element a counter: its state after the batch
    c_meter text[], c_period_start timestamptz[], c_period_end timestamptz[], c_limit bigint[],
    c_posted bigint[], c_held bigint[], c_overage bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    w       metercache.quota_writer;
    head    bytea := '\x';
    digest  bytea;
    matched bigint;
BEGIN
    UPDATE metercache.quota_writer SET last_batch = p_batch, last_at = greatest(last_at, p_at)
    WHERE epoch = p_epoch AND last_batch = p_batch - 1;
    IF NOT FOUND THEN
        SELECT * INTO STRICT w FROM metercache.quota_writer;
        IF w.epoch <> p_epoch THEN
            RAISE EXCEPTION 'epoch % is fenced, the ledger is at epoch %', p_epoch, w.epoch
                USING ERRCODE = 'MC001';
        END IF;
        RAISE EXCEPTION 'batch % cannot follow batch %', p_batch, w.last_batch USING ERRCODE = 'MC002';
    END IF;

    IF p_batch > 1 THEN
        SELECT hash INTO head FROM metercache.quota_batch WHERE batch = p_batch - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'batch % is missing from the chain', p_batch - 1 USING ERRCODE = 'MC005';
        END IF;
    END IF;

    WITH added AS (
        INSERT INTO metercache.ledger_event AS l (
            op_id, reservation_id, batch, at, period_start, expires_at, amount_milli, released_milli,
            overage_milli, limit_version, position, kind, platform, meter, provider, action, reason, creator,
            user_id, tenant, endpoint, body_hash)
        SELECT e.op_id, e.reservation_id, p_batch, e.at, e.period_start, e.expires_at, e.amount, e.released,
               e.overage, e.limit_version, e.position, e.kind, e.platform, e.meter, e.provider, e.action,
               e.reason, e.creator, e.user_id, e.tenant, e.endpoint, e.body_hash
        FROM unnest(p_op_id, p_kind, p_reservation_id, p_meter, p_period_start, p_amount, p_released,
                    p_overage, p_event_at, p_expires_at, p_body_hash, p_limit_version, p_platform, p_provider,
                    p_action, p_reason, p_creator, p_user_id, p_tenant, p_endpoint) WITH ORDINALITY
            AS e (op_id, kind, reservation_id, meter, period_start, amount, released, overage, at, expires_at,
                  body_hash, limit_version, platform, provider, action, reason, creator, user_id, tenant,
                  endpoint, position)
        RETURNING l.position, metercache.ledger_event_text(l) AS canonical)
    SELECT sha256(head || convert_to(
        concat_ws(E'\n', ROW (p_epoch, p_batch, extract(epoch FROM p_at))::text,
                  string_agg(canonical, E'\n' ORDER BY position)), 'UTF8'))
    INTO digest FROM added;

    IF 1 = ANY (p_kind) THEN
        INSERT INTO metercache.quota_reservation (
            reservation_id, meter, period_start, amount_milli, at, expires_at, limit_version, platform,
            provider, action, reason, creator, user_id, tenant, endpoint, body_hash)
        SELECT e.op_id, e.meter, e.period_start, e.amount, e.at, e.expires_at, e.limit_version, e.platform,
               e.provider, e.action, e.reason, e.creator, e.user_id, e.tenant, e.endpoint, e.body_hash
        FROM unnest(p_op_id, p_kind, p_meter, p_period_start, p_amount, p_event_at, p_expires_at,
                    p_limit_version, p_platform, p_provider, p_action, p_reason, p_creator, p_user_id,
                    p_tenant, p_endpoint, p_body_hash)
            AS e (op_id, kind, meter, period_start, amount, at, expires_at, limit_version, platform, provider,
                  action, reason, creator, user_id, tenant, endpoint, body_hash)
        WHERE e.kind = 1;
    END IF;

    IF p_kind && '{2,3,4}'::smallint[] THEN
        DELETE FROM metercache.quota_reservation AS r
        USING unnest(p_kind, p_reservation_id, p_meter, p_period_start, p_released)
            AS e (kind, reservation_id, meter, period_start, released)
        WHERE e.kind BETWEEN 2 AND 4 AND r.reservation_id = e.reservation_id AND r.meter = e.meter
          AND r.period_start = e.period_start AND r.amount_milli = e.released;
        GET DIAGNOSTICS matched = ROW_COUNT;
        IF matched <> (SELECT count(*) FROM unnest(p_kind) AS kind WHERE kind BETWEEN 2 AND 4) THEN
            RAISE EXCEPTION 'only % of the reservations the batch closes were open as it says', matched
                USING ERRCODE = 'MC004';
        END IF;
    END IF;

    IF true = ANY (p_has_call) THEN
        INSERT INTO metercache.call_log (
            at, event_id, op_id, started_at, credits_milli, latency_us, http_status, outcome, platform, meter,
            provider, action, reason, creator, user_id, detail)
        SELECT e.at, e.event_id, e.op_id, e.started_at, e.amount, e.latency_us, e.http_status, e.outcome,
               e.platform, e.meter, e.provider, e.action, e.reason, e.creator, e.user_id, e.detail
        FROM unnest(p_event_at, p_op_id, p_reservation_id, p_started_at, p_amount, p_latency_us,
                    p_http_status, p_outcome, p_platform, p_meter, p_provider, p_action, p_reason, p_creator,
                    p_user_id, p_detail, p_has_call)
            AS e (at, event_id, op_id, started_at, amount, latency_us, http_status, outcome, platform, meter,
                  provider, action, reason, creator, user_id, detail, has_call)
        WHERE e.has_call;
    END IF;

    PERFORM metercache.ledger_count(p_kind, p_meter, p_period_start, p_amount, p_released, p_overage, c_meter,
                                    c_period_start, c_period_end, c_limit, c_posted, c_held, c_overage);

    INSERT INTO metercache.quota_batch (batch, epoch, at, events, hash)
    VALUES (p_batch, p_epoch, p_at, cardinality(p_op_id), digest);
END
$$;

-- Move the counters by what the events say, and compare with what the writer says came out.
CREATE FUNCTION metercache.ledger_count(
    p_kind smallint[], p_meter text[], p_period_start timestamptz[], p_amount bigint[], p_released bigint[],
    p_overage bigint[], c_meter text[], c_period_start timestamptz[], c_period_end timestamptz[],
    c_limit bigint[], c_posted bigint[], c_held bigint[], c_overage bigint[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS
$$
DECLARE
    moved bigint;
    agree boolean;
BEGIN
    INSERT INTO metercache.quota_counter (meter, period_start, period_end, limit_milli, posted_milli,
                                          held_milli, overage_milli, ceiling_milli)
    SELECT c.meter, c.period_start, c.period_end, c.limit_milli, 0, 0, 0, c.limit_milli
    FROM unnest(c_meter, c_period_start, c_period_end, c_limit)
        AS c (meter, period_start, period_end, limit_milli)
    WHERE NOT EXISTS (SELECT FROM metercache.quota_counter AS q
                      WHERE q.meter = c.meter AND q.period_start = c.period_start);

    WITH delta AS (
        SELECT meter, period_start, count(*) AS events,
               coalesce(sum(amount) FILTER (WHERE kind <> 1), 0)::bigint AS posted,
               (coalesce(sum(amount) FILTER (WHERE kind = 1), 0) - sum(released))::bigint AS held,
               sum(overage)::bigint AS overage
        FROM unnest(p_kind, p_meter, p_period_start, p_amount, p_released, p_overage)
            AS e (kind, meter, period_start, amount, released, overage)
        GROUP BY meter, period_start
    ), wanted AS (
        SELECT c.*, coalesce(d.events, 0) AS events, coalesce(d.posted, 0) AS add_posted,
               coalesce(d.held, 0) AS add_held, coalesce(d.overage, 0) AS add_overage
        FROM unnest(c_meter, c_period_start, c_period_end, c_limit, c_posted, c_held, c_overage)
            AS c (meter, period_start, period_end, limit_milli, posted, held, overage)
        LEFT JOIN delta AS d USING (meter, period_start)
    ), counted AS (
        UPDATE metercache.quota_counter AS q
        SET limit_milli = c.limit_milli,
            posted_milli = q.posted_milli + c.add_posted,
            held_milli = q.held_milli + c.add_held,
            overage_milli = q.overage_milli + c.add_overage,
            -- What is used may pass the new limit only as far as it was allowed to before.
            ceiling_milli = greatest(c.limit_milli, least(
                q.posted_milli + c.add_posted - q.overage_milli - c.add_overage + q.held_milli + c.add_held,
                greatest(q.limit_milli, q.posted_milli - q.overage_milli + q.held_milli)))
        FROM wanted AS c
        WHERE q.meter = c.meter AND q.period_start = c.period_start
        RETURNING c.events, q.posted_milli = c.posted AND q.held_milli = c.held
            AND q.overage_milli = c.overage AND q.period_end = c.period_end AS agrees)
    SELECT coalesce(sum(events), 0), coalesce(bool_and(agrees), true) INTO moved, agree FROM counted;

    IF NOT agree OR moved <> cardinality(p_kind) THEN
        RAISE EXCEPTION 'the counters of the batch disagree with its events' USING ERRCODE = 'MC003';
    END IF;
END
$$;

REVOKE EXECUTE ON FUNCTION metercache.ledger_event_text, metercache.ledger_open,
    metercache.ledger_find_batch, metercache.ledger_commit, metercache.ledger_count FROM PUBLIC;
GRANT EXECUTE ON FUNCTION metercache.ledger_open, metercache.ledger_find_batch, metercache.ledger_commit
    TO metercache_runtime;
GRANT EXECUTE ON FUNCTION metercache.ledger_event_text TO metercache_runtime, metercache_reader;
