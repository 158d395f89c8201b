/* error.h -- trouble with the world, as a status and one line for an operator.
 *
 * Three kinds of trouble: a bug of ours (ASSERT, aborts, also in release), a bad record (data: a
 * dead letter, see schemas/refusal.h), the world (a status; the partition or task stops and is
 * opened again). A status exists only where some caller acts differently on it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_ERROR_H
#define SLIPSTREAM_BASE_ERROR_H

#include "base/attributes.h"

enum status {
    STATUS_OK,
    STATUS_CONFIG,  /* the user's configuration is wrong: do not retry */
    STATUS_CORRUPT, /* stored or published bytes are not what was written: rebuild */
    STATUS_IO,      /* disk or operating system */
    STATUS_BROKER,  /* Kafka refused or did not answer: reopen from the last commit */
    STATUS_FENCED,  /* another member owns this now: close */
};

struct error {
    char text[512]; /* one line, context first; empty when unset */
};

/* Write one line; err may be NULL.  Both return status, so that they can end a function. */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Puts "context: " before the present text. */
enum status error_wrap(struct error *err, enum status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

const char *status_name(enum status status);

NORETURN void assert_failed(const char *expression, const char *file, int line);

#define ASSERT(expression) ((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#define TRY(expression)                                                                            \
    do {                                                                                           \
        enum status try_status_ = (expression);                                                    \
        if (try_status_ != STATUS_OK)                                                              \
            return try_status_;                                                                    \
    } while (0)

#endif
