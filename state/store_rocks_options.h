/* store_rocks_options.h -- how we use RocksDB: its settings, for store_rocks.c alone.
 *
 * Runs       ingested files only, never compacted by RocksDB: store_rocks_tables.h says how they
 *            lie.  LZ4 in blocks of 4 kB; the filter and the index of a file are one block each.
 * Ordinary   meta, panes, orphans: leveled, small memtables; those of a whole database hold
 *            DATABASE_MEMTABLE_BYTES at most.
 * Memory     data, index and filter blocks of all databases live in the one shared cache, in few
 *            shards, since a block longer than its shard is read again at each look-up; index and
 *            filter blocks with high priority.  Blocks of rows and marks enter it while all of them
 *            would fit: to put one in costs more than to read and decompress it, so that most
 *            would have to be found there again.  Memtables are not charged to it (the C API has
 *            no write buffer manager), hence their own small bound.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_OPTIONS_H
#define SLIPSTREAM_STATE_STORE_ROCKS_OPTIONS_H

#include <rocksdb/c.h>

#include "state/store.h"

struct store_rocks_options {
    rocksdb_options_t *ordinary, *panes, *runs; /* ordinary is the database's too */
    rocksdb_writeoptions_t *synced;
    rocksdb_readoptions_t *reading, *passing; /* with and without filling the cache */
    rocksdb_ingestexternalfileoptions_t *moving;
    rocksdb_envoptions_t *environment;
};

void store_rocks_options_init(struct store_rocks_options *options, const struct store_cache *cache);
void store_rocks_options_release(struct store_rocks_options *options);

/* The runs of all stores that share the cache now have so many bytes more, or less. */
void store_cache_count(struct store_cache *cache, int64_t more_bytes);
/* Runs are longer than what the cache holds. */
bool store_cache_is_small(const struct store_cache *cache);

#endif
