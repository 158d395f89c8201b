/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/address.h"

#include <microhttpd.h>

enum { CONNECTIONS_MAX = 32, CONNECTION_TIMEOUT_S = 10, CONNECTION_BYTES = 16384 };

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_callbacks callbacks;
    struct buffer page; /* of the one thread that answers */
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct slice body) {
    /* The library copies the body, but takes it as writable. */
    void *bytes = NULL;
    memcpy(&bytes, &body.data, sizeof bytes);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.size, bytes, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  "text/plain; version=0.0.4; charset=utf-8");
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_whether(struct MHD_Connection *connection, bool is_so) {
    return is_so ? answer(connection, MHD_HTTP_OK, SLICE("ok\n"))
                 : answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, SLICE("no\n"));
}

static enum MHD_Result answer_metrics(struct http_server *server,
                                      struct MHD_Connection *connection) {
    struct metrics_page page;
    buffer_reset(&server->page);
    prometheus_begin(&page, &server->page);
    server->callbacks.write_metrics(server->callbacks.owner, &page);
    return answer(connection, MHD_HTTP_OK, buffer_slice(&server->page));
}

/* The library calls it once when the headers are read and again for each piece of a body. */
static enum MHD_Result on_request(void *opaque, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version UNUSED,
                                  const char *body UNUSED, size_t *body_size,
                                  void **per_request UNUSED) {
    struct http_server *server = opaque;
    const struct http_callbacks *callbacks = &server->callbacks;
    if (*body_size > 0) { /* of a request that is answered already */
        *body_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, SLICE("GET only\n"));
    if (strcmp(url, "/healthz") == 0)
        return answer_whether(connection, callbacks->healthy(callbacks->owner));
    if (strcmp(url, "/readyz") == 0)
        return answer_whether(connection, callbacks->ready(callbacks->owner));
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(server, connection);
    return answer(connection, MHD_HTTP_NOT_FOUND, SLICE("/healthz /readyz /metrics\n"));
}

static struct MHD_Daemon *start(struct http_server *server,
                                const struct sockaddr_storage *address) {
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO;
    if (address->ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR,
                            (const struct sockaddr *)address, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)CONNECTION_BYTES, MHD_OPTION_END);
}

enum status http_start(const char *bind, const struct http_callbacks *callbacks,
                       struct http_server **out_server, struct error *err) {
    struct sockaddr_storage address;
    TRY(address_parse(bind, &address, err));
    struct http_server *server = alloc_zero(1, sizeof *server);
    server->callbacks = *callbacks;
    buffer_init(&server->page, METRICS_PAGE_BYTES_MAX);
    errno = 0;
    server->daemon = start(server, &address);
    if (!server->daemon) {
        int reason = errno;
        http_stop(server);
        return error_set(err, STATUS_IO, "http.bind: %s: %s", bind,
                         reason ? strerror(reason) : "cannot listen");
    }
    *out_server = server;
    return STATUS_OK;
}

enum status http_check_bind(const char *bind, struct error *err) {
    struct sockaddr_storage address;
    return address_parse(bind, &address, err);
}

uint16_t http_port(const struct http_server *server) {
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void http_stop(struct http_server *server) {
    if (!server)
        return;
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    buffer_release(&server->page);
    free(server);
}
