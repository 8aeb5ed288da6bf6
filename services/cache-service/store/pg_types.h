/*
 * pg_types.h - the numbers of Postgres' wire format that params and results share.
 */
#ifndef STORE_PG_TYPES_H
#define STORE_PG_TYPES_H

/* Type oids, fixed for all versions. */
#define PG_BOOL        16
#define PG_BYTEA       17
#define PG_INT8        20
#define PG_INT2        21
#define PG_INT4        23
#define PG_TEXT        25
#define PG_JSON        114 /* as text, also in binary form */
#define PG_TIMESTAMPTZ 1184
#define PG_VOID        2278
#define PG_UUID        2950

/* Binary timestamps count microseconds from 2000-01-01. */
#define PG_EPOCH_UNIX_US 946684800000000LL

#endif /* STORE_PG_TYPES_H */
