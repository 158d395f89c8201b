/* Look-ups in RocksDB: many keys of many runs at once.
 *
 * Each round asks the next older run of every family for the keys that are still without an answer,
 * since the newest run that has a key has its value.  Keys begin with family and run, and all runs
 * are in one table: a round of ascending families is one ascending sequence, asked in few pieces.
 * SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_tables.h"

enum { LOOK_UP_CHUNK = 256 }; /* as many blocks are held at once */
/* One in so many look-ups in runs fills the cache all the same: filters that were driven out of it
 * come back. */
enum { FILLING = 16 };

/* Keys of one table that are asked at once. */
struct chunk {
    struct rocks_tables *tables;
    struct arena *arena;
    struct error *err;
    enum family_kind kind;
    size_t count;
    size_t sizes[LOOK_UP_CHUNK];
    struct slice *out_values[LOOK_UP_CHUNK];
    struct buffer bytes; /* of the keys, one behind the other */
};

/* Copies one answer and frees it; the first trouble stays. */
static void take_answer(rocksdb_pinnableslice_t *found, char *message, struct slice *out_value,
                        struct arena *arena, enum status *status, struct error *err) {
    if (found) {
        struct slice value = {0};
        value.data = rocksdb_pinnableslice_value(found, &value.size);
        *out_value = arena_copy(arena, value);
        rocksdb_pinnableslice_destroy(found);
    }
    enum status answer = rocks_check(message, "get", *status == STATUS_OK ? err : NULL);
    if (*status == STATUS_OK)
        *status = answer;
}

static const rocksdb_readoptions_t *reading(const struct chunk *chunk) {
    struct rocks_tables *tables = chunk->tables;
    bool fills = !family_is_sliced(chunk->kind) || !store_cache_is_small(tables->cache) ||
                 tables->asked++ % FILLING == 0;
    return fills ? tables->options.reading : tables->options.passing;
}

static enum status ask_chunk(struct chunk *chunk) {
    const char *keys[LOOK_UP_CHUNK];
    rocksdb_pinnableslice_t *found[LOOK_UP_CHUNK];
    char *messages[LOOK_UP_CHUNK];
    if (chunk->count == 0)
        return STATUS_OK;
    const char *at = chunk->bytes.data;
    for (size_t i = 0; i < chunk->count; at += chunk->sizes[i], i++)
        keys[i] = at;
    rocksdb_batched_multi_get_cf(chunk->tables->database, reading(chunk),
                                 rocks_table(chunk->tables, chunk->kind), chunk->count, keys,
                                 chunk->sizes, found, messages, true);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < chunk->count; i++)
        take_answer(found[i], messages[i], chunk->out_values[i], chunk->arena, &status, chunk->err);
    chunk->count = 0;
    buffer_reset(&chunk->bytes);
    return status;
}

static enum status chunk_add(struct chunk *chunk, struct slice prefix, struct slice key,
                             struct slice *out_value) {
    if (chunk->count == LOOK_UP_CHUNK)
        TRY(ask_chunk(chunk));
    chunk->sizes[chunk->count] = prefix.size + key.size;
    chunk->out_values[chunk->count++] = out_value;
    buffer_append(&chunk->bytes, prefix.data, prefix.size);
    buffer_append(&chunk->bytes, key.data, key.size);
    return STATUS_OK;
}

static enum status ask_source(struct chunk *chunk, const struct store_question *question,
                              struct slice prefix) {
    for (size_t i = 0; i < question->count; i++)
        if (!question->out_values[i].data)
            TRY(chunk_add(chunk, prefix, question->keys[i], &question->out_values[i]));
    return STATUS_OK;
}

/* Of META, PANES and ORPHANS the table is all there is to ask, once. */
static enum status ask_in_round(struct chunk *chunk, const struct store_question *question,
                                size_t round, bool *out_asked) {
    char scratch[PREFIX_BYTES];
    struct slice prefix = {scratch, 0};
    if (family_is_sliced(question->family.kind)) {
        struct family_runs runs = stored_runs_of(&chunk->tables->runs, question->family);
        if (round >= runs.count)
            return STATUS_OK;
        prefix = run_prefix(question->family, runs.entries[runs.count - 1 - round].number, scratch);
    } else if (round > 0) {
        return STATUS_OK;
    }
    *out_asked = true;
    return ask_source(chunk, question, prefix);
}

/* Whether a chunk that ends with one family may go on with another. */
static bool follows(const struct rocks_tables *tables, struct family before, struct family next) {
    return rocks_table(tables, before.kind) == rocks_table(tables, next.kind) &&
           family_compare(before, next) < 0;
}

static enum status ask_round(struct chunk *chunk, const struct store_question *questions,
                             size_t count, size_t round, bool *out_asked) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && !follows(chunk->tables, questions[i - 1].family, questions[i].family))
            TRY(ask_chunk(chunk));
        chunk->kind = questions[i].family.kind;
        TRY(ask_in_round(chunk, &questions[i], round, out_asked));
    }
    return ask_chunk(chunk);
}

enum status rocks_look_up(struct rocks_tables *tables, const struct store_question *questions,
                          size_t count, struct arena *arena, struct error *err) {
    struct chunk chunk = {.tables = tables, .arena = arena, .err = err};
    buffer_init(&chunk.bytes, SIZE_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < questions[i].count; j++)
            questions[i].out_values[j] = (struct slice){0};
    enum status status = STATUS_OK;
    bool is_asked = true;
    for (size_t round = 0; is_asked && status == STATUS_OK; round++) {
        is_asked = false;
        status = ask_round(&chunk, questions, count, round, &is_asked);
    }
    buffer_release(&chunk.bytes);
    return status;
}
