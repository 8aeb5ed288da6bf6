/*
 * quota_batch_impl.h - what the two files of the batch share (internal to client).
 *
 *     quota_batch.c       the queue and the messages
 *     quota_batch_call.c  waiting for one operation
 */
#ifndef CLIENT_QUOTA_BATCH_IMPL_H
#define CLIENT_QUOTA_BATCH_IMPL_H

#include <pthread.h>

#include "client/quota_batch.h"

#define QUOTA_BATCH_MESSAGES_MAX 16

/* An operation on its way; owned by the batch until its `done` has run. */
struct quota_batch_op {
    struct quota_batch_op *next;
    client_quota_done done;
    void *context;
    uint64_t deadline_us; /* monotonic */
    unsigned priority;
    size_t size;
    uint8_t bytes[]; /* the OperationRequest */
};

struct quota_batch_list {
    struct quota_batch_op *first;
    struct quota_batch_op *last;
};

struct quota_batch_message {
    struct client_quota_batch *batch;
    struct quota_batch_message *next_free;
    struct quota_batch_op *ops; /* while in flight, in their order */
    size_t count;
    ProtobufCBinaryData bytes[CLIENT_QUOTA_BATCH_OPERATIONS_MAX];
};

struct client_quota_batch {
    struct client_quota_batch_options options; /* defaults filled in */
    struct quota_batch_message *messages;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct quota_batch_list waiting;
    struct quota_batch_message *free;
    unsigned free_count;
    unsigned under_way; /* waiting or in flight */
    unsigned callers;   /* threads that wait for an operation */
    bool is_closing;
};

struct quota_batch_op *quota_batch_op_new(const Metercache__V1__OperationRequest *request,
                                          const struct client_quota_call *call,
                                          client_quota_done done, void *context);
/* Takes the operation over. */
void quota_batch_enter(struct client_quota_batch *batch, struct quota_batch_op *op);

#endif /* CLIENT_QUOTA_BATCH_IMPL_H */
