-- Who may look into the schema at all. The schema itself and schema_migration are made by the runner.

REVOKE ALL ON SCHEMA metercache FROM PUBLIC;
GRANT USAGE ON SCHEMA metercache TO metercache_runtime, metercache_reader;
GRANT SELECT ON metercache.schema_migration TO metercache_runtime, metercache_reader;

-- Functions are for nobody until a migration says so; tables never were.
ALTER DEFAULT PRIVILEGES IN SCHEMA metercache REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
