/*
 * pgbench.h - what plain SQL makes of the same work on the same cluster.
 *
 * One transaction: a conditional UPDATE of the one row that all want, and an INSERT. The
 * tables are in a schema of their own.
 */
#ifndef SUPPORT_PGBENCH_H
#define SUPPORT_PGBENCH_H

#include "support/stack.h"

/* Transactions a second; 0: pgbench is not installed. */
double pgbench_run(struct stack *stack, unsigned clients, unsigned seconds);

#endif /* SUPPORT_PGBENCH_H */
