/*
 * queue.h - a bounded first-in first-out queue of pointers between threads.
 *
 * queue_push never waits: a full queue is an answer (shed load), not a place to hang. Items
 * are not NULL and stay the caller's when push refuses them.
 *
 * Threads: any, between queue_init and queue_done.
 */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base.h"

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    void **items;
    size_t capacity;
    size_t head;
    size_t count;
    bool closed;
};

void queue_init(struct queue *queue, size_t capacity); /* capacity > 0 */
void queue_done(struct queue *queue); /* after the last user; items left are the caller's */
bool queue_push(struct queue *queue, void *item) MUST_USE; /* false: full or closed */
/* Waits for an item; NULL once the queue is closed and empty. */
void *queue_pop(struct queue *queue);
void queue_close(struct queue *queue); /* wakes all; items left may still be popped */
size_t queue_count(struct queue *queue);

#endif /* CORE_QUEUE_H */
