#include "rpc/dispatch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/parse.h"
#include "rpc/frame.h"
#include "rpc/payload.h"

#define BEARER_MAX         4096
#define METHOD_MAX         255
#define KEY_MAX            64
#define TRACEPARENT_MAX    128
#define METADATA_BYTES_MAX 8192
#define TIMEOUT_MAX_US     ((uint64_t)3600 * 1000 * 1000)

struct step {
    struct rpc_dispatcher *dispatcher;
    struct rpc_job *job;
    const uint8_t *bytes;
    size_t size;
    struct error *err;
};

static enum status read_envelope(const struct step *step)
{
    struct rpc_job *job = step->job;
    enum status st = rpc_frame_read_request(&job->request, &job->version, step->bytes,
                                            step->size, &job->arena, step->err);

    if (st != ST_OK)
        return st;
    job->call.method = job->request->method;
    if (!op_id_from_bytes(&job->call.call_id, job->request->call_id.data,
                          job->request->call_id.len))
        return error_field(step->err, "call_id", "call_id is 16 bytes");
    return ST_OK;
}

static enum status check_version(const struct step *step)
{
    if (step->job->version == RPC_FRAME_VERSION)
        return ST_OK;
    return error_set(step->err, ST_UNIMPLEMENTED,
                     "protocol version %u is not spoken here, version %d is",
                     (unsigned)step->job->version, RPC_FRAME_VERSION);
}

static bool is_lower_key(const char *key)
{
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

    return length > 0 && key[length] == '\0';
}

static enum status check_metadata(const struct step *step)
{
    const Metercache__V1__Request *request = step->job->request;
    size_t size = 0;

    for (size_t i = 0; i < request->n_metadata; i++) {
        if (!is_lower_key(request->metadata[i]->key))
            return error_field(step->err, "metadata.key",
                               "metadata keys are lower-case letters, digits, '-_.'");
        size += strlen(request->metadata[i]->key) + request->metadata[i]->value.len;
    }
    if (size > METADATA_BYTES_MAX)
        return error_field(step->err, "metadata", "metadata is larger than %d bytes",
                           METADATA_BYTES_MAX);
    return ST_OK;
}

static enum status check_shape(const struct step *step)
{
    const Metercache__V1__Request *request = step->job->request;
    struct rpc_call *call = &step->job->call;

    if (strlen(request->method) > METHOD_MAX)
        return error_field(step->err, "method", "method is longer than %d bytes",
                           METHOD_MAX);
    if (request->idempotency_key.len > KEY_MAX)
        return error_field(step->err, "idempotency_key",
                           "idempotency key is longer than %d bytes", KEY_MAX);
    if (strlen(request->traceparent) > TRACEPARENT_MAX)
        return error_field(step->err, "traceparent", "traceparent is longer than %d bytes",
                           TRACEPARENT_MAX);
    call->attempt = request->attempt == 0 ? 1 : request->attempt;
    call->traceparent = request->traceparent;
    call->is_dry_run =
        (request->flags & (1u << METERCACHE__V1__REQUEST_FLAG__REQUEST_FLAG_DRY_RUN)) != 0;
    call->priority = (unsigned)request->priority;
    if (call->priority == METERCACHE__V1__PRIORITY__PRIORITY_UNSPECIFIED ||
        call->priority > METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL)
        call->priority = METERCACHE__V1__PRIORITY__PRIORITY_DEFAULT;
    return check_metadata(step);
}

/* The user a call is for: a caller names itself, or its role lets it act for others. */
static enum status check_user(const struct step *step, struct rpc_identity *caller)
{
    const char *user = step->job->request->auth->on_behalf_of;

    if (user[0] == '\0')
        return ST_OK;
    if (strlen(user) >= sizeof(caller->user))
        return error_field(step->err, "auth.on_behalf_of", "user is longer than %d bytes",
                           RPC_SUBJECT_SIZE - 1);
    if (caller->role != RPC_ROLE_SERVICE && strcmp(user, caller->subject) != 0)
        return error_set(step->err, ST_DENIED, "role '%s' may not act for user '%s'",
                         rpc_role_name(caller->role), user);
    snprintf(caller->user, sizeof(caller->user), "%s", user);
    return ST_OK;
}

static enum status authenticate(const struct step *step)
{
    const Metercache__V1__Auth *auth = step->job->request->auth;
    const struct rpc_dispatcher *dispatcher = step->dispatcher;
    struct rpc_identity *caller = &step->job->call.caller;
    enum status st;

