/*
 * kill -9 of quota-service, cache-service and Postgres while 100,000 reservations are made,
 * settled, voided and forgotten: nothing is overspent, nothing acknowledged is lost, nothing
 * is applied twice, nothing is held past its deadline. C6, C7.
 *
 * TEST_SEED repeats a run's choices.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/quota.h"
#include "core/base.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/thread.h"
#include "support/fixture.h"

#define RESERVATIONS 100000
#define WORKERS      8
#define CHUNK        125 /* operations in one message */
#define CHUNKS       (RESERVATIONS / WORKERS / CHUNK)
#define HOLD_MS      4000
#define ROUNDS       3 /* kills of each victim */
#define CALL_MS      4000
#define PAUSE_MS     20
#define PATIENCE_MS  240000
#define LAPSED_MS    30000
#define REPLY_BYTES  ((size_t)1 << 20)
#define STACK_BYTES  (2u << 20)
#define PRICE_MILLI  10
#define METER        "modash.discovery"
/* Half of what is asked for: the other half is refused. */
#define BUDGET_RESULTS "QUOTA_DISCOVERY_RESULTS_PER_MONTH=50000"
#define BUDGET_MILLI   (50000LL * PRICE_MILLI)

static const char *const SETTINGS[] = {BUDGET_RESULTS, "QUOTA_HOLD_MAX=6s", NULL};
static const enum stack_service VICTIMS[] = {STACK_QUOTA, STACK_CACHE, STACK_POSTGRES};
#define KILLS (ROUNDS * COUNT_OF(VICTIMS))

_Static_assert(RESERVATIONS % (WORKERS * CHUNK) == 0, "whole chunks");

/* ------------------------------------------------------------------- the callers ------- */

enum fate { REFUSED, GRANTED, SETTLED, VOIDED, LEFT };

struct wish {
    struct op_id id;        /* of the reservation */
    struct op_id ending_id; /* of its settle or void */
    enum fate fate;
};

struct load {
    struct rpc_client *client;
    struct wish *wishes;
    uint64_t deadline_us;
    atomic_size_t done; /* reservations with a fate */
    atomic_size_t renamed;
    atomic_size_t wrong;
    atomic_size_t next_worker;
    uint64_t seed;
};

static ProtobufCBinaryData bytes_of(const struct op_id *id)
{
    return (ProtobufCBinaryData){OP_ID_SIZE, (uint8_t *)(uintptr_t)id->bytes};
}

/* A message's operations, and which of them are not answered for certain yet. */
struct message {
    Metercache__V1__OperationRequest operations[CHUNK];
    Metercache__V1__ReserveRequest reserves[CHUNK];
    Metercache__V1__SettleRequest settles[CHUNK];
    Metercache__V1__VoidRequest voids[CHUNK];
    struct wish *wishes[CHUNK];
    size_t count;
};

static void add_reserve(struct message *message, struct wish *wish)
{
    static Metercache__V1__CallPurpose purpose = METERCACHE__V1__CALL_PURPOSE__INIT;
    size_t at = message->count++;
    Metercache__V1__ReserveRequest *request = &message->reserves[at];

    purpose.provider = "modash";
    purpose.action = "search";
    purpose.reason = "kill test";
    metercache__v1__reserve_request__init(request);
    request->op_id = bytes_of(&wish->id);
    request->meter = METER;
    request->amount_milli = PRICE_MILLI;
    request->hold_ms = HOLD_MS;
    request->purpose = &purpose;
    metercache__v1__operation_request__init(&message->operations[at]);
    message->operations[at].operation_case =
        METERCACHE__V1__OPERATION_REQUEST__OPERATION_RESERVE;
    message->operations[at].reserve = request;
    message->wishes[at] = wish;
}

