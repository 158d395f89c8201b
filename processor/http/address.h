/* address.h -- inside this room: the text of http.bind as a socket address.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_HTTP_ADDRESS_H
#define SLIPSTREAM_HTTP_ADDRESS_H

#include <sys/socket.h>

#include "base/error.h"

/* Numbers only, no names: nothing is looked up.  Errors: CONFIG. */
enum status address_parse(const char *bind, struct sockaddr_storage *out_address,
                          struct error *err) MUST_CHECK;

#endif
