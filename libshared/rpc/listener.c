#include "rpc/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "rpc/nng_error.h"

#define IPC_SCHEME "ipc://"

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* No ws:// : nng's HTTP server corrupts its heap on some requests and never times out. */
static enum status check_scheme(const char *url, struct error *err)
{
    static const char *const schemes[] = {"tcp://", "tcp4://", "tcp6://", "tls+tcp://",
                                          IPC_SCHEME};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (has_prefix(url, schemes[i]) && strlen(url) < RPC_URL_SIZE - 8)
            return ST_OK;
    }
    return error_set(err, ST_INVALID,
                     "'%s' is no address to listen on: tcp://host:port, "
                     "tls+tcp://host:port or ipc:///path",
                     url);
}

static enum status check_folder(const char *path, struct error *err)
{
    char *copy = mem_strdup(path);
    const char *folder = dirname(copy);
    enum status st = ST_OK;
    struct stat info;

    if (stat(folder, &info) != 0)
        st = error_set(err, ST_INVALID, "folder '%s': %s", folder, strerror(errno));
    else if (info.st_uid != geteuid() || (info.st_mode & 077) != 0)
        st =
            error_set(err, ST_INVALID, "folder '%s' must be ours and of mode 0700", folder);
    mem_free(copy);
    return st;
}

static enum status lock_path(struct rpc_listener *listener, const char *path,
                             struct error *err)
{
    char *lock = mem_printf("%s.lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    enum status st = ST_OK;

    if (fd < 0) {
        st = error_set(err, ST_INVALID, "cannot open '%s': %s", lock, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        st = error_set(err, ST_UNAVAILABLE, "'%s' is locked: another process listens there",
                       lock);
        close(fd);
    } else {
        listener->lock_fd = fd;
    }
    mem_free(lock);
    return st;
}

static enum status set_tls(const struct rpc_listener *listener, nng_listener made,
                           struct error *err)
{
    nng_tls_config *config;
    enum status st = rpc_tls_server(&config, &listener->tls, err);
    int number;

    if (st != ST_OK)
        return st;
    number = nng_listener_set_ptr(made, NNG_OPT_TLS_CONFIG, config);
    nng_tls_config_free(config); /* the listener holds it now */
    return number == 0 ? ST_OK : rpc_nng_error(err, number, listener->url);
}

static enum status start(struct rpc_listener *listener, struct error *err)
{
    nng_listener made;
    enum status st = ST_OK;
    int number = nng_listener_create(&made, listener->socket, listener->url);

    if (number != 0)
        return rpc_nng_error(err, number, listener->url);
    if (rpc_tls_is_url(listener->url))
        st = set_tls(listener, made, err);
    if (has_prefix(listener->url, IPC_SCHEME))
        (void)nng_listener_set_int(made, NNG_OPT_IPC_PERMISSIONS, 0600);
    else
        (void)nng_listener_set_bool(made, NNG_OPT_TCP_KEEPALIVE, true);
    if (st == ST_OK) {
        number = nng_listener_start(made, 0);
        if (number != 0)
            st = rpc_nng_error(err, number, listener->url);
    }
    if (st == ST_OK)
        listener->listener = made;
    else
        (void)nng_listener_close(made);
    return st;
}

/* Put the port nng bound in the place of a 0. */
static void resolve_port(struct rpc_listener *listener)
{
    size_t length = strlen(listener->url);
    nng_sockaddr address;

    if (length < 2 || strcmp(listener->url + length - 2, ":0") != 0)
        return;
    if (nng_listener_get_addr(listener->listener, NNG_OPT_LOCADDR, &address) != 0)
        return;
    snprintf(listener->url + length - 1, sizeof(listener->url) - length + 1, "%u",
             (unsigned)ntohs(address.s_family == NNG_AF_INET6 ? address.s_in6.sa_port
                                                              : address.s_in.sa_port));
}

/* An address that means "all" is reached at loopback. */
static void make_dial_url(struct rpc_listener *listener)
{
    static const struct {
        const char *any;
        const char *loopback;
    } hosts[] = {{"://0.0.0.0:", "://127.0.0.1:"},
                 {"://*:", "://127.0.0.1:"},
                 {"://:", "://127.0.0.1:"},
                 {"://[::]:", "://[::1]:"}};

    snprintf(listener->dial_url, sizeof(listener->dial_url), "%s", listener->url);
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const char *at = strstr(listener->url, hosts[i].any);

        if (at == NULL)
            continue;
        snprintf(listener->dial_url, sizeof(listener->dial_url), "%.*s%s%s",
                 (int)(at - listener->url), listener->url, hosts[i].loopback,
                 at + strlen(hosts[i].any));
        return;
    }
}

enum status rpc_listener_open(struct rpc_listener *out, nng_socket socket, const char *url,
                              const struct rpc_tls_files *tls, struct error *err)
{
    enum status st = check_scheme(url, err);

    if (st != ST_OK)
        return st;
    *out = (struct rpc_listener){.socket = socket, .tls = *tls, .lock_fd = -1};
    snprintf(out->url, sizeof(out->url), "%s", url);
    if (has_prefix(url, IPC_SCHEME)) {
        st = check_folder(url + strlen(IPC_SCHEME), err);
        if (st == ST_OK)
            st = lock_path(out, url + strlen(IPC_SCHEME), err);
    }
    if (st == ST_OK)
        st = start(out, err);
    if (st != ST_OK) {
        rpc_listener_done(out);
        return st;
    }
    resolve_port(out);
    make_dial_url(out);
    return ST_OK;
}

enum status rpc_listener_restart(struct rpc_listener *listener, struct error *err)
{
    (void)nng_listener_close(listener->listener);
    return start(listener, err);
}

void rpc_listener_done(struct rpc_listener *listener)
{
    if (listener->lock_fd >= 0)
        close(listener->lock_fd);
    listener->lock_fd = -1;
}
