/*
 * door_fixture.h - the door with Modash and Clay behind it, for one test program: a real
 * HTTP server as the provider, a fake quota-service.
 */
#ifndef TESTS_DOOR_FIXTURE_H
#define TESTS_DOOR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "clay.h"
#include "fake_budget.h"
#include "modash.h"
#include "places.h"
#include "support/http_peer.h"

#define CALL_MS 400u /* the providers' time-out here */
#define PLACES  4    /* of the outbox */

static struct fake_budget fake;
static struct http_peer *peer;
static struct metered_door door;
static struct modash modash;
static struct clay clay;
static struct arena arena;
static struct call_context context;

static inline void describe(struct provider *provider, const char *name,
                            enum provider_kind kind, struct http_header key)
{
    struct provider_description is = {.name = name,
                                      .kind = kind,
                                      .base_url = http_peer_url(peer),
                                      .is_loopback = true,
                                      .key = key,
                                      .key_setting = "THE_KEY",
                                      .timeout_ms = CALL_MS};

    provider_init(provider, &is);
}

static inline int set_up(void **state)
{
    struct http_client_options options = {.response_bytes = (size_t)1 << 20,
                                          .connections_per_host = 8,
                                          .connect_timeout_ms = 1000};
    struct error err;

    (void)state;
    fake_budget_init(&fake);
    peer = http_peer_open();
    if (http_client_open(&door.http, &options, &err) != ST_OK)
        return -1;
    door.budget = &fake.budget;
    door.settlements = settlements_open(&fake.budget, PLACES);
    describe(&modash.provider, "modash", PROVIDER_MODASH,
             (struct http_header){"Authorization", "Bearer ", "modash-key"});
    describe(&clay.provider, "clay", PROVIDER_CLAY,
             (struct http_header){"clay-api-key", "", "clay-key"});
    modash.door = &door;
    clay.door = &door;
    clay.routine_id = "find-email";
    clay.email_key = "email";
    clay.charges_not_found = true;
    arena_init(&arena, (size_t)4 << 20);
    context = (struct call_context){.user = "alice",
                                    .reason = "select",
                                    .tenant = "",
                                    .cooldown_key = "",
                                    .is_interactive = true,
                                    .deadline_us = clock_deadline_ms(20000),
                                    .arena = &arena};
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    (void)settlements_close(door.settlements, clock_deadline_ms(100));
    http_client_close(door.http);
    provider_done(&clay.provider);
    provider_done(&modash.provider);
    http_peer_close(peer);
    fake_budget_done(&fake);
    arena_done(&arena);
    return 0;
}

/* The one settlement there was. */
static inline const struct budget_settlement *settled(enum call_outcome outcome,
                                                      int64_t milli)
{
    const struct budget_settlement *last = &fake.settled[0];

    assert_int_equal(fake.reserve_count, 1);
    assert_int_equal(fake.settle_count, 1);
    assert_true(op_id_equal(&last->reservation_id, &fake.reserved[0].id));
    assert_string_equal(outcome_name(last->outcome), outcome_name(outcome));
    assert_int_equal(last->actual_milli, milli);
    assert_int_equal(places_taken(door.settlements, PLACES), 0);
    return last;
}

#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif /* TESTS_DOOR_FIXTURE_H */