static void add_ending(struct message *message, struct wish *wish, bool is_void)
{
    size_t at = message->count++;
    Metercache__V1__OperationRequest *operation = &message->operations[at];

    metercache__v1__operation_request__init(operation);
    message->wishes[at] = wish;
    if (is_void) {
        Metercache__V1__VoidRequest *request = &message->voids[at];

        metercache__v1__void_request__init(request);
        request->op_id = bytes_of(&wish->ending_id);
        request->reservation_id = bytes_of(&wish->id);
        request->outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_NOT_SENT;
        operation->operation_case =
            METERCACHE__V1__OPERATION_REQUEST__OPERATION_VOID_RESERVATION;
        operation->void_reservation = request;
        return;
    }
    metercache__v1__settle_request__init(&message->settles[at]);
    message->settles[at].op_id = bytes_of(&wish->ending_id);
    message->settles[at].reservation_id = bytes_of(&wish->id);
    message->settles[at].actual_milli = PRICE_MILLI;
    message->settles[at].outcome = METERCACHE__V1__CALL_OUTCOME__CALL_OUTCOME_OK;
    operation->operation_case = METERCACHE__V1__OPERATION_REQUEST__OPERATION_SETTLE;
    operation->settle = &message->settles[at];
}

/* Asked again until it is answered for certain; true when it was. */
static bool take_result(struct load *load, const Metercache__V1__OperationResult *result,
                        struct wish *wish, bool is_reserve)
{
    switch (result->code) {
    case ST_OK:
        if (is_reserve)
            wish->fate = GRANTED;
        return true;
    case ST_EXHAUSTED:
        if (!is_reserve)
            atomic_fetch_add(&load->wrong, 1);
        wish->fate = REFUSED;
        return true;
    case ST_ABORTED: /* never granted, never will be */
        wish->id = op_id_new();
        atomic_fetch_add(&load->renamed, 1);
        return false;
    case ST_UNAVAILABLE:
    case ST_DEADLINE:
        return false;
    default:
        print_message("           %s\n", result->message);
        atomic_fetch_add(&load->wrong, 1);
        return true;
    }
}

static void keep(struct message *message, size_t at, size_t *kept, bool is_reserve,
                 bool is_void)
{
    struct message *again = message; /* filled from its front: never past `at` */
    struct wish *wish = message->wishes[at];

    again->count = *kept;
    if (is_reserve)
        add_reserve(again, wish);
    else
        add_ending(again, wish, is_void);
    *kept = again->count;
}

/* Send it until every operation has a certain answer, or time is up. */
static void submit_all(struct load *load, struct message *message, bool is_reserve,
                       struct arena *arena)
{
    const struct client_options options = {.timeout_ms = CALL_MS};

    while (message->count > 0 && clock_left_ms(load->deadline_us) > 0) {
        Metercache__V1__OperationRequest *list[CHUNK];
        Metercache__V1__SubmitRequest request = METERCACHE__V1__SUBMIT_REQUEST__INIT;
        Metercache__V1__SubmitResponse *reply = NULL;
        struct error err = ERROR_NONE;
        size_t count = message->count;
        size_t kept = 0;

        for (size_t i = 0; i < count; i++)
            list[i] = &message->operations[i];
        request.operations = list;
        request.n_operations = count;
        arena_reset(arena);
        enum status st =
            client_quota_submit(&reply, load->client, &request, &options, arena, &err);
        for (size_t i = 0; i < count; i++) {
            bool is_void = message->operations[i].operation_case ==
                           METERCACHE__V1__OPERATION_REQUEST__OPERATION_VOID_RESERVATION;

            if (st != ST_OK ||
                !take_result(load, reply->results[i], message->wishes[i], is_reserve))
                keep(message, i, &kept, is_reserve, is_void);
        }
        message->count = kept;
        if (kept > 0)
            thread_pause_ms(PAUSE_MS);
    }
}

/* Most are settled, some voided, some forgotten by their caller. */
static void end_granted(struct message *message, struct wish *wishes, struct rng *rng)
{
    message->count = 0;
    for (size_t i = 0; i < CHUNK; i++) {
        uint64_t dice = rng_below(rng, 100);

        if (wishes[i].fate != GRANTED)
            continue;
        if (dice < 4) {
            wishes[i].fate = LEFT;
            continue;
        }
        wishes[i].ending_id = op_id_new();
        wishes[i].fate = dice < 10 ? VOIDED : SETTLED;
        add_ending(message, &wishes[i], dice < 10);
    }
}

