#include "http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "core/clock.h"
#include "core/list.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/thread.h"

#define POLL_MS            200
#define IDLE_CONNECTION_S  20L /* below the idle limits of common servers */
#define CONNECTION_LIFE_S  600L
#define HEADER_BYTES       ((size_t)64 * 1024)
#define HEADER_LINES       200u
#define HEADER_LINE_BYTES  ((size_t)8 * 1024)
#define THREAD_STACK_BYTES ((size_t)512 * 1024)

/* A request on its way: on its caller's stack, which waits until `is_finished`. */
struct job {
    struct list_link link; /* in `incoming`, then in `running` */
    const struct http_request *request;
    struct http_response *response;
    CURL *easy;
    struct curl_slist *headers;
    pthread_cond_t finished;
    bool is_finished;
    bool is_forbidden; /* an address it may not dial */
    bool is_too_large;
    unsigned sends; /* times curl was about to write the request */
    unsigned header_lines;
};

struct http_client {
    struct http_client_options options;
    CURLM *multi;
    pthread_t thread;
    struct list running; /* the thread's own */

    pthread_mutex_t lock; /* guards what follows, and is_finished of every job */
    struct list incoming;
    bool is_stopping;
    size_t callers; /* inside http_client_perform */
    pthread_cond_t left;
};

/* ---- what curl calls while it works, on the thread ---- */

static size_t on_body(char *data, size_t unit, size_t count, void *context)
{
    struct job *job = context;
    struct buf *body = &job->response->body;

    buf_append(body, data, unit * count);
    job->is_too_large = body->overflowed;
    return body->overflowed ? 0 : unit * count;
}

static size_t on_header(char *data, size_t unit, size_t count, void *context)
{
    struct job *job = context;
    struct buf *headers = &job->response->headers;
    size_t size = unit * count;

    if (++job->header_lines > HEADER_LINES || size > HEADER_LINE_BYTES) {
        job->is_too_large = true;
        return 0;
    }
    if (size >= 5 && memcmp(data, "HTTP/", 5) == 0)
        buf_clear(headers); /* a further response, after a 1xx */
    else
        buf_append(headers, data, size);
    job->is_too_large = headers->overflowed;
    return headers->overflowed ? 0 : size;
}

/* A connection stands, and curl is about to write the request: once, never again. */
static int on_ready_to_send(void *context, char *remote_ip, char *local_ip, int remote_port,
                            int local_port)
{
    struct job *job = context;

    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    return job->sends++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static curl_socket_t on_open_socket(void *context, curlsocktype purpose,
                                    struct curl_sockaddr *address)
{
    struct job *job = context;

    if (purpose != CURLSOCKTYPE_IPCXN ||
        !address_may_dial(&address->addr, address->addrlen, job->request->to_loopback)) {
        job->is_forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- one transfer ---- */

static struct curl_slist *append_line(struct curl_slist *lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(lines, line);

    if (longer == NULL)
        log_abort("out of memory", 0);
    return longer;
}

static struct curl_slist *build_headers(const struct http_request *request)
{
    struct curl_slist *lines = append_line(NULL, "Accept: application/json");

    lines = append_line(lines, "Expect:");
    if (request->body != NULL)
        lines = append_line(lines, "Content-Type: application/json");
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        char *line = mem_printf("%s: %s%s", header->name, header->prefix, header->value);

        lines = append_line(lines, line);
        mem_free_secret(line, strlen(line));
    }
    return lines;
}

static void wipe_headers(struct curl_slist *lines)
{
    for (struct curl_slist *line = lines; line != NULL; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(lines);
}

static bool set_long(CURL *easy, CURLoption option, long value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_text(CURL *easy, CURLoption option, const char *value)
{
    return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

/* Where a request may go, and what curl must not do on its own. */
static bool set_restrictions(CURL *easy, const struct http_request *request)
{
    return set_text(easy, CURLOPT_PROTOCOLS_STR,
                    request->to_loopback ? "http,https" : "https") &&
           set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
           set_long(easy, CURLOPT_FOLLOWLOCATION, 0) && set_text(easy, CURLOPT_PROXY, "") &&
           set_text(easy, CURLOPT_NOPROXY, "*") &&
           set_long(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
           set_long(easy, CURLOPT_SSL_VERIFYPEER, 1) &&
           set_long(easy, CURLOPT_SSL_VERIFYHOST, 2) &&
           set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
           set_long(easy, CURLOPT_PATH_AS_IS, 1) && set_long(easy, CURLOPT_NOSIGNAL, 1);
}

static bool set_callbacks(struct job *job)
{
    CURL *easy = job->easy;

    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, job) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, job) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready_to_send) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, job) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, job) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, job) == CURLE_OK;
}

