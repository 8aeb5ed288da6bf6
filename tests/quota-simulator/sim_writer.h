/*
 * sim_writer.h - one process that may write the ledger: a core driven as writer*.c drives it.
 *
 *     DOWN -> OPENING -> SERVING <-> DOUBTING, and down again from each
 *
 * Everything it does is an answer to something that reached it: a request, a reply of the
 * ledger, or the time it asked to be woken at. What it sends goes into the world's post.
 */
#ifndef SIM_WRITER_H
#define SIM_WRITER_H

#include "quota_core.h"
#include "sim_mail.h"

enum sim_phase { SIM_DOWN, SIM_OPENING, SIM_SERVING, SIM_DOUBTING };

/* First in, first out. */
struct sim_queue {
    unsigned count;
    struct sim_request *items[SIM_REQUESTS_MAX];
};

struct sim_batch {
    struct quota_batch batch;
    struct sim_queue waiting;
};

struct sim_world;

struct sim_writer {
    struct sim_world *world;
    unsigned number;
    uint64_t incarnation;
    enum sim_phase phase;
    struct quota_core *core;
    uint64_t epoch;
    struct sim_batch batches[2];
    struct sim_batch *open;
    struct sim_batch *flying; /* or NULL */
    int64_t flying_since_us;
    struct sim_queue taken;
    struct sim_queue to_look_up;
    struct sim_queue looking_up;
    bool is_looking_up;
    struct sim_lookup lookup; /* being built */
    struct quota_needs needs[3];
    bool is_calling;
    uint64_t call_serial;
    int64_t retry_at_us; /* INT64_MAX: no retry is due */
    int64_t failed_us;   /* when a call failed last */
    /* open reservations, page by page */
    bool is_loading;
    bool is_paging;
    struct op_id page;
    uint64_t closed_before;
    int64_t page_at_us;
    /* the machine's clocks, against the world's */
    int64_t wall_offset_us;
    int64_t mono_offset_us;
    int64_t asleep_until_us;
};

void sim_writer_init(struct sim_writer *w, struct sim_world *world, unsigned number);
void sim_writer_done(struct sim_writer *w);
void sim_writer_clear(struct sim_writer *w);

/* Take a new epoch and serve. Its process is not running. */
void sim_writer_start(struct sim_writer *w);
/* Everything in memory is lost. */
void sim_writer_crash(struct sim_writer *w);

void sim_writer_request(struct sim_writer *w, struct sim_request *request);
/* is_lost: no answer came; the ledger may or may not have done it. */
void sim_writer_reply(struct sim_writer *w, const struct sim_call *call, bool is_lost);
void sim_writer_wake(struct sim_writer *w);
/* When it has to look again though nobody woke it; INT64_MAX: never. */
int64_t sim_writer_wake_us(const struct sim_writer *w);

struct quota_time sim_writer_time(const struct sim_writer *w);
/* Has it all it needs to close a reservation in time? */
bool sim_writer_is_able(const struct sim_writer *w);

/* ---- for sim_writer*.c alone ---- */

void sim_queue_append(struct sim_queue *queue, struct sim_request *request);
struct sim_request *sim_queue_take(struct sim_queue *queue);
void sim_writer_refuse(struct sim_writer *w, struct sim_queue *queue);
struct sim_call *sim_writer_new_call(struct sim_writer *w, enum sim_call_kind kind);

void sim_writer_look_up(struct sim_writer *w);
void sim_writer_found(struct sim_writer *w, const struct sim_call *call, bool is_lost);
void sim_writer_load(struct sim_writer *w);
void sim_writer_page(struct sim_writer *w, const struct sim_call *call, bool is_lost);

#endif /* SIM_WRITER_H */
