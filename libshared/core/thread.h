/*
 * thread.h - pthread wrappers whose failures are bugs and abort.
 *
 * A mutex made here aborts when its owner locks it again or a stranger unlocks it.
 * Conditions wait on the monotonic clock, and may wake without a cause: wait in a loop.
 */
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void mutex_init(pthread_mutex_t *mutex);
void mutex_done(pthread_mutex_t *mutex);
void mutex_lock(pthread_mutex_t *mutex);
void mutex_unlock(pthread_mutex_t *mutex);
void condition_init(pthread_cond_t *condition);
void condition_done(pthread_cond_t *condition);
void condition_signal(pthread_cond_t *condition);
void condition_broadcast(pthread_cond_t *condition);
void condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
/* False when the monotonic deadline passed first. */
bool condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          uint64_t deadline_us);

/* 256 KiB stack unless `stack_bytes` says more; `name` shows in top and gdb (15 chars). */
void thread_start(pthread_t *thread, const char *name, size_t stack_bytes,
                  void *(*run)(void *), void *argument);
void thread_join(pthread_t thread);

/* Pause this thread: for paced polling of something that cannot wake us, nothing else. */
void thread_pause_ms(uint64_t pause_ms);

#endif /* CORE_THREAD_H */
