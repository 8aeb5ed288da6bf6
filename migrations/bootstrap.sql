-- What only a superuser can do, once for each cluster: the three roles and the database.
--
--   psql -X -v ON_ERROR_STOP=1 [-v owner_password=…] [-v runtime_password=…] [-v reader_password=…]
--        -f migrations/bootstrap.sql 'dbname=postgres user=postgres'
--
-- Safe to run again: what exists is brought to the same state. A password that is not given is left alone.
-- Everything inside the database is made by the numbered files, as metercache_owner.

SELECT format('CREATE ROLE %I', name)
FROM (VALUES ('metercache_owner'), ('metercache_runtime'), ('metercache_reader')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- The owner migrates. The runtime role serves: no DDL, and row-level security binds it. The reader looks.
ALTER ROLE metercache_owner   LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE metercache_runtime LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE metercache_reader  LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

\if :{?owner_password}
ALTER ROLE metercache_owner PASSWORD :'owner_password';
\endif
\if :{?runtime_password}
ALTER ROLE metercache_runtime PASSWORD :'runtime_password';
\endif
\if :{?reader_password}
ALTER ROLE metercache_reader PASSWORD :'reader_password';
\endif

-- An acknowledged commit is on disk, whatever the cluster's own setting.
ALTER ROLE metercache_runtime SET synchronous_commit = 'on';
-- Every statement is a short one: compiling it would take a hundred times as long as running it.
ALTER ROLE metercache_runtime SET jit = 'off';
-- Its statements are prepared and go by an index whatever their values: planning each anew costs more than it finds.
ALTER ROLE metercache_runtime SET plan_cache_mode = 'force_generic_plan';
ALTER ROLE metercache_reader SET default_transaction_read_only = 'on';

SELECT 'CREATE DATABASE metercache OWNER metercache_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'metercache') \gexec
ALTER DATABASE metercache OWNER TO metercache_owner;
REVOKE ALL ON DATABASE metercache FROM PUBLIC;
GRANT CONNECT ON DATABASE metercache TO metercache_runtime, metercache_reader;

\connect metercache
REVOKE ALL ON SCHEMA public FROM PUBLIC;
