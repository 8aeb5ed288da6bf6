#include "sim_callers.h"

#include <stdio.h>
#include <string.h>

#include "sim_world.h"

#define MAX_AMOUNT 260

/* ---- what is asked --------------------------------------------------------------------- */

static void set_hash(struct quota_op *op, uint64_t body)
{
    memcpy(op->body_hash, &body, sizeof(body));
    op->body_hash[8] = (uint8_t)op->kind;
}

static struct op_id new_id(struct sim_world *world)
{
    struct rng *rng = &world->rng;
    int64_t wall_us =
        world->now_us + world->callers.wall_offset_us[rng_below(rng, SIM_CALLERS)];

    if (sim_one_in(rng, 60)) /* kept for long, or made up */
        wall_us += sim_between(rng, -70, 1) * DAY_US;
    return op_id_make(wall_us, rng_next(rng), rng_next(rng));
}

static struct purpose random_purpose(struct rng *rng)
{
    static const char *const users[] = {"", "ada", "bob", "eve"};
    static const char *const endpoints[] = {"", "/Select", "/Enrich"};
    static const char *const tenants[] = {"", "acme", "umbrella"};
    static const char *const keys[] = {"", "", "report:1", "report:22", "find:1"};
    const char *const texts[PURPOSE_TEXT_COUNT] = {
        [PURPOSE_provider] = "modash",
        [PURPOSE_action] = "report",
        [PURPOSE_reason] = "",
        [PURPOSE_creator] = "",
        [PURPOSE_user] = users[rng_below(rng, COUNT_OF(users))],
        [PURPOSE_tenant] = tenants[rng_below(rng, COUNT_OF(tenants))],
        [PURPOSE_endpoint] = endpoints[rng_below(rng, COUNT_OF(endpoints))],
        [PURPOSE_cooldown_key] = keys[rng_below(rng, COUNT_OF(keys))],
    };
    unsigned flags = (sim_one_in(rng, 3) ? PURPOSE_SCHEDULED : 0u) |
                     (sim_one_in(rng, 3) ? PURPOSE_SHEDDABLE : 0u);
    struct purpose purpose;
    struct error err;

    SIM_CHECK(purpose_pack(&purpose, 1, flags, texts, &err) == ST_OK, "a bad purpose");
    return purpose;
}

static int64_t random_amount(struct rng *rng)
{
    if (sim_one_in(rng, 10))
        return 0;
    return sim_between(rng, 1, sim_one_in(rng, 3) ? MAX_AMOUNT : 60);
}

/* A new op id; NULL: this world has had enough of them. */
static struct sim_op *new_op(struct sim_world *world, enum quota_kind kind)
{
    struct sim_callers *callers = &world->callers;
    struct sim_op *it = &callers->ops[callers->count];

    if (callers->count == SIM_OPS_MAX)
        return NULL;
    callers->count++;
    memset(it, 0, sizeof(*it));
    it->bodies = 1;
    it->op.kind = kind;
    it->op.op_id = new_id(world);
    set_hash(&it->op, ++callers->next_body);
    return it;
}

static void ask(struct sim_world *world, const struct sim_op *it)
{
    sim_world_request(world, &it->op, (unsigned)(it - world->callers.ops));
}

static void reserve(struct sim_world *world)
{
    struct rng *rng = &world->rng;
    struct sim_op *it = new_op(world, QUOTA_RESERVE);

    if (it == NULL)
        return;
    it->op.meter = (uint32_t)rng_below(rng, SIM_METERS);
    it->op.amount_milli = random_amount(rng);
    it->op.hold_us = sim_between(rng, 1, sim_one_in(rng, 4) ? 900 : 30) * SECOND_US;
    it->op.purpose = random_purpose(rng);
    ask(world, it);
}

/* One of the latest reservations, granted or not; NULL: there is none. */
static const struct sim_op *some_reservation(struct sim_world *world)
{
    struct sim_callers *callers = &world->callers;

    for (unsigned tries = 0; tries < 12 && callers->count > 0; tries++) {
        unsigned back =
            (unsigned)rng_below(&world->rng, sim_one_in(&world->rng, 4) ? callers->count
                                             : callers->count < 24      ? callers->count
                                                                        : 24);
        const struct sim_op *it = &callers->ops[callers->count - 1 - back];

        if (it->op.kind == QUOTA_RESERVE && (it->was_done || sim_one_in(&world->rng, 8)))
            return it;
    }
    return NULL;
}

