#include "support/crowd.h"

#include <pthread.h>

#include "core/thread.h"
#include "support/test.h"

#define MEMBERS_MAX 256
#define STACK_BYTES (512u << 10)

struct crowd {
    pthread_barrier_t start;
    struct rpc_client *client;
    crowd_member run;
    void *context;
};

struct member {
    struct crowd *crowd;
    size_t index;
    pthread_t thread;
};

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct caller caller;

    caller_init(&caller, member->crowd->client);
    (void)pthread_barrier_wait(&member->crowd->start);
    member->crowd->run(&caller, member->index, member->crowd->context);
    caller_done(&caller);
    return NULL;
}

void crowd_run(struct rpc_client *client, size_t count, crowd_member run, void *context)
{
    static struct member members[MEMBERS_MAX];
    struct crowd crowd = {.client = client, .run = run, .context = context};

    assert_true(count > 0 && count <= MEMBERS_MAX);
    assert_int_equal(pthread_barrier_init(&crowd.start, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        members[i].crowd = &crowd;
        members[i].index = i;
        thread_start(&members[i].thread, "crowd", STACK_BYTES, member_main, &members[i]);
    }
    for (size_t i = 0; i < count; i++)
        thread_join(members[i].thread);
    (void)pthread_barrier_destroy(&crowd.start);
}
