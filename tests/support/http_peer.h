/*
 * http_peer.h - a real HTTP/1.1 server on loopback that says what the test tells it to.
 *
 * Each request takes the next scripted answer, byte for byte; without one it gets
 * 200 and "{}". Requests are kept as text for the test to look at.
 *
 * Threads: any; a connection has a thread of its own. Failures to set up abort.
 */
#ifndef TESTS_SUPPORT_HTTP_PEER_H
#define TESTS_SUPPORT_HTTP_PEER_H

#include <stddef.h>

#define HTTP_PEER_URL_SIZE 64

struct http_peer;

enum http_peer_then {
    HTTP_PEER_KEEP,  /* wait for the next request on this connection */
    HTTP_PEER_CLOSE, /* end the connection in an orderly way */
    HTTP_PEER_HANG,  /* send nothing more, until the client leaves */
};

struct http_peer *http_peer_open(void);
void http_peer_close(struct http_peer *peer);

/* "http://127.0.0.1:PORT" */
const char *http_peer_url(const struct http_peer *peer);

/* The next request's answer: these bytes (copied), then what. At most 64 wait. */
void http_peer_will_send(struct http_peer *peer, const void *bytes, size_t size,
                         enum http_peer_then then);
/* The same with a status line, Content-Type: application/json and the right length. */
void http_peer_will_answer(struct http_peer *peer, unsigned status, const char *json);

size_t http_peer_request_count(struct http_peer *peer);
/* Copy the text of request `index`, head and body; "" when there was none. */
void http_peer_request(struct http_peer *peer, size_t index, char *out, size_t size);

#endif /* TESTS_SUPPORT_HTTP_PEER_H */