static void settle_or_void(struct sim_world *world)
{
    const struct sim_op *of = some_reservation(world);
    struct rng *rng = &world->rng;
    struct sim_op *it;

    if (of == NULL)
        return;
    it = new_op(world, sim_one_in(rng, 3) ? QUOTA_VOID : QUOTA_SETTLE);
    if (it == NULL)
        return;
    it->op.reservation_id = of->op.op_id;
    it->op.call.outcome = SIM_OUTCOME_NOT_SENT;
    if (it->op.kind == QUOTA_SETTLE) {
        it->op.call.outcome = sim_one_in(rng, 5) ? QUOTA_OUTCOME_UNKNOWN : SIM_OUTCOME_OK;
        it->op.amount_milli = sim_one_in(rng, 4) ? of->op.amount_milli + random_amount(rng)
                                                 : of->op.amount_milli / 2;
    }
    ask(world, it);
}

/* ---- admins ---------------------------------------------------------------------------- */

static void correct(struct sim_world *world)
{
    const struct sim_op *of = some_reservation(world);
    struct sim_op *it = of != NULL ? new_op(world, QUOTA_CORRECT) : NULL;

    if (it == NULL)
        return;
    it->op.reservation_id = of->op.op_id;
    it->op.amount_milli = sim_one_in(&world->rng, 2) ? 0 : random_amount(&world->rng);
    it->op.call.outcome = SIM_OUTCOME_OK;
    it->op.actor = "ann";
    it->op.note = "seen on the bill";
    ask(world, it);
}

static void adjust(struct sim_world *world)
{
    struct sim_op *it = new_op(world, QUOTA_ADJUST);

    if (it == NULL)
        return;
    it->op.meter = (uint32_t)rng_below(&world->rng, SIM_METERS);
    it->op.amount_milli = sim_between(&world->rng, -120, 120);
    it->op.actor = "ann";
    it->op.note = "the provider says so";
    ask(world, it);
}

static void set_subject(struct limit_rule *rule, const char *subject)
{
    rule->subject_size = (uint16_t)strlen(subject);
    snprintf(rule->subject, sizeof(rule->subject), "%s", subject);
}

static struct limit_rule random_rule(struct rng *rng)
{
    static const char *const subjects[LIMIT_SCOPES][3] = {
        [LIMIT_METER] = {"", "", ""},
        [LIMIT_USER] = {"", "ada", "bob"},
        [LIMIT_ENDPOINT] = {"", "/Select", "/Enrich"},
        [LIMIT_TENANT] = {"", "acme", "umbrella"},
        [LIMIT_SHARE] = {"", "", ""},
        [LIMIT_COOLDOWN] = {"", "report:", "report:22"},
    };
    static const int64_t amounts[] = {0, 20, 60, 100, 200, 300, 500, 1000};
    struct limit_rule rule = {
        .scope = (enum limit_scope)sim_between(rng, LIMIT_METER, LIMIT_COOLDOWN),
        .mode = (enum limit_mode)sim_between(rng, LIMIT_HARD, LIMIT_SHADOW),
        .meter = (uint32_t)rng_below(rng, SIM_METERS),
        .is_removed = sim_one_in(rng, 5),
    };

    if (sim_one_in(rng, 2))
        rule.mode = LIMIT_HARD;
    if (rule.scope == LIMIT_SHARE)
        rule.mode = LIMIT_HARD;
    if (rule.scope == LIMIT_COOLDOWN && rule.mode == LIMIT_SOFT)
        rule.mode = LIMIT_SHADOW;
    set_subject(&rule, subjects[rule.scope][rng_below(rng, 3)]);
    if (rule.scope == LIMIT_COOLDOWN)
        rule.cooldown_us = sim_between(rng, 1, 120) * SECOND_US;
    else
        rule.amount_milli = amounts[rng_below(rng, COUNT_OF(amounts))];
    if (rule.scope != LIMIT_METER || rule.mode != LIMIT_HARD)
        return rule;
    rule.amount_milli = amounts[3 + rng_below(rng, COUNT_OF(amounts) - 3)];
    if (sim_one_in(rng, 3))
        rule.anchor_day = (uint8_t)sim_between(rng, 1, 31);
    if (sim_one_in(rng, 3)) {
        rule.threshold_count = 2;
        rule.thresholds[0] = (uint8_t)sim_between(rng, 10, 60);
        rule.thresholds[1] = (uint8_t)sim_between(rng, 61, 100);
    }
    return rule;
}

