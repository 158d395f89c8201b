/* store_rocks_options.h -- how we use RocksDB: its settings, for store_rocks.c alone.
 *
 * Runs       ingested files only, never compacted by RocksDB: store_rocks_tables.h says how they
 *            lie.  LZ4 in blocks of 4 kB; the filter and the index of a file are one block each.
 * Ordinary   meta, panes, orphans: leveled, small memtables; those of a whole database hold
 *            DATABASE_MEMTABLE_BYTES at most.
 * Memory     data, index and filter blocks of all databases live in the one shared cache, in few
 *            shards, since a block longer than its shard is read again at each look-up; index and
 *            filter blocks with high priority.  Memtables are not charged to it (the C API has
 *            no write buffer manager), hence their own small bound.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_STATE_STORE_ROCKS_OPTIONS_H
#define SLIPSTREAM_STATE_STORE_ROCKS_OPTIONS_H

#include <rocksdb/c.h>

#include "state/store.h"

struct store_rocks_options {
    rocksdb_options_t *ordinary, *panes, *runs; /* ordinary is the database's too */
    rocksdb_writeoptions_t *synced;
    rocksdb_readoptions_t *reading, *scanning;
    rocksdb_ingestexternalfileoptions_t *moving;
    rocksdb_envoptions_t *environment;
};

void store_rocks_options_init(struct store_rocks_options *options, const struct store_cache *cache);
void store_rocks_options_release(struct store_rocks_options *options);

#endif
