/* SPDX-License-Identifier: Apache-2.0 */
#include "state/store_rocks_options.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
    RUN_LEVELS = 2, /* all files are in the last */
    FILTER_BITS = 10,
    RUN_BLOCK_BYTES = 4 * 1024,
    ORDINARY_BLOCK_BYTES = 8 * 1024,
    RESTART_INTERVAL = 16,
    RUN_MEMTABLE_BYTES = 64 * 1024, /* never written */
    ORDINARY_MEMTABLE_BYTES = 4 * 1024 * 1024,
    DATABASE_MEMTABLE_BYTES = 8 * 1024 * 1024,
    MEMTABLE_BLOCK_BYTES = 16 * 1024,
    PANES_LEVEL0_FILES = 8,
    WAL_BYTES = 64 * 1024 * 1024,
    OPEN_FILES = 512,
    LOG_BYTES = 1024 * 1024,
    LOG_LEVEL_WARN = 2,
    SHARD_BITS_MAX = 4,
    SHARD_BYTES_MIN = 16 * 1024 * 1024, /* the longest run has a filter of 4 MB, in one shard */
};

struct store_cache {
    rocksdb_cache_t *lru;
    atomic_int_fast64_t runs_bytes;
};

struct store_cache *store_cache_create(size_t bytes_max) {
    struct store_cache *cache = alloc_zero(1, sizeof *cache);
    int bits = 0;
    while (bits < SHARD_BITS_MAX && bytes_max >> (bits + 1) >= SHARD_BYTES_MIN)
        bits++;
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, bytes_max);
    rocksdb_lru_cache_options_set_num_shard_bits(options, bits);
    cache->lru = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

void store_cache_destroy(struct store_cache *cache) {
    if (!cache)
        return;
    rocksdb_cache_destroy(cache->lru);
    free(cache);
}

void store_cache_usage(const struct store_cache *cache, uint64_t *out_bytes,
                       uint64_t *out_bytes_max) {
    *out_bytes = rocksdb_cache_get_usage(cache->lru);
    *out_bytes_max = rocksdb_cache_get_capacity(cache->lru);
}

void store_cache_count(struct store_cache *cache, int64_t more_bytes) {
    atomic_fetch_add_explicit(&cache->runs_bytes, more_bytes, memory_order_relaxed);
}

bool store_cache_is_small(const struct store_cache *cache) {
    return atomic_load_explicit(&cache->runs_bytes, memory_order_relaxed) >
           (int64_t)rocksdb_cache_get_capacity(cache->lru);
}

static void set_table(rocksdb_options_t *options, const struct store_cache *cache,
                      size_t block_bytes, int restart_interval) {
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_size(table, block_bytes);
    rocksdb_block_based_options_set_block_restart_interval(table, restart_interval);
    rocksdb_block_based_options_set_format_version(table, 5);
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
    rocksdb_block_based_options_set_block_cache(table, cache->lru);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

static rocksdb_options_t *create_runs(const struct store_cache *cache) {
    rocksdb_options_t *options = rocksdb_options_create();
    set_table(options, cache, RUN_BLOCK_BYTES, RESTART_INTERVAL);
    rocksdb_options_set_compaction_style(options, rocksdb_level_compaction);
    rocksdb_options_set_num_levels(options, RUN_LEVELS);
    rocksdb_options_set_disable_auto_compactions(options, 1);
    rocksdb_options_set_write_buffer_size(options, RUN_MEMTABLE_BYTES);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    return options;
}

/* Of a synced log nothing in the middle is ever lost: damage there is an error, not an earlier
 * state to go on from, since the ingested rows would be ahead of it. */
static void set_database(rocksdb_options_t *options) {
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_wal_recovery_mode(options,
                                          rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_max_total_wal_size(options, WAL_BYTES);
    rocksdb_options_set_db_write_buffer_size(options, DATABASE_MEMTABLE_BYTES);
    rocksdb_options_set_max_open_files(options, OPEN_FILES);
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    rocksdb_options_set_info_log_level(options, LOG_LEVEL_WARN);
    rocksdb_options_set_max_log_file_size(options, LOG_BYTES);
    rocksdb_options_set_keep_log_file_num(options, 2);
}

static rocksdb_options_t *create_ordinary(const struct store_cache *cache) {
    rocksdb_options_t *options = rocksdb_options_create();
    set_table(options, cache, ORDINARY_BLOCK_BYTES, RESTART_INTERVAL);
    set_database(options);
    rocksdb_options_set_write_buffer_size(options, ORDINARY_MEMTABLE_BYTES);
    rocksdb_options_set_arena_block_size(options, MEMTABLE_BLOCK_BYTES);
    rocksdb_options_set_compression(options, rocksdb_zstd_compression);
    return options;
}

/* Written again and again, and gone within the horizon: compressed fast rather than well, and
 * compacted half as often as others, when more of it has been overwritten. */
static rocksdb_options_t *create_panes(const struct store_cache *cache) {
    rocksdb_options_t *options = create_ordinary(cache);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, PANES_LEVEL0_FILES);
    return options;
}

void store_rocks_options_init(struct store_rocks_options *options,
                              const struct store_cache *cache) {
    options->ordinary = create_ordinary(cache);
    options->panes = create_panes(cache);
    options->runs = create_runs(cache);
    options->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(options->synced, 1);
    options->reading = rocksdb_readoptions_create();
    options->passing = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(options->passing, 0);
    options->moving = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(options->moving, 1);
    options->environment = rocksdb_envoptions_create();
}

void store_rocks_options_release(struct store_rocks_options *options) {
    rocksdb_envoptions_destroy(options->environment);
    rocksdb_ingestexternalfileoptions_destroy(options->moving);
    rocksdb_readoptions_destroy(options->passing);
    rocksdb_readoptions_destroy(options->reading);
    rocksdb_writeoptions_destroy(options->synced);
    rocksdb_options_destroy(options->runs);
    rocksdb_options_destroy(options->panes);
    rocksdb_options_destroy(options->ordinary);
}
