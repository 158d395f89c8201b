/* message.h -- what a stage wants to be produced, gathered in an outbox until the transaction.
 *
 * Everything in an outbox lives in its arena until outbox_reset.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_MESSAGE_H
#define SLIPSTREAM_MESSAGE_H

#include "base/arena.h"

enum topic_kind {
    TOPIC_PARTIALS,
    TOPIC_CHECKPOINTS,
    TOPIC_DEAD_LETTERS,
    TOPIC_SLIS,
    TOPIC_STATE,
    TOPIC_KINDS
};

struct header {
    const char *name; /* static text */
    struct slice value;
};

struct message {
    enum topic_kind topic;
    int32_t partition;  /* -1: by murmur2 of the key */
    struct slice key;   /* data NULL: no key */
    struct slice value; /* data NULL: tombstone */
    const struct header *headers;
    size_t header_count;
};

struct outbox {
    struct arena arena;
    struct message *messages;
    size_t count, capacity;
    size_t bytes; /* keys, values and headers */
};

void outbox_init(struct outbox *outbox);
void outbox_release(struct outbox *outbox);
void outbox_reset(struct outbox *outbox);
/* Bytes that it keeps for reuse, beyond a reset. */
size_t outbox_memory(const struct outbox *outbox);
/* Appends; copies key, value and headers into the arena. */
void outbox_add(struct outbox *outbox, const struct message *message);

#endif
