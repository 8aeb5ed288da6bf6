#include "support/raw_echo.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"

#define SERVER_CONTEXTS 256
#define URL_SIZE        64

struct raw_echo {
    pid_t server;
    nng_socket socket;
    nng_ctx *contexts;
    nng_aio **aios;
    unsigned callers;
    char *message;
    size_t message_bytes;
};

static void check(int rv, const char *what)
{
    if (rv == 0)
        return;
    (void)fprintf(stderr, "raw echo: %s: %s\n", what, nng_strerror(rv));
    exit(1);
}

/* ---- the server's process --------------------------------------------------------- */

struct echo_context {
    nng_ctx context;
    nng_aio *aio;
    bool is_sending;
};

static void on_event(void *argument)
{
    struct echo_context *echo = argument;

    if (nng_aio_result(echo->aio) != 0)
        return;
    echo->is_sending = !echo->is_sending;
    if (echo->is_sending) /* the message that came goes back as it is */
        nng_ctx_send(echo->context, echo->aio);
    else
        nng_ctx_recv(echo->context, echo->aio);
}

static void serve(int ready_fd)
{
    static struct echo_context contexts[SERVER_CONTEXTS];
    char url[URL_SIZE];
    nng_socket socket;
    nng_listener listener;
    nng_sockaddr address;

    check(nng_rep0_open(&socket), "open");
    check(nng_listener_create(&listener, socket, "tcp://127.0.0.1:0"), "listener");
    check(nng_listener_start(listener, 0), "listen");
    check(nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &address), "address");
    for (size_t i = 0; i < SERVER_CONTEXTS; i++) {
        check(nng_ctx_open(&contexts[i].context, socket), "context");
        check(nng_aio_alloc(&contexts[i].aio, on_event, &contexts[i]), "aio");
        nng_ctx_recv(contexts[i].context, contexts[i].aio);
    }
    unsigned port =
        (unsigned)((address.s_in.sa_port >> 8) | (address.s_in.sa_port << 8)) & 0xffff;
    (void)snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", port);
    if (write(ready_fd, url, sizeof(url)) != (ssize_t)sizeof(url))
        exit(1);
    for (;;)
        (void)poll(NULL, 0, -1);
}

/* ---- the client -------------------------------------------------------------------- */

static void connect_client(struct raw_echo *echo, const char *url)
{
    check(nng_req0_open(&echo->socket), "open");
    check(nng_socket_set_ms(echo->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE),
          "resend time");
    check(nng_dial(echo->socket, url, NULL, 0), "dial");
    echo->contexts = mem_alloc_array(echo->callers, sizeof(echo->contexts[0]));
    echo->aios = mem_alloc_array(echo->callers, sizeof(nng_aio *));
    for (unsigned i = 0; i < echo->callers; i++) {
        check(nng_ctx_open(&echo->contexts[i], echo->socket), "context");
        check(nng_aio_alloc(&echo->aios[i], NULL, NULL), "aio");
    }
}

struct raw_echo *raw_echo_open(unsigned callers, size_t message_bytes)
{
    struct raw_echo *echo = mem_alloc(sizeof(*echo));
    char url[URL_SIZE] = "";
    int pipes[2];

    if (pipe(pipes) != 0)
        exit(1);
    echo->server = fork();
    if (echo->server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(pipes[1]);
    }
    if (echo->server < 0 || read(pipes[0], url, sizeof(url)) != (ssize_t)sizeof(url))
        exit(1);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    echo->callers = callers;
    echo->message = mem_alloc(message_bytes);
    echo->message_bytes = message_bytes;
    connect_client(echo, url);
    return echo;
}

void raw_echo_close(struct raw_echo *echo)
{
    for (unsigned i = 0; i < echo->callers; i++) {
        nng_aio_stop(echo->aios[i]);
        (void)nng_ctx_close(echo->contexts[i]);
    }
    (void)nng_close(echo->socket);
    for (unsigned i = 0; i < echo->callers; i++)
        nng_aio_free(echo->aios[i]);
    (void)kill(echo->server, SIGKILL);
    (void)waitpid(echo->server, NULL, 0);
    mem_free(echo->contexts);
    mem_free(echo->aios);
    mem_free(echo->message);
    mem_free(echo);
}

bool raw_echo_call(void *argument, unsigned caller)
{
    struct raw_echo *echo = argument;
    nng_aio *aio = echo->aios[caller];
    nng_msg *message;

    check(nng_msg_alloc(&message, echo->message_bytes), "message");
    memcpy(nng_msg_body(message), echo->message, echo->message_bytes);
    nng_aio_set_msg(aio, message);
    nng_ctx_send(echo->contexts[caller], aio);
    nng_aio_wait(aio);
    if (nng_aio_result(aio) != 0) {
        nng_msg_free(message);
        return false;
    }
    nng_ctx_recv(echo->contexts[caller], aio);
    nng_aio_wait(aio);
    if (nng_aio_result(aio) != 0)
        return false;
    nng_msg_free(nng_aio_get_msg(aio));
    return true;
}
