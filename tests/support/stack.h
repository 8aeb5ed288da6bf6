/*
 * stack.h - a private stack for one test program: the script tests/support/stack from C.
 *
 * What cannot be started fails the test. What is left running when the program dies is
 * stopped by tests/support/run-tests.
 *
 * Threads: the test's own; clients it gives may be used from any.
 */
#ifndef SUPPORT_STACK_H
#define SUPPORT_STACK_H

#include <stddef.h>
#include <stdint.h>

#include "rpc/client.h"
#include "rpc/identity.h"

enum stack_service {
    STACK_POSTGRES,
    STACK_SIMULATOR,
    STACK_CACHE,
    STACK_QUOTA,
    STACK_GATEWAY,
    STACK_SERVICE_COUNT,
};

struct stack;

/* `settings` are NAME=VALUE, ended by NULL: for every service, SIMULATOR_NAME=VALUE for the
 * simulator. `name` becomes the stack's folder. */
struct stack *stack_up(const char *name, const char *const *settings);
void stack_down(struct stack *stack); /* accepts NULL */

const char *stack_service_name(enum stack_service service);
/* kill -9; of Postgres: all of its processes. Waits until they are gone. */
void stack_kill(struct stack *stack, enum stack_service service);
void stack_stop(struct stack *stack, enum stack_service service);
/* Returns once it is ready. */
void stack_start(struct stack *stack, enum stack_service service);
/* True while the process lives that the script started. */
bool stack_is_running(struct stack *stack, enum stack_service service);

/* A line of stack.env, such as "STACK_SIMULATOR_URL". */
const char *stack_value(const struct stack *stack, const char *name);

/* The token's text: alice, bob, staff, admin, cron, cache-service ... and those added. */
const char *stack_token(struct stack *stack, const char *name);
/* Another line in the tokens file, which the services are told to read anew. */
void stack_add_token(struct stack *stack, const char *name, enum rpc_role role,
                     const char *subject, int64_t expiry_unix);

/* Where a service takes calls: STACK_CACHE, STACK_QUOTA or STACK_GATEWAY. */
const char *stack_endpoint(const struct stack *stack, enum stack_service service);

/* Clients belong to the stack and end with it. `bearer` "" is nobody. */
struct rpc_client *stack_connect(struct stack *stack, const char *url, const char *bearer);
struct rpc_client *stack_client(struct stack *stack, enum stack_service service,
                                const char *token_name);

/* The metercache program with the arguments given (ended by NULL), as `token_name` (NULL:
 * with no token at all). Returns its exit status; *out is what it printed, owned, also on
 * failure. */
int stack_run_cli(struct stack *stack, const char *token_name, const char *const *arguments,
                  char **out);

#endif /* SUPPORT_STACK_H */
