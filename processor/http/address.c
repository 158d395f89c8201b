/* SPDX-License-Identifier: Apache-2.0 */
#include "http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, uint16_t *out_port) {
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long port = strtoul(text, &end, 10);
    if (*end != '\0' || port > UINT16_MAX)
        return false;
    *out_port = (uint16_t)port;
    return true;
}

/* The part before the last colon, without brackets; empty: loopback. */
static bool split(const char *bind, char host[64], uint16_t *out_port) {
    const char *colon = strrchr(bind, ':');
    const char *first = bind;
    size_t size = colon ? (size_t)(colon - bind) : 0;
    if (size >= 2 && first[0] == '[' && first[size - 1] == ']') {
        first++;
        size -= 2;
    } else if (memchr(first, ':', size)) {
        return false;
    }
    if (size >= 64)
        return false;
    memcpy(host, first, size);
    host[size] = '\0';
    return parse_port(colon ? colon + 1 : bind, out_port);
}

enum status address_parse(const char *bind, struct sockaddr_storage *out_address,
                          struct error *err) {
    char host[64];
    uint16_t port = 0;
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    bool is_split = split(bind, host, &port);
    const char *numbers = is_split && host[0] ? host : "127.0.0.1";
    struct sockaddr_storage address = {0};
    four.sin_port = six.sin6_port = htons(port);
    if (is_split && inet_pton(AF_INET, numbers, &four.sin_addr) == 1)
        memcpy(&address, &four, sizeof four);
    else if (is_split && inet_pton(AF_INET6, numbers, &six.sin6_addr) == 1)
        memcpy(&address, &six, sizeof six);
    else
        return error_set(err, STATUS_CONFIG,
                         "http.bind: %s is not an address (write 127.0.0.1:9464 or [::1]:9464)",
                         bind);
    *out_address = address;
    return STATUS_OK;
}
