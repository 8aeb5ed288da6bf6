/*
 * quota_core_state.h - the core's state; for quota_core*.c alone.
 */
#ifndef QUOTA_CORE_STATE_H
#define QUOTA_CORE_STATE_H

#include "cooldowns.h"
#include "counters.h"
#include "ledger_clock.h"
#include "op_results.h"
#include "quota_core.h"
#include "quota_limits.h"
#include "reservations.h"

/*
 * For the tests of the tests alone: a rule that is left out, which the simulator must
 * notice. 0 in every product build.
 */
#define QUOTA_PLANT_OP_ID         1 /* a repeated op id is taken for a new one */
#define QUOTA_PLANT_BOUNDARY      2 /* near a boundary only one period is looked at */
#define QUOTA_PLANT_SETTLE_PERIOD 3 /* a settle goes to the period of now */
#ifndef QUOTA_PLANTED
#define QUOTA_PLANTED 0
#endif

struct quota_core {
    struct quota_core_options options;
    struct limits limits;
    struct counters counters;
    struct cooldowns cooldowns;
    struct reservations reservations;
    struct op_results results;
    struct ledger_clock clock;
    int64_t now_us;
    int64_t period_us;    /* now, or when the clock froze: whose period is charged */
    int64_t roll_at_us;   /* when the first current period ends */
    int64_t opened_us;    /* refusals of ids made before are not known */
    int64_t newest_op_us; /* ids of this time or older may stand in the ledger unseen */
    uint64_t last_number; /* of the batch begun last */
    uint64_t committed;   /* of the batch committed last */
    bool is_loaded;       /* every open reservation is known */
};

/* The counters that one reservation moves: its meter's first, then those of its subjects. */
#define COUNTER_SET_MAX 5

struct counter_set {
    struct counter *rows[COUNTER_SET_MAX];
    unsigned count;
};

/* quota_core.c */
/* Does the batch take one more row, with a purpose of this size, and what it touches? */
bool quota_core_has_room(const struct quota_core *core, const struct quota_batch *batch,
                         size_t purpose_size);
void quota_core_remember(struct quota_core *core, const struct quota_op *op,
                         const struct quota_answer *answer);
void quota_core_view(struct quota_core *core, uint32_t meter, int64_t period_start_us,
                     struct quota_meter_view *out);

/* quota_core_counters.c */
/* False: some are not in memory. */
bool quota_core_gather(struct quota_core *core, uint32_t meter, int64_t period_start_us,
                       const struct purpose *purpose, struct counter_set *out);
/* The names of those that are not. */
void quota_core_missing(struct quota_core *core, uint32_t meter, struct period period,
                        const struct purpose *purpose, struct quota_needs *out);
/* The subject that a scope counts; false: the purpose has none. */
bool quota_core_subject(const struct purpose *purpose, enum limit_scope scope,
                        const char **subject, size_t *size);
/* The cell of the purpose's cooldown key; NULL: it has none, or nothing cools down here.
 * False: it is not in memory. */
bool quota_core_find_cooldown(struct quota_core *core, uint32_t meter,
                              const struct purpose *purpose, struct cooldown **out);
/* The period on the other side of a boundary that is near; NULL: none is near, or it is not
 * known. */
struct counter *quota_core_other_period(struct quota_core *core,
                                        const struct counter *current);
/* The counters change exactly as the row says, and alerts follow. */
void quota_core_apply(struct quota_core *core, struct counter_set *set,
                      const struct quota_row *row, struct quota_batch *batch);
void quota_core_check_alerts(struct quota_core *core, struct counter *meter,
                             struct quota_batch *batch);

/* quota_core_periods.c */
void quota_core_roll(struct quota_core *core);
/* A meter's rule changed: its periods that are not over get the limit. */
void quota_core_apply_limit(struct quota_core *core, uint32_t meter);

/* quota_core_reserve.c, quota_core_close.c, quota_core_admin.c: judge and apply; the op id
 * is new and well timed. */
void quota_core_reserve(struct quota_core *core, const struct quota_op *op,
                        struct quota_batch *batch, struct quota_answer *answer);
struct quota_row *quota_core_add_row(struct quota_core *core, struct quota_batch *batch,
                                     enum quota_kind kind, const struct reservation *it);
void quota_core_close(struct quota_core *core, const struct quota_op *op,
                      struct quota_batch *batch, struct quota_answer *answer);
/* False: its counters are not in memory. */
bool quota_core_lapse(struct quota_core *core, struct reservation *reservation,
                      struct quota_batch *batch);
void quota_core_adjust(struct quota_core *core, const struct quota_op *op,
                       struct quota_batch *batch, struct quota_answer *answer);
void quota_core_set_limit(struct quota_core *core, const struct quota_op *op,
                          struct quota_batch *batch, struct quota_answer *answer);

#endif /* QUOTA_CORE_STATE_H */
