/*
 * session.h - connections of the running program, opened by the first call to a process.
 */
#ifndef ADMIN_CLI_SESSION_H
#define ADMIN_CLI_SESSION_H

struct cli;

/* Ends them all; a later call opens anew. */
void session_close(struct cli *cli);

#endif /* ADMIN_CLI_SESSION_H */
