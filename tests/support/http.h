/*
 * http.h - the least HTTP client that talks to the simulator and to ops pages: plain
 * sockets, one request a connection, answers of known length or until the end.
 *
 * Threads: any.
 */
#ifndef SUPPORT_HTTP_H
#define SUPPORT_HTTP_H

#include <stddef.h>

struct http_answer {
    int status; /* 0: nobody answered */
    char *body; /* ended by NUL; owned, http_answer_done frees it */
    size_t size;
};

/* `url` is http://ADDRESS:PORT/path; `headers` are whole lines ended by \r\n, or NULL;
 * `body` NULL: GET, else POST of that JSON. */
void http_ask(struct http_answer *out, const char *url, const char *headers,
              const char *body);
void http_answer_done(struct http_answer *answer);

#endif /* SUPPORT_HTTP_H */
