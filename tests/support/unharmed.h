/*
 * unharmed.h - for tests of bad input: afterwards nothing is stored or called, and every
 * service still answers.
 *
 * Instead of fixture_begin and fixture_end. A wounded listener may take a while to be
 * noticed and replaced; that long a good call is tried.
 */
#ifndef SUPPORT_UNHARMED_H
#define SUPPORT_UNHARMED_H

#include <stdbool.h>

#include "support/stack.h"

int unharmed_begin(void **state);
int unharmed_end(void **state);

#define UNHARMED_CURE_MS 20000

/* A service answers a good call, over a new connection. */
bool unharmed_serves(struct stack *stack, enum stack_service service);

#endif /* SUPPORT_UNHARMED_H */
