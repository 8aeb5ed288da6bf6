#include "rpc/details.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "metercache/v1/status.pb-c.h"
#include "rpc/frame.h"

#define TYPE_PREFIX   "type.googleapis.com/google.rpc."
#define DETAILS_MAX   4
#define MS_PER_SECOND 1000u
#define NS_PER_MS     1000000

/* A text member of a message to be packed; protobuf-c wants it without const. */
static char *text(const char *value)
{
    union {
        const char *in;
        char *out;
    } both = {.in = value};

    return both.out;
}

static void add_detail(Metercache__V1__Response *response, struct arena *arena,
                       const char *type_url, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    Metercache__V1__Detail *detail = arena_alloc(arena, sizeof(*detail));
    uint8_t *bytes = arena_alloc(arena, size);

    if (response->details == NULL)
        response->details = arena_alloc_array(arena, DETAILS_MAX, sizeof(detail));
    if (detail == NULL || bytes == NULL || response->details == NULL)
        return;
    protobuf_c_message_pack(message, bytes);
    metercache__v1__detail__init(detail);
    detail->type_url = text(type_url);
    detail->value = (ProtobufCBinaryData){size, bytes};
    response->details[response->n_details++] = detail;
}

static void write_error_info(Metercache__V1__Response *response, const struct error *err,
                             struct arena *arena)
{
    Metercache__V1__ErrorInfo info = METERCACHE__V1__ERROR_INFO__INIT;

    info.reason = text(err->reason);
    info.domain = text("metercache");
    add_detail(response, arena, TYPE_PREFIX "ErrorInfo", &info.base);
}

static void write_retry_info(Metercache__V1__Response *response, const struct error *err,
                             struct arena *arena)
{
    Metercache__V1__Duration delay = METERCACHE__V1__DURATION__INIT;
    Metercache__V1__RetryInfo info = METERCACHE__V1__RETRY_INFO__INIT;

    delay.seconds = (int64_t)(err->retry_after_ms / MS_PER_SECOND);
    delay.nanos = (int32_t)(err->retry_after_ms % MS_PER_SECOND) * NS_PER_MS;
    info.retry_delay = &delay;
    add_detail(response, arena, TYPE_PREFIX "RetryInfo", &info.base);
}

static char *describe_violation(const struct error_violation *violation,
                                struct arena *arena)
{
    char resets[CLOCK_TEXT_SIZE];
    int64_t left = violation->left_milli;

    clock_format_utc(resets, violation->resets_at_us);
    return arena_printf(arena, "left %s%" PRId64 ".%03" PRId64 " credits%s%s",
                        left < 0 ? "-" : "", left < 0 ? -(left / 1000) : left / 1000,
                        left < 0 ? -(left % 1000) : left % 1000,
                        violation->resets_at_us == 0 ? "" : ", resets ",
                        violation->resets_at_us == 0 ? "" : resets);
}

static void write_quota_failure(Metercache__V1__Response *response, const struct error *err,
                                struct arena *arena)
{
    Metercache__V1__QuotaFailure failure = METERCACHE__V1__QUOTA_FAILURE__INIT;
    Metercache__V1__QuotaFailure__Violation rows[ERROR_VIOLATIONS_MAX];
    Metercache__V1__QuotaFailure__Violation *pointers[ERROR_VIOLATIONS_MAX];

    for (size_t i = 0; i < err->violation_count && i < ERROR_VIOLATIONS_MAX; i++) {
        const struct error_violation *violation = &err->violations[i];
        char *description = describe_violation(violation, arena);

        metercache__v1__quota_failure__violation__init(&rows[i]);
        rows[i].subject = text(violation->subject);
        rows[i].description = description == NULL ? text("") : description;
        rows[i].left_milli = violation->left_milli;
        rows[i].resets_at_us = violation->resets_at_us;
        pointers[i] = &rows[i];
        failure.n_violations++;
    }
    failure.violations = pointers;
    add_detail(response, arena, TYPE_PREFIX "QuotaFailure", &failure.base);
}

static void write_bad_request(Metercache__V1__Response *response, const struct error *err,
                              struct arena *arena)
{
    Metercache__V1__BadRequest request = METERCACHE__V1__BAD_REQUEST__INIT;
    Metercache__V1__BadRequest__FieldViolation violation =
        METERCACHE__V1__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Metercache__V1__BadRequest__FieldViolation *pointer = &violation;