static void *worker_main(void *argument)
{
    struct load *load = argument;
    size_t number = atomic_fetch_add(&load->next_worker, 1);
    struct message *message = mem_alloc(sizeof(*message));
    struct arena arena;
    struct rng rng;

    arena_init(&arena, REPLY_BYTES);
    rng_seed(&rng, load->seed + number);
    for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
        struct wish *wishes = load->wishes + (number * CHUNKS + chunk) * CHUNK;

        message->count = 0;
        for (size_t i = 0; i < CHUNK; i++) {
            wishes[i].id = op_id_new();
            add_reserve(message, &wishes[i]);
        }
        submit_all(load, message, true, &arena);
        end_granted(message, wishes, &rng);
        submit_all(load, message, false, &arena);
        atomic_fetch_add(&load->done, CHUNK);
    }
    arena_done(&arena);
    mem_free(message);
    return NULL;
}

/* -------------------------------------------------------------------- the killer ------- */

static void kill_some(struct fixture *fixture, struct load *load, struct rng *rng)
{
    for (size_t i = 0; i < KILLS; i++) {
        size_t after = (i + 1) * (RESERVATIONS / (KILLS + 2));
        enum stack_service victim = VICTIMS[rng_below(rng, COUNT_OF(VICTIMS))];

        if (i < COUNT_OF(VICTIMS))
            victim = VICTIMS[i]; /* each at least once */
        assert_eventually(atomic_load(&load->done) >= after, PATIENCE_MS);
        uint64_t at_us = clock_mono_us() + rng_below(rng, 30000);
        while (clock_mono_us() < at_us) {}
        stack_kill(fixture->stack, victim);
        stack_start(fixture->stack, victim);
        print_message("           %zu done: killed %s, started it again\n",
                      atomic_load(&load->done), stack_service_name(victim));
    }
}

/* -------------------------------------------------------------------- the judges ------- */

static int64_t number(struct fixture *fixture, const char *sql)
{
    return database_number(fixture->owner, sql, NULL);
}

static size_t count_fate(const struct load *load, enum fate fate)
{
    size_t count = 0;

    for (size_t i = 0; i < RESERVATIONS; i++)
        count += load->wishes[i].fate == fate;
    return count;
}

/* Of the wishes in [from, until) with this fate, those whose event is in the ledger. */
static int64_t found(struct fixture *fixture, const struct load *load, size_t from,
                     size_t until, enum fate fate, int kind)
{
    json_t *ids = json_array();
    char kind_text[8];
    int64_t count;

    for (size_t i = from; i < until; i++) {
        const struct wish *wish = &load->wishes[i];
        char text[OP_ID_TEXT_SIZE];

        if (wish->fate != fate)
            continue;
        op_id_format(text, kind == 1 ? &wish->id : &wish->ending_id);
        json_array_append_new(ids, json_string(text));
    }
    (void)snprintf(kind_text, sizeof(kind_text), "%d", kind);
    char *list = json_dumps(ids, 0);
    count =
        database_number(fixture->owner,
                        "SELECT count(*) FROM json_array_elements_text($1::json) AS op"
                        " JOIN metercache.ledger_event AS e ON e.op_id = op::uuid"
                        " WHERE e.kind = $2::smallint OR ($2::smallint > 1 AND e.kind = 5)",
                        (const char *const[]){list, kind_text, NULL});
    free(list);
    json_decref(ids);
    return count;
}

static void assert_all_found(struct fixture *fixture, const struct load *load,
                             enum fate fate, int kind)
{
    int64_t count = 0;

    for (size_t from = 0; from < RESERVATIONS; from += 10000)
        count += found(fixture, load, from, from + 10000, fate, kind);
    assert_int_equal(count, count_fate(load, fate));
}

/* What was refused is not in the ledger, and what it holds was all asked for. */
static void assert_nothing_more(struct fixture *fixture, const struct load *load)
{
    int64_t refused = 0;

    for (size_t from = 0; from < RESERVATIONS; from += 10000)
        refused += found(fixture, load, from, from + 10000, REFUSED, 1);
    assert_int_equal(refused, 0);
    assert_int_equal(number(fixture, "SELECT count(*) FROM metercache.ledger_event"
                                     " WHERE kind = 1"),
                     RESERVATIONS - count_fate(load, REFUSED));
}

