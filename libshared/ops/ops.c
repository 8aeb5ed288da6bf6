#include "ops/ops.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/stats.h"
#include "ops/ops_socket.h"

#define CONNECTIONS_MAX             64u
#define CONNECTIONS_PER_ADDRESS_MAX 16u
#define CONNECTION_MEMORY_BYTES     ((size_t)16 << 10)
#define METRICS_MAX_BYTES           ((size_t)8 << 20)
#define TIMEOUT_S                   10u

#define TYPE_TEXT    "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"

struct ops {
    struct ops_socket socket; /* closed by libmicrohttpd */
    bool (*is_ready)(void *context, struct error *why_not);
    void *context;
    struct MHD_Daemon *daemon;
};

struct page {
    unsigned code;
    const char *type;
    struct buf body;
};

static void fill_livez(struct ops *ops, struct page *page)
{
    (void)ops;
    buf_append_text(&page->body, "ok\n");
}

static void fill_readyz(struct ops *ops, struct page *page)
{
    struct error why_not = ERROR_NONE;

    if (ops->is_ready == NULL || ops->is_ready(ops->context, &why_not)) {
        buf_append_text(&page->body, "ok\n");
        return;
    }
    page->code = MHD_HTTP_SERVICE_UNAVAILABLE;
    buf_printf(&page->body, "%s\n",
               why_not.message[0] != '\0' ? why_not.message : "not ready");
}

static void fill_metrics(struct ops *ops, struct page *page)
{
    (void)ops;
    stats_print(&page->body);
    page->type = TYPE_METRICS;
    if (!page->body.overflowed)
        return;
    buf_clear(&page->body);
    page->type = TYPE_TEXT;
    page->code = MHD_HTTP_INTERNAL_SERVER_ERROR;
    buf_append_text(&page->body, "the metrics are longer than a page may be\n");
}

static const struct {
    const char *path;
    void (*fill)(struct ops *ops, struct page *page);
} PAGES[] = {
    {"/livez", fill_livez},
    {"/readyz", fill_readyz},
    {"/metrics", fill_metrics},
};

static void fill_page(struct ops *ops, const char *method, const char *path,
                      struct page *page)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        page->code = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_append_text(&page->body, "GET and HEAD only\n");
        return;
    }
    for (size_t i = 0; i < COUNT_OF(PAGES); i++) {
        if (strcmp(path, PAGES[i].path) == 0) {
            PAGES[i].fill(ops, page);
            return;
        }
    }
    page->code = MHD_HTTP_NOT_FOUND;
    buf_append_text(&page->body, "try /livez, /readyz or /metrics\n");
}

static enum MHD_Result send_page(struct MHD_Connection *connection, const struct page *page)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        page->body.size, page->body.data, MHD_RESPMEM_MUST_COPY);

    if (response == NULL)
        return MHD_NO;

    enum MHD_Result result = MHD_NO;

    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, page->type) ==
            MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") ==
            MHD_YES &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES &&
        (page->code != MHD_HTTP_METHOD_NOT_ALLOWED ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
        result = MHD_queue_response(connection, page->code, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers as soon as the header is there: a body that may follow is never read. */
static enum MHD_Result answer(void *context, struct MHD_Connection *connection,
                              const char *url, const char *method, const char *version,
                              const char *upload_data, size_t *upload_data_size,
                              void **request_context)
{
    struct page page = {.code = MHD_HTTP_OK, .type = TYPE_TEXT};

    (void)version;
    (void)upload_data;
    (void)upload_data_size;
    (void)request_context;
    buf_init(&page.body, METRICS_MAX_BYTES);
    fill_page(context, method, url, &page);

    enum MHD_Result result = send_page(connection, &page);

    buf_done(&page.body);
    return result;
}

static struct MHD_Daemon *start_daemon(struct ops *ops, unsigned timeout_s)
{
    unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD;

    if (ops->socket.is_ipv6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, answer, ops, MHD_OPTION_LISTEN_SOCKET, ops->socket.fd,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        CONNECTIONS_PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        timeout_s != 0 ? timeout_s : TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY_BYTES, MHD_OPTION_END);
}

enum status ops_open(struct ops **out, const struct ops_options *options, struct error *err)
{
    struct ops_socket listening;
    enum status status = ops_socket_open(&listening, options->address, err);

    if (status != ST_OK)
        return status;

    struct ops *ops = mem_alloc(sizeof *ops);

    ops->socket = listening;
    ops->is_ready = options->is_ready;
    ops->context = options->context;
    ops->daemon = start_daemon(ops, options->timeout_s);
    if (ops->daemon == NULL) {
        error_set(err, ST_INTERNAL, "the HTTP server for '%s' does not start",
                  options->address);
        close(ops->socket.fd);
        mem_free(ops);
        return ST_INTERNAL;
    }
    *out = ops;
    return ST_OK;
}

const char *ops_address(const struct ops *ops)
{
    return ops->socket.address;
}

void ops_close(struct ops *ops)
{
    if (ops == NULL)
        return;
    MHD_stop_daemon(ops->daemon);
    mem_free(ops);
}
