/* problem.h -- what is wrong with a configuration: one line each, all of them.
 *
 *     demo.yaml:12: tasks[0].horizon: 5x is not a duration (write 250ms, 10s, 5m, 24h or 7d)
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_PROBLEM_H
#define SLIPSTREAM_CONFIG_PROBLEM_H

#include "base/attributes.h"
#include "base/slice.h"

struct problems {
    const char *file;   /* borrowed */
    size_t count;       /* all of them; at most 200 are kept */
    struct buffer text; /* the lines, each with its newline; not NUL-terminated */
};

void problems_init(struct problems *problems, const char *file);
void problems_release(struct problems *problems);
/* where: the option's full name, or NULL; line 0: not in the file (a default, the environment).
 * Control characters in the text become blanks. */
void problem_add(struct problems *problems, int line, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* The first line without its newline. */
struct slice problems_first(const struct problems *problems);

/* printf to the end of a buffer. */
void text_add(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
