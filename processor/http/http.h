/* http.h -- /healthz, /readyz and /metrics, by libmicrohttpd in a thread of its own.
 *
 * The callbacks run in that thread: they read what is behind a lock or atomic.  Only GET and
 * HEAD; at most 32 connections, each closed after 10 s without traffic.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_HTTP_HTTP_H
#define SLIPSTREAM_HTTP_HTTP_H

#include "base/error.h"
#include "http/prometheus.h"

enum { METRICS_PAGE_BYTES_MAX = 16 << 20 };

struct http_server;

struct http_callbacks {
    void *owner;
    bool (*healthy)(void *owner); /* false: 503, the process should be started again */
    bool (*ready)(void *owner);   /* false: 503, not yet */
    void (*write_metrics)(void *owner, struct metrics_page *page);
};

/* bind: "127.0.0.1:9464", "[::1]:9464", ":9464" and "9464" (loopback); port 0: any free one.
 * Errors: CONFIG (not an address), IO (in use, not permitted). */
enum status http_start(const char *bind, const struct http_callbacks *callbacks,
                       struct http_server **out_server, struct error *err) MUST_CHECK;
/* Only whether bind is an address.  Errors: CONFIG. */
enum status http_check_bind(const char *bind, struct error *err) MUST_CHECK;
uint16_t http_port(const struct http_server *server);
void http_stop(struct http_server *server); /* waits for answers under way; accepts NULL */

#endif
