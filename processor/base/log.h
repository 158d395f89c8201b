/* log.h -- one line a fact, logfmt, UTC, to standard error:
 *     2026-01-02T03:04:05.678Z warn event=late worker=1 topic=p partition=3 count=12
 * Levels: error (something stopped), warn (a limit was hit), info (life cycle), debug (off).
 * Library code never logs: worker, commands and main do.  One write(2) a line.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_BASE_LOG_H
#define SLIPSTREAM_BASE_LOG_H

#include "base/attributes.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* format holds key=value pairs; a value with blanks or quotes is written with LOG_TEXT. */
void log_line(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
/* Quotes text into scratch as a logfmt value; returns scratch. */
const char *log_quote(char scratch[600], const char *text);

#define LOG_ERROR(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define LOG_WARN(event, ...) log_line(LOG_LEVEL_WARN, event, __VA_ARGS__)
#define LOG_INFO(event, ...) log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define LOG_DEBUG(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

#endif
