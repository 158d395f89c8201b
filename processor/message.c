/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include <stdlib.h>

void outbox_init(struct outbox *outbox) {
    *outbox = (struct outbox){0};
    arena_init(&outbox->arena);
}

void outbox_release(struct outbox *outbox) {
    arena_release(&outbox->arena);
    free(outbox->messages);
    *outbox = (struct outbox){0};
}

void outbox_reset(struct outbox *outbox) {
    arena_reset(&outbox->arena);
    outbox->count = 0;
    outbox->bytes = 0;
}

size_t outbox_memory(const struct outbox *outbox) {
    return arena_memory(&outbox->arena) + outbox->capacity * sizeof *outbox->messages;
}

static struct slice keep(struct outbox *outbox, struct slice bytes) {
    outbox->bytes += bytes.size;
    return bytes.data ? arena_copy(&outbox->arena, bytes) : bytes;
}

void outbox_add(struct outbox *outbox, const struct message *message) {
    if (outbox->count == outbox->capacity) {
        outbox->capacity = outbox->capacity ? outbox->capacity * 2 : 64;
        outbox->messages =
            alloc_resize(outbox->messages, outbox->capacity, sizeof *outbox->messages);
    }
    struct message *kept = &outbox->messages[outbox->count++];
    *kept = *message;
    kept->key = keep(outbox, message->key);
    kept->value = keep(outbox, message->value);
    if (message->header_count == 0)
        return;
    struct header *headers = arena_take(&outbox->arena, message->header_count * sizeof *headers);
    for (size_t i = 0; i < message->header_count; i++)
        headers[i] =
            (struct header){message->headers[i].name, keep(outbox, message->headers[i].value)};
    kept->headers = headers;
}