/* The system's CAs, or those of one file alone. */
static bool set_trust(CURL *easy, const char *ca_file)
{
    return ca_file == NULL || ca_file[0] == '\0' ||
           (set_text(easy, CURLOPT_CAINFO, ca_file) &&
            curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

static bool set_request(const struct http_client *client, struct job *job, uint64_t left_ms)
{
    const struct http_request *request = job->request;
    CURL *easy = job->easy;
    bool done = set_text(easy, CURLOPT_URL, request->url) &&
                set_text(easy, CURLOPT_USERAGENT, "metercache") &&
                set_text(easy, CURLOPT_ACCEPT_ENCODING, "gzip") &&
                set_long(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS) &&
                set_long(easy, CURLOPT_TIMEOUT_MS, (long)left_ms) &&
                set_long(easy, CURLOPT_CONNECTTIMEOUT_MS,
                         (long)client->options.connect_timeout_ms) &&
                set_long(easy, CURLOPT_MAXAGE_CONN, IDLE_CONNECTION_S) &&
                set_long(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S);

    job->headers = build_headers(request);
    done = done && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, job->headers) == CURLE_OK;
    if (request->body != NULL)
        done = done && set_long(easy, CURLOPT_POST, 1) &&
               set_long(easy, CURLOPT_POSTFIELDSIZE, (long)request->body_size) &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body) == CURLE_OK;
    return done;
}

static const char *problem_text(const struct job *job, CURLcode code)
{
    if (code == CURLE_OK)
        return "";
    if (job->is_forbidden && job->sends == 0)
        return "the address is not a public one";
    if (job->is_too_large)
        return "the response is too large";
    if (job->sends > 1)
        return "the connection was lost before an answer";
    return curl_easy_strerror(code);
}

/* The transfer is over: fill the response, and wake the caller, who then owns the job. */
static void finish(struct http_client *client, struct job *job, CURLcode code)
{
    struct http_response *response = job->response;
    long status = 0;

    if (job->easy != NULL) {
        if (curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
            status = 0;
        (void)curl_multi_remove_handle(client->multi, job->easy);
        curl_easy_cleanup(job->easy);
    }
    wipe_headers(job->headers);
    response->status = status > 0 ? (unsigned)status : 0;
    response->problem = problem_text(job, code);
    response->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    response->is_too_large = code != CURLE_OK && job->is_too_large;
    response->transport = code == CURLE_OK ? TRANSPORT_ANSWERED
                          : job->sends > 0 ? TRANSPORT_SENT_UNKNOWN
                                           : TRANSPORT_NOT_SENT;
    mutex_lock(&client->lock);
    job->is_finished = true;
    condition_signal(&job->finished);
    mutex_unlock(&client->lock);
}

static void start(struct http_client *client, struct job *job)
{
    uint64_t left_ms = clock_left_ms(job->request->deadline_us);

    if (left_ms == 0) {
        finish(client, job, CURLE_OPERATION_TIMEDOUT);
        return;
    }
    job->easy = curl_easy_init();
    if (job->easy == NULL || !set_restrictions(job->easy, job->request) ||
        !set_trust(job->easy, client->options.ca_file) || !set_callbacks(job) ||
        !set_request(client, job, left_ms) ||
        curl_multi_add_handle(client->multi, job->easy) != CURLM_OK) {
        finish(client, job, CURLE_FAILED_INIT);
        return;
    }
    list_append(&client->running, &job->link);
}

/* ---- the thread ---- */

static void start_incoming(struct http_client *client)
{
    struct list_link *link;

    mutex_lock(&client->lock);
    while ((link = list_take_first(&client->incoming)) != NULL) {
        mutex_unlock(&client->lock);
        start(client, list_item(link, struct job, link));
        mutex_lock(&client->lock);
    }
    mutex_unlock(&client->lock);
}

static void finish_completed(struct http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        CURLcode code = message->data.result;
        char *context = NULL;
        struct job *job;

        if (message->msg != CURLMSG_DONE)
            continue;
        if (curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context) != CURLE_OK)
            log_abort("a finished transfer has no owner", 0);
        job = (struct job *)(void *)context;
        list_remove(&client->running, &job->link);
        finish(client, job, code);
    }
}