static void set_limit(struct sim_world *world, const struct limit_rule *rule)
{
    struct sim_op *it = new_op(world, QUOTA_SET_LIMIT);

    if (it == NULL)
        return;
    it->rule = *rule;
    it->op.rule = &it->rule;
    it->op.actor = "ann";
    it->op.note = "";
    ask(world, it);
}

/* Up, used and down again, in one batch when it happens to. */
static void change_limits(struct sim_world *world)
{
    struct rng *rng = &world->rng;
    struct limit_rule rule = random_rule(rng);

    set_limit(world, &rule);
    if (rule.scope == LIMIT_COOLDOWN || !sim_one_in(rng, 3))
        return;
    for (unsigned i = 0; i < 4; i++) {
        rule.amount_milli = i % 2 == 0 ? 1000 : sim_between(rng, 0, 100);
        set_limit(world, &rule);
        reserve(world);
    }
}

/* ---- again ----------------------------------------------------------------------------- */

/* The same once more, now and then as something else under the same id. */
void sim_callers_repeat(struct sim_world *world, unsigned at_op)
{
    ask(world, &world->callers.ops[at_op]);
}

static void repeat_some(struct sim_world *world)
{
    struct sim_callers *callers = &world->callers;
    struct rng *rng = &world->rng;
    struct sim_op *it;
    struct quota_op other;

    if (callers->count == 0)
        return;
    it =
        &callers
             ->ops[callers->count - 1 -
                   rng_below(rng, sim_one_in(rng, 3) || callers->count < 16 ? callers->count
                                                                            : 16)];
    if (it->op.kind == QUOTA_SET_LIMIT)
        return; /* has no op id */
    if (!sim_one_in(rng, 5)) {
        ask(world, it);
        return;
    }
    it->bodies++;
    other = it->op;
    other.amount_milli += other.kind == QUOTA_RESERVE || other.kind == QUOTA_SETTLE;
    set_hash(&other, ++callers->next_body);
    sim_world_request(world, &other, (unsigned)(it - callers->ops));
}

void sim_callers_step(struct sim_world *world)
{
    switch (rng_below(&world->rng, 20)) {
    case 0:
        change_limits(world);
        break;
    case 1:
        if (sim_one_in(&world->rng, 2))
            adjust(world);
        else
            correct(world);
        break;
    case 2:
    case 3:
    case 4:
    case 5:
        repeat_some(world);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
        settle_or_void(world);
        break;
    default:
        reserve(world);
    }
}

void sim_callers_clear(struct sim_world *world)
{
    int64_t apart_us = sim_one_in(&world->rng, 8) ? 70 * SECOND_US : 1 * SECOND_US;

    world->callers.count = 0;
    world->callers.next_body = 0;
    for (unsigned i = 0; i < SIM_CALLERS; i++)
        world->callers.wall_offset_us[i] = sim_between(&world->rng, -apart_us, apart_us);
}

/* ---- what is told ---------------------------------------------------------------------- */

static bool is_same_body(const struct quota_op *op, const uint8_t *hash)
{
    return memcmp(op->body_hash, hash, sizeof(op->body_hash)) == 0;
}

/* Refusals are in memory alone: a writer does not know those of ids whose maker's clock is
 * ahead of the one it opened the ledger by. */
static bool may_be_forgotten(struct sim_world *world, const struct quota_op *op)
{
    const struct sim_event *event = sim_ledger_find(&world->ledger, &op->op_id);
    int64_t opened_us = world->ledger.opened_wall_us[event->epoch];

    return op_id_time_us(&op->op_id) >= opened_us - opened_us % 1000;
}

static void check_done_event(struct sim_world *world, const struct quota_op *op,
                             const struct quota_answer *answer)
{
    const struct sim_event *event = sim_ledger_find(&world->ledger, &op->op_id);
    const struct quota_row *row;

    SIM_CHECK(event != NULL, "told as done, and not in the ledger");
    row = &event->row;
    SIM_CHECK(is_same_body(op, row->body_hash), "told as done, with another body");
    SIM_CHECK(row->kind == op->kind || (row->kind == QUOTA_CORRECT && answer->corrected) ||
                  op->kind == QUOTA_CORRECT,
              "told as done, as another kind");
    if (op->kind == QUOTA_RESERVE)
        SIM_CHECK(row->expires_at_us == answer->expires_at_us &&
                      row->amount_milli == op->amount_milli,
                  "a reservation is not what was told");
    else
        SIM_CHECK(answer->posted_milli == (op->kind == QUOTA_VOID ? 0 : op->amount_milli),
                  "told %lld milli as posted, asked for %lld",
                  (long long)answer->posted_milli, (long long)op->amount_milli);
}

