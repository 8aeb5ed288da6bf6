#include "sim_mail.h"

#include <string.h>

#include "core/mem.h"

void sim_post_init(struct sim_post *post)
{
    post->rows = mem_alloc_array(SIM_CALLS_MAX * BATCH_ROWS_MAX, sizeof(*post->rows));
    for (unsigned i = 0; i < SIM_CALLS_MAX; i++)
        post->calls[i].batch.rows = post->rows + i * BATCH_ROWS_MAX;
}

void sim_post_done(struct sim_post *post)
{
    mem_free(post->rows);
}

void sim_post_clear(struct sim_post *post)
{
    post->count = 0;
    for (unsigned i = 0; i < SIM_REQUESTS_MAX; i++)
        post->requests[i].is_used = false;
    for (unsigned i = 0; i < SIM_CALLS_MAX; i++)
        post->calls[i].is_used = false;
}

struct sim_request *sim_post_request(struct sim_post *post)
{
    for (unsigned i = 0; i < SIM_REQUESTS_MAX; i++) {
        if (!post->requests[i].is_used) {
            post->requests[i].is_used = true;
            return &post->requests[i];
        }
    }
    return NULL;
}

struct sim_call *sim_post_call(struct sim_post *post)
{
    for (unsigned i = 0; i < SIM_CALLS_MAX; i++) {
        struct sim_call *call = &post->calls[i];

        if (!call->is_used) {
            call->is_used = true;
            call->is_given_up = false;
            call->refs = 0;
            return call;
        }
    }
    sim_fail("more calls to the ledger than there can be");
}

void sim_post_release(struct sim_call *call)
{
    if (--call->refs == 0)
        call->is_used = false;
}

void sim_post_send(struct sim_post *post, const struct sim_mail *mail)
{
    SIM_CHECK(post->count < SIM_MAIL_MAX, "too much mail");
    post->mail[post->count++] = *mail;
    if (mail->call != NULL)
        mail->call->refs++;
}

int64_t sim_post_next_us(const struct sim_post *post)
{
    int64_t next_us = INT64_MAX;

    for (unsigned i = 0; i < post->count; i++) {
        if (post->mail[i].at_us < next_us)
            next_us = post->mail[i].at_us;
    }
    return next_us;
}

bool sim_post_take(struct sim_post *post, int64_t now_us, struct sim_mail *out)
{
    int64_t next_us = sim_post_next_us(post);
    unsigned at = 0;

    if (post->count == 0 || next_us > now_us)
        return false;
    while (post->mail[at].at_us != next_us)
        at++;
    *out = post->mail[at];
    post->count--;
    memmove(&post->mail[at], &post->mail[at + 1],
            (post->count - at) * sizeof(post->mail[0]));
    return true;
}

void sim_post_delay(struct sim_post *post, unsigned writer, int64_t until_us)
{
    for (unsigned i = 0; i < post->count; i++) {
        struct sim_mail *mail = &post->mail[i];

        if (mail->kind != SIM_MAIL_CALL && mail->writer == writer && mail->at_us < until_us)
            mail->at_us = until_us;
    }
}

void sim_batch_copy(struct quota_batch *to, const struct quota_batch *from)
{
    struct quota_row *rows = to->rows;

    *to = *from;
    to->rows = rows;
    memcpy(rows, from->rows, from->row_count * sizeof(*rows));
}
