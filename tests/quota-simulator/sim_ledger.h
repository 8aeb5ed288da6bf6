/*
 * sim_ledger.h - the ledger as migrations/0008_ledger_commit.sql keeps it, in plain arrays.
 *
 * A commit is all or nothing: fenced by a newer epoch, not the next batch, or refused for
 * what it says. A refusal is a bug of whoever made the batch, so it ends the run here.
 */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include "quota_core.h"
#include "sim.h"

#define SIM_EVENTS_MAX   1200
#define SIM_COUNTERS_MAX 600
#define SIM_RULES_MAX    200
#define SIM_ALERTS_MAX   600
#define SIM_CELLS_MAX    32
#define SIM_FOUND_MAX    48

struct sim_event {
    struct quota_row row;
    uint64_t batch;
    uint64_t epoch;
    int64_t overdue_us; /* open past its deadline while a writer could have closed it */
    bool is_open;       /* RESERVE: nothing closed it */
};

struct sim_counter {
    struct quota_counter row;
    int64_t ceiling_milli;
};

struct sim_batch_head {
    uint64_t epoch;
    int64_t at_us;
};

struct sim_ledger {
    enum sim_plant plant;
    uint64_t epoch;
    uint64_t last_batch;
    int64_t last_at_us;
    struct sim_batch_head heads[SIM_EVENTS_MAX]; /* by number */
    size_t first_open;                           /* events before this one are closed */
    int64_t opened_wall_us[SIM_EVENTS_MAX]; /* by epoch: of the clock it was opened by */
    size_t event_count;
    struct sim_event events[SIM_EVENTS_MAX];
    size_t counter_count;
    struct sim_counter counters[SIM_COUNTERS_MAX];
    size_t rule_count;
    struct limit_rule rules[SIM_RULES_MAX]; /* every change, in order of versions */
    size_t alert_count;
    struct quota_alert alerts[SIM_ALERTS_MAX]; /* sequence: index + 1 */
    size_t cell_count;
    struct cooldown cells[SIM_CELLS_MAX];
};

enum sim_commit { SIM_COMMITTED, SIM_FENCED, SIM_WRONG_BATCH };

/* One question of a look-up, and one answer. */
struct sim_lookup {
    size_t id_count;
    struct op_id ids[SIM_LOOKUP_MAX];
    size_t counter_count;
    struct quota_needed_counter counters[SIM_LOOKUP_MAX];
    size_t cell_count;
    struct cooldown cells[SIM_LOOKUP_MAX]; /* meter and key */
};

struct sim_found {
    uint64_t last_batch;
    size_t row_count;
    struct quota_row rows[SIM_FOUND_MAX];
    size_t counter_count;
    struct quota_counter counters[SIM_LOOKUP_MAX];
    size_t cell_count;
    struct cooldown cells[SIM_LOOKUP_MAX];
};

void sim_ledger_clear(struct sim_ledger *ledger, enum sim_plant plant);

/* A new epoch: whoever wrote before is fenced. */
uint64_t sim_ledger_open(struct sim_ledger *ledger);
int64_t sim_ledger_newest_op_us(const struct sim_ledger *ledger);
enum sim_commit sim_ledger_commit(struct sim_ledger *ledger, uint64_t epoch,
                                  const struct quota_batch *batch);
bool sim_ledger_has_batch(const struct sim_ledger *ledger, uint64_t epoch, uint64_t batch);
void sim_ledger_look_up(const struct sim_ledger *ledger, const struct sim_lookup *lookup,
                        struct sim_found *out);
/* Open reservations behind an id, in its order; returns how many, at most SIM_PAGE_MAX. */
size_t sim_ledger_list_open(const struct sim_ledger *ledger, const struct op_id *after,
                            struct quota_row *out);

/* NULL: there is none. */
struct sim_event *sim_ledger_find(struct sim_ledger *ledger, const struct op_id *op_id);
struct sim_counter *sim_ledger_counter(struct sim_ledger *ledger,
                                       const struct quota_counter *key);

/* Does a counter of this scope and subject count the row, whatever its meter and period? */
bool sim_row_is_of(const struct quota_row *row, enum limit_scope scope, const char *subject,
                   size_t subject_size);
/* What the rows of a counter add up to: all of the ledger's. */
void sim_ledger_sum(const struct sim_ledger *ledger, const struct quota_counter *key,
                    struct quota_counter *out);
void sim_row_add(struct quota_counter *counter, const struct quota_row *row);

#endif /* SIM_LEDGER_H */
