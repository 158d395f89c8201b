/* control.h -- the control topic `tasks`: definitions and their epochs, and `slipstream close --at
 * T`.
 *
 * Records (JSON, compacted, one partition; key "task/NAME/EPOCH"):
 *   {"task": NAME, "epoch": N, "fingerprint": "hex", "definition": TEXT}
 *   key "close": {"close_at_ms": T}
 * At start a process reads the topic whole.  A task whose fingerprint is the newest epoch's joins
 * that epoch; an unknown fingerprint becomes the next epoch; an older epoch's is refused with the
 * remedy. SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_WORKER_CONTROL_H
#define SLIPSTREAM_WORKER_CONTROL_H

#include "base/error.h"
#include "config/definition.h"

struct control; /* safe to read from several threads */

/* Reads the topic, numbers config's tasks (struct task_definition.epoch), publishes new definitions
 * and starts to follow close records.  Errors: CONFIG (an older definition), BROKER. */
enum status control_start(struct config *config, struct control **out_control,
                          struct error *err) MUST_CHECK;
void control_stop(struct control *control); /* accepts NULL */
/* Offset of the newest close record and its time; -1 when there is none. */
int64_t control_close(struct control *control, int64_t *out_time_ms);
/* Publishes a close record.  Errors: BROKER. */
enum status control_send_close(const struct config *config, int64_t time_ms,
                               struct error *err) MUST_CHECK;

#endif
