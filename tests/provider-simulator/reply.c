#include <string.h>

#include "simulator.h"

/* The status that goes with each error code; the documentation leaves several open. */
static unsigned status_of(const char *code)
{
    static const struct {
        const char *code;
        unsigned status;
    } rows[] = {
        {"api_token_invalid", 401},     {"not_enough_credits", 402},
        {"feature_not_available", 403}, {"account_not_found", 404},
        {"handle_not_found", 404},      {"account_removed", 404},
        {"entity_not_found", 404},      {"internal_server_error", 500},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].status;
        }
    }
    return 400;
}

void reply_modash_status(struct reply *reply, unsigned status, const char *code,
                         const char *message)
{
    text_done(&reply->body);
    reply->status = status;
    text_append(&reply->body, "{\"error\":true,\"code\":");
    text_append_json(&reply->body, code);
    text_append(&reply->body, ",\"message\":");
    text_append_json(&reply->body, message);
    text_append(&reply->body, "}");
}

void reply_modash_error(struct reply *reply, const char *code, const char *message)
{
    reply_modash_status(reply, status_of(code), code, message);
}

void reply_clay_error(struct reply *reply, unsigned status, const char *message)
{
    text_done(&reply->body);
    reply->status = status;
    text_append(&reply->body, "{\"message\":");
    text_append_json(&reply->body, message);
    text_append(&reply->body, "}");
}