    if (auth == NULL || auth->bearer.len == 0)
        return error_set(step->err, ST_UNAUTHENTICATED, "no token was sent");
    if (auth->bearer.len > BEARER_MAX || dispatcher->authenticate == NULL)
        return error_set(step->err, ST_UNAUTHENTICATED, "the token is not known");
    st = dispatcher->authenticate(dispatcher->authenticate_context, auth->bearer.data,
                                  auth->bearer.len, caller, step->err);
    if (st != ST_OK) {
        caller->role = RPC_ROLE_NONE;
        return st;
    }
    return check_user(step, caller);
}

/*
 * Who calls, and what. Strangers may call public methods alone, also with a token that has
 * expired; to them all other methods look the same, whether they exist or not.
 */
static enum status identify(const struct step *step)
{
    struct rpc_job *job = step->job;
    enum status st = authenticate(step);

    job->entry = rpc_registry_find(step->dispatcher->registry, job->request->method);
    if (job->entry != NULL && job->entry->row != NULL &&
        (job->entry->row->roles & RPC_ROLES_PUBLIC) != 0)
        return ST_OK;
    return st;
}

static enum status check_method(const struct step *step)
{
    struct rpc_job *job = step->job;

    if (job->entry == NULL)
        return error_set(step->err, ST_UNIMPLEMENTED, "no method '%s' here",
                         job->request->method);
    job->call.method = job->entry->full_name;
    if (job->entry->row == NULL)
        return error_set(step->err, ST_UNIMPLEMENTED, "method '%s' is not implemented",
                         job->entry->full_name);
    return ST_OK;
}

static enum status authorise(const struct step *step)
{
    const struct rpc_method *row = step->job->entry->row;
    enum rpc_role role = step->job->call.caller.role;

    if ((row->roles & (RPC_ROLES_PUBLIC | (uint32_t)role)) != 0)
        return ST_OK;
    error_set(step->err, ST_DENIED, "role '%s' may not call '%s'", rpc_role_name(role),
              step->job->entry->full_name);
    return error_reason(step->err, "ROLE");
}

static enum status check_deadline(const struct step *step)
{
    struct rpc_job *job = step->job;
    uint64_t timeout_us = job->request->timeout_us;

    if (timeout_us == 0)
        timeout_us = step->dispatcher->default_timeout_us;
    if (timeout_us > TIMEOUT_MAX_US)
        timeout_us = TIMEOUT_MAX_US;
    job->call.deadline_us = job->received_us + timeout_us;
    if (clock_mono_us() < job->call.deadline_us)
        return ST_OK;
    return error_set(step->err, ST_DEADLINE, "the deadline had passed on arrival");
}

static enum status admit(const struct step *step)
{
    struct rpc_job *job = step->job;
    enum status st;

    if (atomic_load_explicit(&step->dispatcher->is_draining, memory_order_acquire)) {
        error_set(step->err, ST_UNAVAILABLE, "server drains");
        return error_reason(step->err, "DRAINING");
    }
    if (!job->connection_has_room) {
        error_set(step->err, ST_EXHAUSTED, "too many requests in flight on one connection");
        step->err->retry_after_ms = RPC_ADMISSION_RETRY_MS;
        return error_reason(step->err, "CONNECTION_LIMIT");
    }
    st = rpc_admission_enter(step->dispatcher->admission, job->call.priority, step->err);
    job->is_admitted = st == ST_OK;
    return st;
}

static enum status open_payload(const struct step *step)
{
    const Metercache__V1__Request *request = step->job->request;

    return rpc_payload_open(&step->job->payload, &step->job->payload_size,
                            request->encoding, request->payload.data, request->payload.len,
                            step->dispatcher->request_bytes, &step->job->arena, step->err);
}

static enum status claim_key(const struct step *step)
{
    struct rpc_job *job = step->job;
    struct rpc_idempotency_claim claim;
    struct rpc_idempotency_request request = {
        .subject = job->call.caller.subject,
        .user = job->call.caller.user,
        .method = job->entry->full_name,
        .key = job->request->idempotency_key.data,
        .key_size = job->request->idempotency_key.len,
        .payload = job->payload,
        .payload_size = job->payload_size,
    };
    enum status st;

