/*
 * pg_cluster.h - a throw-away Postgres for one test program.
 *
 * A real cluster in a folder of its own under TMPDIR, on a unix socket only, with the roles
 * and the database of migrations/bootstrap.sql and no schema yet. As root it runs as the
 * user `postgres`. Failures end the test program with a line.
 */
#ifndef SUPPORT_PG_CLUSTER_H
#define SUPPORT_PG_CLUSTER_H

#include <stdbool.h>

struct pg_cluster;

/* `settings`: further lines of postgresql.conf, or NULL. */
struct pg_cluster *pg_cluster_start(const char *settings);
void pg_cluster_stop(struct pg_cluster *cluster); /* and remove it; accepts NULL */

/* kill -9 of the server and its backends; pg_cluster_resume starts it again. */
void pg_cluster_crash(struct pg_cluster *cluster);
void pg_cluster_resume(struct pg_cluster *cluster);

/* "owner", "runtime", "reader" or "postgres"; borrowed. */
const char *pg_cluster_url(struct pg_cluster *cluster, const char *role);

#endif /* SUPPORT_PG_CLUSTER_H */