static void assert_books(struct fixture *fixture)
{
    struct books_page page = books_read(fixture->owner, BOOKS_DISCOVERY);

    assert_int_equal(page.held_milli, 0);
    assert_int_equal(page.counter_milli, page.posted_milli);
    assert_int_equal(page.log_milli, page.posted_milli);
    assert_true(page.posted_milli <= BUDGET_MILLI);
    assert_int_equal(number(fixture,
                            "SELECT count(*) FROM (SELECT 1 FROM metercache.ledger_event"
                            " WHERE kind IN (2, 3, 4) GROUP BY reservation_id"
                            " HAVING count(*) > 1) AS twice"),
                     0);
    assert_int_equal(number(fixture,
                            "SELECT count(*) FROM metercache.ledger_event AS l JOIN"
                            " metercache.ledger_event AS r ON r.op_id = l.reservation_id"
                            " AND r.kind = 1 WHERE l.kind = 4 AND l.at < r.expires_at"),
                     0);
}

static void assert_verified(struct fixture *fixture)
{
    char *out = NULL;
    int status = stack_run_cli(fixture->stack, "admin",
                               (const char *const[]){"quota", "verify", NULL}, &out);

    print_message("           %s", out);
    assert_int_equal(status, 0);
    free(out);
}

static void test_ledger_survives_kills_amid_a_hundred_thousand_reservations(void **state)
{
    struct fixture *fixture = *state;
    const char *seed = getenv("TEST_SEED");
    struct load load = {.wishes = mem_alloc_array(RESERVATIONS, sizeof(struct wish)),
                        .deadline_us = clock_deadline_ms(PATIENCE_MS),
                        .seed = seed != NULL ? strtoull(seed, NULL, 10)
                                             : rng_system_u64() % 1000000};
    pthread_t workers[WORKERS];
    uint64_t begin_us = clock_mono_us();
    struct rng rng;

    print_message("           TEST_SEED=%llu\n", (unsigned long long)load.seed);
    rng_seed(&rng, load.seed);
    load.client = stack_client(fixture->stack, STACK_QUOTA, "provider-gateway");
    for (size_t i = 0; i < WORKERS; i++)
        thread_start(&workers[i], "worker", STACK_BYTES, worker_main, &load);
    kill_some(fixture, &load, &rng);
    for (size_t i = 0; i < WORKERS; i++)
        thread_join(workers[i]);
    print_message("           %zu granted, %zu refused, %zu voided, %zu left, %zu under a "
                  "new id; %llu ms\n",
                  RESERVATIONS - count_fate(&load, REFUSED), count_fate(&load, REFUSED),
                  count_fate(&load, VOIDED), count_fate(&load, LEFT),
                  atomic_load(&load.renamed),
                  (unsigned long long)((clock_mono_us() - begin_us) / 1000));
    assert_int_equal(atomic_load(&load.wrong), 0);

    assert_eventually(number(fixture, "SELECT count(*) FROM metercache.quota_reservation"
                                      " AS r JOIN metercache.ledger_event AS e"
                                      " ON e.op_id = r.reservation_id"
                                      " WHERE e.expires_at < now() - interval '5 s'") == 0,
                      LAPSED_MS);
    assert_eventually(
        number(fixture, "SELECT count(*) FROM metercache.quota_reservation") == 0,
        LAPSED_MS);
    assert_all_found(fixture, &load, SETTLED, 1);
    assert_all_found(fixture, &load, SETTLED, 2);
    assert_all_found(fixture, &load, VOIDED, 3);
    assert_all_found(fixture, &load, LEFT, 1);
    assert_nothing_more(fixture, &load);
    assert_books(fixture);
    assert_verified(fixture);
    mem_free(load.wishes);
}

static int set_up(void **state)
{
    return fixture_up(state, "kill-quota", SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_ledger_survives_kills_amid_a_hundred_thousand_reservations, fixture_begin,
            fixture_end),
    };

    return cmocka_run_group_tests(tests, set_up, fixture_down);
}
