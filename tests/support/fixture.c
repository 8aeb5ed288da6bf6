#include "support/fixture.h"

#include "core/mem.h"

int fixture_up(void **state, const char *name, const char *const *settings)
{
    struct fixture *fixture = mem_alloc(sizeof(*fixture));

    fixture->stack = stack_up(name, settings);
    fixture->owner = database_open(fixture->stack, DATABASE_OWNER);
    caller_init(&fixture->alice, stack_client(fixture->stack, STACK_CACHE, "alice"));
    caller_init(&fixture->bob, stack_client(fixture->stack, STACK_CACHE, "bob"));
    caller_init(&fixture->staff, stack_client(fixture->stack, STACK_CACHE, "staff"));
    caller_init(&fixture->admin, stack_client(fixture->stack, STACK_CACHE, "admin"));
    caller_init(&fixture->quota, stack_client(fixture->stack, STACK_QUOTA, "alice"));
    *state = fixture;
    return 0;
}

int fixture_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture == NULL)
        return 0;
    caller_done(&fixture->alice);
    caller_done(&fixture->bob);
    caller_done(&fixture->staff);
    caller_done(&fixture->admin);
    caller_done(&fixture->quota);
    database_close(fixture->owner);
    stack_down(fixture->stack);
    mem_free(fixture);
    return 0;
}

int fixture_begin(void **state)
{
    struct fixture *fixture = *state;

    books_open(&fixture->books, fixture->stack, fixture->owner);
    return 0;
}

int fixture_end(void **state)
{
    struct fixture *fixture = *state;

    caller_forget(&fixture->alice);
    caller_forget(&fixture->bob);
    caller_forget(&fixture->staff);
    caller_forget(&fixture->admin);
    caller_forget(&fixture->quota);
    return 0;
}

static struct simulator_creator next_creator(struct fixture *fixture, bool is_private)
{
    struct simulator_creator creator;

    do {
        simulator_creators(fixture->stack, "instagram", fixture->next_creator++, 1,
                           &creator);
    } while (creator.is_private != is_private);
    return creator;
}

void fixture_new_creators(struct fixture *fixture, struct simulator_creator *out,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = next_creator(fixture, false);
}

struct simulator_creator fixture_new_creator(struct fixture *fixture)
{
    return next_creator(fixture, false);
}

struct simulator_creator fixture_private_creator(struct fixture *fixture)
{
    return next_creator(fixture, true);
}
