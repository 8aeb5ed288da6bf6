/*
 * sim_mail.h - everything that is under way: requests of callers, and calls to the ledger
 * with their replies. What is due first is delivered first.
 */
#ifndef SIM_MAIL_H
#define SIM_MAIL_H

#include "quota_core.h"
#include "sim.h"
#include "sim_ledger.h"

#define SIM_CALLS_MAX    48
#define SIM_REQUESTS_MAX 100
#define SIM_MAIL_MAX     (SIM_REQUESTS_MAX + 2 * SIM_CALLS_MAX)

/* One presentation of an operation. */
struct sim_request {
    struct quota_op op;
    struct quota_answer answer;
    unsigned at_op; /* whose it is: index of the callers' list */
    bool is_used;
};

enum sim_call_kind { SIM_OPEN, SIM_COMMIT, SIM_GET_BATCH, SIM_LOOK_UP, SIM_LIST_OPEN };

/* A call to the ledger; the ledger fills in what it answers. */
struct sim_call {
    enum sim_call_kind kind;
    unsigned writer;
    uint64_t incarnation; /* of the writer: a later one does not hear the reply */
    uint64_t serial;
    uint64_t epoch;
    struct quota_batch batch; /* COMMIT: a copy; GET_BATCH: its number */
    struct sim_lookup lookup;
    struct op_id after; /* LIST_OPEN */
    bool is_used;
    unsigned refs;    /* pieces of mail that have it */
    bool is_given_up; /* its writer does not hear the reply */
    /* the reply */
    enum sim_commit outcome;
    bool is_committed;
    uint64_t ledger_epoch;
    uint64_t last_batch;
    struct sim_found found;
};

enum sim_mail_kind {
    SIM_MAIL_REQUEST, /* to a writer */
    SIM_MAIL_CALL,    /* reaches the ledger */
    SIM_MAIL_REPLY,   /* of the ledger, to a writer */
    SIM_MAIL_LOST,    /* the same call is given up by its writer */
};

struct sim_mail {
    int64_t at_us;
    enum sim_mail_kind kind;
    unsigned writer;
    struct sim_request *request;
    struct sim_call *call;
};

struct sim_post {
    unsigned count;
    struct sim_mail mail[SIM_MAIL_MAX];
    struct sim_request requests[SIM_REQUESTS_MAX];
    struct sim_call calls[SIM_CALLS_MAX];
    struct quota_row *rows; /* of the calls' batches */
};

void sim_post_init(struct sim_post *post);
void sim_post_done(struct sim_post *post);
void sim_post_clear(struct sim_post *post);

/* NULL: too many are under way. */
struct sim_request *sim_post_request(struct sim_post *post);
struct sim_call *sim_post_call(struct sim_post *post);
void sim_post_release(struct sim_call *call);

void sim_post_send(struct sim_post *post, const struct sim_mail *mail);
/* INT64_MAX: nothing is under way. */
int64_t sim_post_next_us(const struct sim_post *post);
bool sim_post_take(struct sim_post *post, int64_t now_us, struct sim_mail *out);
/* A machine that sleeps hears nothing until then. */
void sim_post_delay(struct sim_post *post, unsigned writer, int64_t until_us);

void sim_batch_copy(struct quota_batch *to, const struct quota_batch *from);

#endif /* SIM_MAIL_H */