    violation.field = text(err->field);
    violation.description = text(err->message);
    request.n_field_violations = 1;
    request.field_violations = &pointer;
    add_detail(response, arena, TYPE_PREFIX "BadRequest", &request.base);
}

void rpc_details_write(Metercache__V1__Response *response, const struct error *err,
                       struct arena *arena)
{
    response->code = (uint32_t)err->status;
    response->message = text(err->message);
    response->retry_after_ms = err->retry_after_ms;
    if (err->reason[0] != '\0')
        write_error_info(response, err, arena);
    if (err->retry_after_ms > 0)
        write_retry_info(response, err, arena);
    if (err->violation_count > 0)
        write_quota_failure(response, err, arena);
    if (err->field[0] != '\0')
        write_bad_request(response, err, arena);
}

static void read_error_info(struct error *out, const ProtobufCMessage *message)
{
    error_reason(out, ((const Metercache__V1__ErrorInfo *)message)->reason);
}

static void read_retry_info(struct error *out, const ProtobufCMessage *message)
{
    const Metercache__V1__Duration *delay =
        ((const Metercache__V1__RetryInfo *)message)->retry_delay;

    if (delay == NULL || delay->seconds < 0 || delay->nanos < 0 ||
        delay->seconds > INT32_MAX)
        return;
    out->retry_after_ms =
        (uint64_t)delay->seconds * MS_PER_SECOND + (uint64_t)(delay->nanos / NS_PER_MS);
}

static void read_quota_failure(struct error *out, const ProtobufCMessage *message)
{
    const Metercache__V1__QuotaFailure *failure =
        (const Metercache__V1__QuotaFailure *)message;

    for (size_t i = 0; i < failure->n_violations; i++) {
        const Metercache__V1__QuotaFailure__Violation *row = failure->violations[i];

        error_add_violation(out, row->subject, row->left_milli, row->resets_at_us);
    }
}

static void read_bad_request(struct error *out, const ProtobufCMessage *message)
{
    const Metercache__V1__BadRequest *request = (const Metercache__V1__BadRequest *)message;
    struct error former = *out;

    if (request->n_field_violations == 0)
        return;
    /* error_field is the one way to a clean field; the rest is put back around it. */
    (void)error_field(out, request->field_violations[0]->field, "%s", former.message);
    memcpy(former.field, out->field, sizeof(former.field));
    *out = former;
}

static const struct {
    const char *type_url;
    const ProtobufCMessageDescriptor *type;
    void (*read)(struct error *out, const ProtobufCMessage *message);
} READERS[] = {
    {TYPE_PREFIX "ErrorInfo", &metercache__v1__error_info__descriptor, read_error_info},
    {TYPE_PREFIX "RetryInfo", &metercache__v1__retry_info__descriptor, read_retry_info},
    {TYPE_PREFIX "QuotaFailure", &metercache__v1__quota_failure__descriptor,
     read_quota_failure},
    {TYPE_PREFIX "BadRequest", &metercache__v1__bad_request__descriptor, read_bad_request},
};

static void read_detail(struct error *out, const Metercache__V1__Detail *detail,
                        struct arena *arena)
{
    struct error ignored = ERROR_NONE;

    for (size_t i = 0; i < COUNT_OF(READERS); i++) {
        ProtobufCMessage *message;

        if (strcmp(READERS[i].type_url, detail->type_url) != 0)
            continue;
        if (rpc_frame_decode(&message, READERS[i].type, detail->value.data,
                             detail->value.len, arena, &ignored) == ST_OK)
            READERS[i].read(out, message);
    }
}

void rpc_details_read(struct error *out, const Metercache__V1__Response *response,
                      struct arena *arena)
{
    if (response->code == 0) {
        *out = ERROR_NONE;
        return;
    }
    error_set(out,
              response->code > INT32_MAX ? ST_UNKNOWN
                                         : status_from_wire((int)response->code),
              "%s", response->message);
    for (size_t i = 0; i < response->n_details; i++)
        read_detail(out, response->details[i], arena);
    if (response->retry_after_ms > 0)
        out->retry_after_ms = response->retry_after_ms;
}
