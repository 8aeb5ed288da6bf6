#include "rpc/socket_close.h"

#include <pthread.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#define PATIENCE_MS 2000

/* Freed by whoever of the two looks at it last. */
struct closing {
    nng_socket socket;
    pthread_mutex_t mutex;
    pthread_cond_t done;
    bool is_done;
    bool is_left; /* nobody waits any more */
};

static void closing_free(struct closing *closing)
{
    condition_done(&closing->done);
    mutex_done(&closing->mutex);
    mem_free(closing);
}

static void *run(void *argument)
{
    struct closing *closing = argument;
    bool is_left;

    (void)nng_close(closing->socket);
    mutex_lock(&closing->mutex);
    closing->is_done = true;
    is_left = closing->is_left;
    condition_signal(&closing->done);
    mutex_unlock(&closing->mutex);
    if (is_left)
        closing_free(closing);
    return NULL;
}

bool rpc_socket_close(nng_socket socket)
{
    struct closing *closing = mem_alloc(sizeof(*closing));
    uint64_t until_us = clock_deadline_ms(PATIENCE_MS);
    pthread_t thread;
    bool is_done;

    closing->socket = socket;
    mutex_init(&closing->mutex);
    condition_init(&closing->done);
    thread_start(&thread, "rpc-close", 0, run, closing);
    mutex_lock(&closing->mutex);
    while (!closing->is_done &&
           condition_wait_until(&closing->done, &closing->mutex, until_us)) {}
    is_done = closing->is_done;
    closing->is_left = !is_done;
    mutex_unlock(&closing->mutex);
    if (is_done) {
        thread_join(thread);
        closing_free(closing);
    } else {
        (void)pthread_detach(thread);
        log_event(LOG_ERROR, "nng does not close a socket",
                  LOG_I64("socket", nng_socket_id(socket)));
    }
    return is_done;
}