    if (request.key_size == 0 || job->call.is_dry_run)
        return ST_OK;
    st = rpc_idempotency_begin(&claim, step->dispatcher->idempotency, &request,
                               job->received_us, &job->arena, step->err);
    if (st != ST_OK)
        return st;
    job->claim = claim.entry;
    job->replayed = claim.entry == NULL;
    job->stored = claim.answer;
    job->stored_size = claim.answer_size;
    return ST_OK;
}

/* The order of rpc.md. A cancel frame ends after identify. */
static enum status (*const IDENTIFYING[])(const struct step *) = {
    read_envelope,
    check_version,
    check_shape,
};
static enum status (*const ADMITTING[])(const struct step *) = {
    identify, check_method, authorise, check_deadline, admit, open_payload, claim_key,
};

static enum status take_steps(const struct step *step,
                              enum status (*const *steps)(const struct step *),
                              size_t count)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < count && st == ST_OK; i++)
        st = steps[i](step);
    return st;
}

/* Only who made a call may give it up: the token's id has to be the same. */
static enum status cancel(const struct step *step)
{
    enum status st = authenticate(step);

    if (st == ST_OK)
        rpc_jobs_cancel(step->dispatcher->jobs, &step->job->call.call_id,
                        &step->job->call.caller);
    return st;
}

enum rpc_verdict rpc_dispatch_request(struct rpc_dispatcher *dispatcher,
                                      struct rpc_job *job, const uint8_t *bytes,
                                      size_t size)
{
    struct step step = {dispatcher, job, bytes, size, &job->outcome};
    enum status st = take_steps(&step, IDENTIFYING, COUNT_OF(IDENTIFYING));

    job->call.service = dispatcher->service;
    if (st == ST_OK && job->request->cancel) {
        job->outcome.status = cancel(&step);
        return RPC_VERDICT_ANSWER;
    }
    if (st == ST_OK)
        st = take_steps(&step, ADMITTING, COUNT_OF(ADMITTING));
    job->outcome.status = st; /* a public method forgives what authenticate wrote there */
    if (job->replayed)
        job->executed = true;
    if (st != ST_OK || job->replayed)
        return RPC_VERDICT_ANSWER;
    return (job->entry->row->flags & RPC_INLINE) != 0 ? RPC_VERDICT_INLINE
                                                      : RPC_VERDICT_QUEUE;
}

/* Decode the request and make the reply; what fails here has not been executed. */
static enum status prepare(struct rpc_job *job)
{
    const ProtobufCMessageDescriptor *output = job->entry->method->output;
    enum status st;

    if (rpc_call_is_cancelled(&job->call))
        return error_set(&job->outcome, ST_CANCELLED, "the caller gave up");
    if (clock_mono_us() >= job->call.deadline_us)
        return error_set(&job->outcome, ST_DEADLINE, "no time left when its turn came");
    if (job->input == NULL) {
        st = rpc_frame_decode(&job->input, job->entry->method->input, job->payload,
                              job->payload_size, &job->arena, &job->outcome);
        if (st != ST_OK)
            return st;
        job->output = arena_alloc(&job->arena, output->sizeof_message);
        if (job->output == NULL)
            return error_set(&job->outcome, ST_EXHAUSTED, "request leaves no room to work");
    }
    output->message_init(job->output);
    return ST_OK;
}

/* A handler's status and its error agree, and both can go over the wire. */
static void take_outcome(struct rpc_job *job, enum status st)
{
    if (st < ST_OK || st >= STATUS_COUNT)
        error_set(&job->outcome, ST_INTERNAL, "handler returned status %d", (int)st);
    else if (st == ST_OK)
        job->outcome.status = ST_OK;
    else if (job->outcome.status != st)
        error_set(&job->outcome, st, "%s", status_name(st));
}

bool rpc_dispatch_run(struct rpc_job *job)
{
    enum status st = prepare(job);

    if (st != ST_OK)
        return true;
    if (job->started_us == 0)
        job->started_us = clock_mono_us();
    job->executed = true;
    job->outcome.status = ST_OK;
    st = job->entry->row->handler(&job->call, job->input, job->output, &job->outcome);
    if (st == RPC_DEFERRED) {
        switch (rpc_jobs_park(job)) {
        case RPC_PARKING_STAY:
            return false;
        case RPC_PARKING_ANSWER:
            return true;
        case RPC_PARKING_RUN:
            job->jobs->owner.run(job->jobs->owner.context, job);
            return false;
        }
    }
    take_outcome(job, st);
    return true;
}
