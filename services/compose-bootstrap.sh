#!/bin/sh
#
# Run once by the Postgres image, when it has made the cluster: the roles, their passwords, the database.
# The passwords stay out of the process list.
set -eu

psql -X -q -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\set owner_password `cat /secrets/postgres/owner-password`
\set runtime_password `cat /secrets/postgres/runtime-password`
\i /metercache/bootstrap.sql
SQL
