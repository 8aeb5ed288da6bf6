/*
 * fixture.h - what most integration tests start from: a stack for the program, callers for
 * its users, the database and the books.
 *
 *     static int set_up(void **state)   { return fixture_up(state, "search", SETTINGS); }
 *     cmocka_unit_test_setup_teardown(test_..., fixture_begin, fixture_end)
 *     cmocka_run_group_tests(tests, set_up, fixture_down)
 *
 * Threads: the test's own.
 */
#ifndef SUPPORT_FIXTURE_H
#define SUPPORT_FIXTURE_H

#include "support/books.h"
#include "support/calls.h"
#include "support/database.h"
#include "support/expect.h"
#include "support/simulator.h"
#include "support/stack.h"

struct fixture {
    struct stack *stack;
    struct database *owner;
    struct caller alice; /* of cache-service: clients */
    struct caller bob;
    struct caller staff;
    struct caller admin;
    struct caller quota; /* quota-service, as alice */
    struct books books;  /* since the test began */
    unsigned next_creator;
};

int fixture_up(void **state, const char *name, const char *const *settings);
int fixture_down(void **state);

/* Before and after each test: the simulator as new, books opened, replies forgotten. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* Instagram creators that no test of this program has had yet; none is private. */
void fixture_new_creators(struct fixture *fixture, struct simulator_creator *out,
                          size_t count);
struct simulator_creator fixture_new_creator(struct fixture *fixture);
/* The next one that is private. */
struct simulator_creator fixture_private_creator(struct fixture *fixture);

#endif /* SUPPORT_FIXTURE_H */
