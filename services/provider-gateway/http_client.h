/*
 * http_client.h - the only user of libcurl: one locked-down way to ask a provider.
 *
 * One thread drives one curl multi handle with pooled connections (HTTP/2 over TLS); any
 * number of threads submit a request and wait. Redirects, proxies, cookies, alt-svc and
 * netrc are off; TLS is verified; the address really dialled is checked (address.h); the
 * decoded body and the headers are capped; a deadline bounds everything.
 *
 * A request goes out at most once. curl would silently repeat one whose pooled connection
 * died, which could buy a report twice: the second attempt is refused, and the answer is
 * TRANSPORT_SENT_UNKNOWN. TRANSPORT_NOT_SENT is said only when curl never had a connection
 * ready to write the request to.
 *
 * Threads: open and close from one thread; perform from any, not once close has returned.
 */
#ifndef GATEWAY_HTTP_CLIENT_H
#define GATEWAY_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/error.h"
#include "outcome.h"

#define HTTP_HEADERS_MAX 8

struct http_client;

struct http_client_options {
    size_t response_bytes; /* of a decoded body */
    unsigned connections_per_host;
    uint64_t connect_timeout_ms;
    const char
        *ca_file; /* PEM; NULL or "": the system's. Borrowed while the client lives */
};

/* "name: prefix value"; the line's copies are wiped after the transfer. */
struct http_header {
    const char *name;
    const char *prefix; /* "" or such as "Bearer " */
    const char *value;
};

/* Borrowed until http_client_perform returns. */
struct http_request {
    const char *url;  /* from url.h */
    const char *body; /* NULL: GET; else POST of JSON */
    size_t body_size;
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t header_count;
    bool to_loopback;     /* plain http allowed, and no address but loopback */
    uint64_t deadline_us; /* monotonic */
};

/* Zero before use; finish with http_response_done. */
struct http_response {
    enum transport transport;
    bool timed_out;
    bool is_too_large;   /* what came was cut off; `status` stands */
    unsigned status;     /* of the last response seen, 0: none, also when not ANSWERED */
    struct buf headers;  /* its header lines, CRLF-ended */
    struct buf body;     /* decoded; complete only when ANSWERED */
    const char *problem; /* what went wrong; static; "" when ANSWERED */
};

MUST_USE enum status http_client_open(struct http_client **out,
                                      const struct http_client_options *options,
                                      struct error *err);
/* Ends requests in flight and waits until their callers have left. Accepts NULL. */
void http_client_close(struct http_client *client);

/* Ask and wait, until request->deadline_us at most. */
void http_client_perform(struct http_client *client, const struct http_request *request,
                         struct http_response *response);

void http_response_done(struct http_response *response);

/* Copy a header's value, trimmed; false (and "") when it is missing or does not fit. */
bool http_response_header(const struct http_response *response, const char *name, char *out,
                          size_t size);
/* Content-Type is application/json or application/...+json. */
bool http_response_is_json(const struct http_response *response);

#endif /* GATEWAY_HTTP_CLIENT_H */
