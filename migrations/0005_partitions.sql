-- Monthly partitions of ledger_event and call_log, made ahead of time. Retention detaches them, oldest first.

-- The smallest UUID of version 7 that can be made at or after `at`.
CREATE FUNCTION metercache.uuid_at(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

-- Made beside the parent and then attached: reads and commits go on meanwhile.
CREATE FUNCTION metercache.make_partition(parent text, month timestamptz, low text, high text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    part text := parent || '_' || CASE WHEN low = 'MINVALUE' THEN 'before' ELSE to_char(month, 'YYYY_MM') END;
BEGIN
    IF to_regclass('metercache.' || part) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE metercache.%I (LIKE metercache.%I INCLUDING ALL)', part, parent);
    EXECUTE format('ALTER TABLE metercache.%I ATTACH PARTITION metercache.%I FOR VALUES FROM (%s) TO (%s)',
                   parent, part, low, high);
END
$$;

-- Those of the months from `since` to `until`, where missing.
CREATE FUNCTION metercache.make_partitions(since timestamptz, until timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS
$$
DECLARE
    month timestamptz;
    next  timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('metercache.make_partitions'));
    FOR month IN SELECT generate_series(date_trunc('month', since), until, '1 month') LOOP
        next := month + interval '1 month';
        PERFORM metercache.make_partition('call_log', month, quote_literal(month), quote_literal(next));
        PERFORM metercache.make_partition('ledger_event', month, quote_literal(metercache.uuid_at(month)),
                                          quote_literal(metercache.uuid_at(next)));
    END LOOP;
END
$$;

-- For the runtime role, which has no DDL of its own: from this month on, at most two years ahead.
CREATE FUNCTION metercache.ensure_partitions(until timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
$$
    SELECT metercache.make_partitions(now(), least(until, now() + interval '2 years'))
$$;

SELECT metercache.make_partitions(now() - interval '3 months', now() + interval '3 months');

-- What is older than the first month has a place too. What is newer than the last has none: such an op id
-- comes from a wrong clock.
SELECT metercache.make_partition('call_log', 'epoch', 'MINVALUE', quote_literal(first)),
       metercache.make_partition('ledger_event', 'epoch', 'MINVALUE', quote_literal(metercache.uuid_at(first)))
FROM date_trunc('month', now() - interval '3 months', 'UTC') AS first;

REVOKE EXECUTE ON FUNCTION metercache.uuid_at, metercache.make_partition, metercache.make_partitions,
    metercache.ensure_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION metercache.ensure_partitions TO metercache_runtime;
