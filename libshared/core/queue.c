#include "core/queue.h"

#include <assert.h>

#include "core/mem.h"
#include "core/thread.h"

void queue_init(struct queue *queue, size_t capacity)
{
    assert(capacity > 0);
    *queue = (struct queue){.capacity = capacity};
    queue->items = mem_alloc_array(capacity, sizeof(*queue->items));
    mutex_init(&queue->mutex);
    condition_init(&queue->not_empty);
}

void queue_done(struct queue *queue)
{
    condition_done(&queue->not_empty);
    mutex_done(&queue->mutex);
    mem_free(queue->items);
    queue->items = NULL;
}

bool queue_push(struct queue *queue, void *item)
{
    bool accepted;

    assert(item != NULL);
    mutex_lock(&queue->mutex);
    accepted = !queue->closed && queue->count < queue->capacity;
    if (accepted) {
        queue->items[(queue->head + queue->count) % queue->capacity] = item;
        queue->count++;
        condition_signal(&queue->not_empty);
    }
    mutex_unlock(&queue->mutex);
    return accepted;
}

void *queue_pop(struct queue *queue)
{
    void *item = NULL;

    mutex_lock(&queue->mutex);
    while (queue->count == 0 && !queue->closed)
        condition_wait(&queue->not_empty, &queue->mutex);
    if (queue->count > 0) {
        item = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
    }
    mutex_unlock(&queue->mutex);
    return item;
}

void queue_close(struct queue *queue)
{
    mutex_lock(&queue->mutex);
    queue->closed = true;
    condition_broadcast(&queue->not_empty);
    mutex_unlock(&queue->mutex);
}

size_t queue_count(struct queue *queue)
{
    size_t count;

    mutex_lock(&queue->mutex);
    count = queue->count;
    mutex_unlock(&queue->mutex);
    return count;
}
