/*
 * reservations.h - what is reserved and not settled yet, and what was closed lately.
 *
 * A fixed pool with an index by id, a heap by deadline for the held ones, and a first-in
 * first-out list of closed ones, so that a repeated or late settle mostly needs no look-up
 * in the ledger. Closed ones are forgotten oldest first; held ones never are.
 *
 * held -> posted | voided | lapsed | unknown; lapsed, unknown -> corrected (once). Nothing
 * else happens.
 *
 * No allocation after reservations_init. Not locked.
 */
#ifndef RESERVATIONS_H
#define RESERVATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/op_id.h"
#include "id_index.h"
#include "purpose.h"
#include "texts.h"

enum reservation_state {
    RESERVATION_FREE,
    RESERVATION_HELD,
    RESERVATION_POSTED,
    RESERVATION_VOIDED,
    RESERVATION_LAPSED,  /* nobody settled by the deadline: presumed spent */
    RESERVATION_UNKNOWN, /* settled as sent without a definite answer: presumed spent */
    RESERVATION_CORRECTED,
};

struct reservation {
    struct op_id id;      /* first: the index reads it there */
    int64_t amount_milli; /* held */
    int64_t posted_milli; /* once closed */
    int64_t expires_at_us;
    int64_t period_start_us;
    uint64_t batch;     /* the last one that changed it */
    uint32_t text;      /* its packed purpose */
    uint32_t heap_at;   /* while held */
    uint32_t next_free; /* while free */
    uint16_t text_size;
    uint8_t meter;
    uint8_t state;
};

struct reservations {
    struct reservation *slots;
    uint32_t slot_count;
    uint32_t untouched; /* slots from here on were never used */
    uint32_t first_free;
    uint32_t *heap; /* held ones, the earliest deadline first */
    uint32_t held_count;
    uint32_t held_limit;
    uint32_t *closed; /* ring, oldest at closed_head */
    uint32_t closed_head;
    uint32_t closed_count;
    uint32_t closed_limit;
    uint64_t closed_total; /* ever */
    struct id_index index;
    struct texts texts;
};

void reservations_init(struct reservations *pool, uint32_t held_limit,
                       uint32_t closed_limit);
void reservations_done(struct reservations *pool);
void reservations_clear(struct reservations *pool);

/* NULL when it is not known here. Pointers stay valid until the reservation is forgotten. */
struct reservation *reservations_find(const struct reservations *pool,
                                      const struct op_id *id);
/* A held one. `from` gives all fields but the pool's own; its id is not in the pool. NULL:
 * no room. */
struct reservation *reservations_add(struct reservations *pool,
                                     const struct reservation *from,
                                     const struct purpose *purpose);
/* To its next state; a bug aborts. */
void reservations_enter(struct reservations *pool, struct reservation *reservation,
                        enum reservation_state state);

/* The held one with the earliest (deadline, id); NULL when none is held. */
struct reservation *reservations_first_due(const struct reservations *pool);

void reservations_purpose(const struct reservations *pool,
                          const struct reservation *reservation, struct purpose *out);

#endif /* RESERVATIONS_H */