/* curl's own timer does not run for a transfer that waits for a free connection. */
static void finish_overdue(struct http_client *client)
{
    struct list_link *link = list_first(&client->running);

    while (link != NULL) {
        struct job *job = list_item(link, struct job, link);

        link = list_next(&client->running, link);
        if (clock_left_ms(job->request->deadline_us) > 0)
            continue;
        list_remove(&client->running, &job->link);
        finish(client, job, CURLE_OPERATION_TIMEDOUT);
    }
}

static bool is_stopping(struct http_client *client)
{
    bool stopping;

    mutex_lock(&client->lock);
    stopping = client->is_stopping;
    mutex_unlock(&client->lock);
    return stopping;
}

static void *run(void *context)
{
    struct http_client *client = context;
    struct list_link *link;
    int active;

    while (!is_stopping(client)) {
        start_incoming(client);
        (void)curl_multi_perform(client->multi, &active);
        finish_completed(client);
        finish_overdue(client);
        (void)curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
    start_incoming(client);
    while ((link = list_take_first(&client->running)) != NULL)
        finish(client, list_item(link, struct job, link), CURLE_ABORTED_BY_CALLBACK);
    return NULL;
}

/* ---- for callers ---- */

static void init_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        log_abort("curl_global_init failed", 0);
}

enum status http_client_open(struct http_client **out,
                             const struct http_client_options *options, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_client *client;
    CURLM *multi;
    long per_host = (long)options->connections_per_host;

    pthread_once(&once, init_curl);
    multi = curl_multi_init();
    if (multi == NULL ||
        curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, per_host) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 4 * per_host) != CURLM_OK) {
        curl_multi_cleanup(multi);
        return error_set(err, ST_INTERNAL, "libcurl cannot be set up");
    }
    client = mem_alloc(sizeof(*client));
    client->options = *options;
    client->multi = multi;
    mutex_init(&client->lock);
    condition_init(&client->left);
    list_init(&client->incoming);
    list_init(&client->running);
    thread_start(&client->thread, "http", THREAD_STACK_BYTES, run, client);
    *out = client;
    return ST_OK;
}

void http_client_close(struct http_client *client)
{
    if (client == NULL)
        return;
    mutex_lock(&client->lock);
    client->is_stopping = true;
    mutex_unlock(&client->lock);
    (void)curl_multi_wakeup(client->multi);
    thread_join(client->thread);
    (void)curl_multi_cleanup(client->multi);
    mutex_lock(&client->lock);
    while (client->callers > 0)
        condition_wait(&client->left, &client->lock);
    mutex_unlock(&client->lock);
    condition_done(&client->left);
    mutex_done(&client->lock);
    mem_free(client);
}

void http_client_perform(struct http_client *client, const struct http_request *request,
                         struct http_response *response)
{
    struct job job = {.request = request, .response = response};

    buf_init(&response->headers, HEADER_BYTES);
    buf_init(&response->body, client->options.response_bytes);
    condition_init(&job.finished);
    mutex_lock(&client->lock);
    client->callers++;
    if (client->is_stopping) {
        response->transport = TRANSPORT_NOT_SENT;
        response->problem = "the gateway is stopping";
    } else {
        list_append(&client->incoming, &job.link);
        (void)curl_multi_wakeup(client->multi);
        while (!job.is_finished)
            condition_wait(&job.finished, &client->lock);
    }
    if (--client->callers == 0)
        condition_signal(&client->left);
    mutex_unlock(&client->lock);
    condition_done(&job.finished);
}
