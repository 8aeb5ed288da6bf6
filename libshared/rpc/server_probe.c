#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "core/log.h"
#include "rpc/frame.h"
#include "rpc/server_impl.h"

#define PROBE_TIMEOUT_MS 1000

static nng_msg *make_request(void)
{
    static char method[] = "/metercache.v1.HealthService/Check";
    Metercache__V1__Request request = METERCACHE__V1__REQUEST__INIT;
    struct op_id call_id = op_id_new();
    struct rpc_frame frame = {.envelope = &request.base};
    nng_msg *message;

    request.call_id = (ProtobufCBinaryData){OP_ID_SIZE, call_id.bytes};
    request.method = method;
    request.priority = METERCACHE__V1__PRIORITY__PRIORITY_CRITICAL;
    if (nng_msg_alloc(&message, rpc_frame_measure(&frame)) != 0)
        return NULL;
    rpc_frame_write(&frame, nng_msg_body(message));
    return message;
}

static bool dial(nng_socket socket, const struct rpc_listener *listener)
{
    nng_tls_config *config = NULL;
    struct error err = ERROR_NONE;
    nng_dialer dialer;
    bool is_started;

    if (nng_dialer_create(&dialer, socket, listener->dial_url) != 0)
        return false;
    if (rpc_tls_is_url(listener->dial_url)) {
        if (rpc_tls_client(&config, &listener->tls, NULL, &err) != ST_OK)
            return false;
        (void)nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config);
    }
    is_started = nng_dialer_start(dialer, NNG_FLAG_NONBLOCK) == 0;
    if (config != NULL)
        nng_tls_config_free(config);
    return is_started;
}

/* Any answer will do, also a refusal: the listener accepts and the process answers. */
static bool exchange(nng_socket socket)
{
    nng_msg *message = make_request();

    if (message == NULL)
        return false;
    if (nng_sendmsg(socket, message, 0) != 0) {
        nng_msg_free(message);
        return false;
    }
    if (nng_recvmsg(socket, &message, 0) != 0)
        return false;
    nng_msg_free(message);
    return true;
}

bool rpc_server_probe(void *context)
{
    const struct rpc_server *server = context;
    nng_socket socket;
    bool is_answered;

    if (nng_req0_open(&socket) != 0)
        return false;
    is_answered =
        nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, PROBE_TIMEOUT_MS) == 0 &&
        nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, PROBE_TIMEOUT_MS) == 0 &&
        nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE) == 0 &&
        dial(socket, &server->listener) && exchange(socket);
    (void)nng_close(socket);
    return is_answered;
}

bool rpc_server_restart(void *context)
{
    struct rpc_server *server = context;
    struct error err = ERROR_NONE;

    if (rpc_listener_restart(&server->listener, &err) == ST_OK)
        return true;
    log_event(LOG_ERROR, "listener did not start", LOG_STR("why", err.message));
    return false;
}