static void told_done(struct sim_world *world, const struct quota_op *op, struct sim_op *it,
                      const struct quota_answer *answer)
{
    if (op->kind == QUOTA_SET_LIMIT) {
        SIM_CHECK(world->ledger.rule_count > 0 &&
                      world->ledger.rules[world->ledger.rule_count - 1].version >=
                          answer->limit_version,
                  "a limit was told as set, and is not in the ledger");
        return;
    }
    check_done_event(world, op, answer);
    SIM_CHECK(!it->was_refused || may_be_forgotten(world, op),
              "refused, and granted later");
    if (!it->was_done) {
        it->was_done = true;
        it->done = *answer;
        memcpy(it->done_hash, op->body_hash, sizeof(it->done_hash));
        return;
    }
    SIM_CHECK(answer->expires_at_us == it->done.expires_at_us &&
                  answer->posted_milli == it->done.posted_milli &&
                  answer->overage_milli == it->done.overage_milli &&
                  answer->corrected == it->done.corrected &&
                  answer->meter.meter == it->done.meter.meter &&
                  answer->meter.period.start_us == it->done.meter.period.start_us,
              "the same operation was answered in two ways");
}

static bool was_closed(struct sim_world *world, const struct quota_op *op)
{
    for (size_t i = 0; i < world->ledger.event_count; i++) {
        const struct quota_row *row = &world->ledger.events[i].row;

        if (op_id_equal(&row->reservation_id, &op->reservation_id) &&
            row->kind != QUOTA_RESERVE)
            return true;
    }
    return false;
}

/* Of a period that may have been retired, nothing is known any more. */
static bool is_known(struct sim_world *world, const struct sim_writer *w,
                     const struct quota_op *op)
{
    const struct sim_event *event = sim_ledger_find(&world->ledger, &op->reservation_id);

    return event != NULL && event->row.kind == QUOTA_RESERVE &&
           event->row.period_start_us >
               quota_core_now_us(w->core) - QUOTA_CORE_OP_ID_AGE_US;
}

/* Anything but done: the ledger has no event of the id, or another body. */
static void told_no(struct sim_world *world, const struct sim_writer *w,
                    const struct quota_op *op, struct sim_op *it,
                    const struct quota_answer *answer)
{
    const struct sim_event *event = sim_ledger_find(&world->ledger, &op->op_id);
    bool is_in_ledger = event != NULL && is_same_body(op, event->row.body_hash);

    switch (answer->verdict) {
    case QUOTA_OP_ID_TIME:
        return;
    case QUOTA_OP_ID_REUSED:
        SIM_CHECK(it->bodies > 1, "an op id is said to be reused, and was not");
        break;
    case QUOTA_REFUSED:
        it->was_refused = true;
        break;
    case QUOTA_OP_ID_STALE:
        SIM_CHECK(op->kind == QUOTA_RESERVE, "stale, and no reservation");
        break;
    case QUOTA_ALREADY_SETTLED:
        SIM_CHECK(was_closed(world, op), "said to be settled already, and is not");
        break;
    case QUOTA_NO_RESERVATION:
        SIM_CHECK(!is_known(world, w, op), "no reservation, and the ledger has it");
        break;
    default:
        break;
    }
    SIM_CHECK(!is_in_ledger, "done, and told otherwise: verdict %d", (int)answer->verdict);
}

void sim_callers_told(struct sim_world *world, const struct sim_writer *w,
                      const struct quota_op *op, unsigned at_op,
                      const struct quota_answer *answer)
{
    struct sim_op *it = &world->callers.ops[at_op];

    it->was_answered = true;
    sim_world_note(world, &op->op_id, sizeof(op->op_id));
    sim_world_note(world, &answer->verdict, sizeof(answer->verdict));
    if (answer->verdict == QUOTA_DONE)
        told_done(world, op, it, answer);
    else if (w->epoch == world->ledger.epoch)
        told_no(world, w, op, it, answer);
}
