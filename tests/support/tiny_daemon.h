/*
 * tiny_daemon.h - the smallest daemon there is, run as a child of the test (child.h).
 *
 *     TINY_KEY     a secret         TINY_OPEN   what open() does: "ok" or a status such as
 *     TINY_NUMBER  a count                      "FAILED_PRECONDITION"
 *     TINY_SIDE_LISTEN_URL          a second listener, without Admin; "" none
 *
 * CallLogService.ListCalls takes its order from `provider`: "gate" waits at the child's
 * gate, "fenced" asks for exit status 70, all else is answered at once. The command `greet`
 * prints and leaves with 3.
 *
 * Threads: the test's own.
 */
#ifndef SUPPORT_TINY_DAEMON_H
#define SUPPORT_TINY_DAEMON_H

#include "core/arena.h"
#include "core/error.h"
#include "rpc/client.h"
#include "rpc/identity.h"
#include "support/child.h"

#define TINY_SETTINGS_MAX 16
#define TINY_SECRET       "hunter2-hunter2"

struct tiny_daemon {
    struct child child;
    char tokens_path[512];
    char tokens[RPC_ROLE_SERVICE + 1][64]; /* by role */
    char url[128];
    char ops[128];
    struct rpc_client *client;
    struct arena arena; /* of replies */
    struct error err;
};

/* In the child: main of the daemon, with what stood behind CHILD_MARK. */
int tiny_daemon_main(int argc, char *argv[]);

/* Run it with these arguments and settings (NAME=VALUE, both ended by NULL) to its end;
 * returns the exit status, child.text is what it said. A tokens file is set unless `settings`
 * names one. */
int tiny_daemon_run(struct tiny_daemon *tiny, const char *const *arguments,
                    const char *const *settings);

/* Start it and wait until it serves on free ports; a client with an admin's token. */
void tiny_daemon_start(struct tiny_daemon *tiny, const char *const *settings);
/* Call with another role's token from now on; the last call's reply is forgotten. */
void tiny_daemon_call_as(struct tiny_daemon *tiny, enum rpc_role role);
void tiny_daemon_call_at(struct tiny_daemon *tiny, const char *url, enum rpc_role role);
/* Fresh tokens in the file; the daemon does not know yet. */
void tiny_daemon_write_tokens(struct tiny_daemon *tiny);
/* Kill what still runs and free all. */
void tiny_daemon_done(struct tiny_daemon *tiny);

#endif /* SUPPORT_TINY_DAEMON_H */
