/*
 * core_recount.h - what the counters must be, recounted from the plain list of ledger rows;
 * and the words that test_quota_core_random.c checks them with.
 */
#ifndef CORE_RECOUNT_H
#define CORE_RECOUNT_H

#include "core_fixture.h"

#define STEPS      400
#define USER_LIMIT (LIMIT / 3)

static struct quota_row
    ledger[2 * STEPS + 64]; /* committed rows, then those of the batch */
static size_t committed_rows;

static inline bool is_of_user(const struct quota_row *row, const char *user, size_t size)
{
    const char *text;

    return row->kind != QUOTA_ADJUST &&
           purpose_text(&row->purpose, PURPOSE_user, &text) == size &&
           memcmp(text, user, size) == 0;
}

/* Of the meter, or of one of its users. */
static inline struct quota_counter recount_of(const struct quota_row *rows, size_t count,
                                              int64_t period_start_us, const char *user,
                                              size_t size)
{
    struct quota_counter sum = {.meter = REPORTS, .scope = LIMIT_METER};

    for (size_t i = 0; i < count; i++) {
        if (rows[i].period_start_us != period_start_us ||
            (size > 0 && !is_of_user(&rows[i], user, size)))
            continue;
        if (rows[i].kind == QUOTA_RESERVE) {
            sum.held_milli += rows[i].amount_milli;
        } else {
            sum.posted_milli += rows[i].amount_milli;
            sum.held_milli -= rows[i].released_milli;
            sum.overage_milli += rows[i].overage_milli;
        }
    }
    return sum;
}

static inline struct quota_counter recount(const struct quota_row *rows, size_t count,
                                           int64_t period_start_us)
{
    return recount_of(rows, count, period_start_us, "", 0);
}

/* The ledger as it will be, the open batch included. */
static inline size_t all_rows(void)
{
    memcpy(ledger + committed_rows, batch.rows, batch.row_count * sizeof(batch.rows[0]));
    return committed_rows + batch.row_count;
}

static inline void check_counters(void)
{
    struct quota_counter rows[COUNTERS_METER_ROWS];
    size_t count = quota_core_counters(core, rows);
    size_t row_count = all_rows();

    for (size_t i = 0; i < count; i++) {
        struct quota_counter sum;

        if (rows[i].meter != REPORTS)
            continue;
        sum = recount(ledger, row_count, rows[i].period.start_us);
        assert_int_equal(rows[i].posted_milli, sum.posted_milli);
        assert_int_equal(rows[i].held_milli, sum.held_milli);
        assert_int_equal(rows[i].overage_milli, sum.overage_milli);
        assert_true(rows[i].held_milli >= 0);
        /* never overspent: only overage, always recorded, may pass the limit */
        assert_true(sum.posted_milli - sum.overage_milli + sum.held_milli <= LIMIT);
    }
}

static inline unsigned count_kind(const struct op_id *reservation_id, enum quota_kind kind,
                                  size_t count)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++)
        found += ledger[i].kind == kind &&
                 op_id_equal(&ledger[i].reservation_id, reservation_id);
    return found;
}

static inline unsigned unknown_outcomes(const struct op_id *reservation_id, size_t count)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++)
        found += ledger[i].kind == QUOTA_SETTLE &&
                 ledger[i].call.outcome == QUOTA_OUTCOME_UNKNOWN &&
                 op_id_equal(&ledger[i].reservation_id, reservation_id);
    return found;
}

static inline void check_reservations(void)
{
    size_t count = all_rows();

    for (size_t i = 0; i < count; i++) {
        const struct op_id *id = &ledger[i].reservation_id;
        unsigned lapses = count_kind(id, QUOTA_LAPSE, count);

        if (ledger[i].kind == QUOTA_ADJUST)
            continue;
        assert_int_equal(count_kind(id, QUOTA_RESERVE, count), 1);
        assert_true(count_kind(id, QUOTA_SETTLE, count) +
                        count_kind(id, QUOTA_VOID, count) + lapses <=
                    1);
        assert_true(count_kind(id, QUOTA_CORRECT, count) <=
                    lapses + unknown_outcomes(id, count));
    }
}

#endif /* CORE_RECOUNT_H */
