/* definition.h -- what a user configured, as plain data: inputs, tasks, windows, groups, metrics.
 *
 * Made by config.c from YAML (or by a test, by hand), then never changed.  All strings are owned by
 * the struct config.  Times are milliseconds; ranges half-open.  SPDX-License-Identifier:
 * Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_DEFINITION_H
#define SLIPSTREAM_CONFIG_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum {
    GROUPINGS_MAX = 7, /* declared groupings a task, besides "all" */
    GROUPING_COLUMNS_MAX = 3,
    WINDOWS_MAX = 8,
    METRICS_MAX = 48,
    CLASSES_MAX = 50,
    THRESHOLD_CELLS_MAX = 4096,
};

enum task_kind { TASK_BINARY, TASK_MULTICLASS, TASK_REGRESSION };

enum window_kind {
    WINDOW_TUMBLING,   /* [k size, (k+1) size) */
    WINDOW_HOPPING,    /* [k slide, k slide + size) */
    WINDOW_CUMULATIVE, /* [k size, k size + j slide), j = 1 .. size/slide */
};

struct window_definition {
    const char *name; /* "1h"; unique in the task */
    enum window_kind kind;
    int64_t size_ms, slide_ms; /* tumbling: slide = size; size is a multiple of slide */
    int64_t offset_ms;         /* moves the grid: windows start at offset + k slide */
};

/* One way to cut the predictions into groups: a column, or a cross of columns. */
struct grouping_definition {
    const char *name;                  /* "zone", "zone,vendor" */
    int columns[GROUPING_COLUMNS_MAX]; /* indices into the prediction topic's columns */
    int column_count;
};

struct metric;

struct metric_use {
    const struct metric *metric;
    const char *name; /* as published: "f2", "precision" */
    double parameter; /* beta of fbeta, the quantile of lag; else 0 */
};

struct task_definition {
    const char *name;
    enum task_kind kind;
    int64_t horizon_ms;
    int64_t pane_ms; /* gcd of the windows' sizes, slides and offsets, or a divisor of it set by the
                        user */
    int64_t segment_ms; /* width of a segment of the join state: horizon / 48, at least 1 minute */
    int64_t effective_from_ms; /* event time; predictions before it are BEFORE_EPOCH */
    double threshold;          /* binary: positive iff score >= threshold */
    double level;              /* of the intervals, .95 */
    uint32_t cell_count;       /* score cells over [0,1], 256 */
    const char *classes[CLASSES_MAX];
    int class_count; /* multiclass */
    const char
        *positive_label; /* binary: label text that means 1; NULL: numbers and booleans only */

    /* Columns by index (into topic_definition.columns); -1 when not configured. */
    int score_column;  /* predictions: binary score */
    int output_column; /* predictions: class (multiclass) or value (regression) */
    int label_column;  /* feedback */
    int where_column;  /* predictions: only rows whose value equals where_value; else FILTERED */
    struct slice where_value;
    int feedback_where_column; /* the same on feedback */
    struct slice feedback_where_value;

    struct grouping_definition groupings[GROUPINGS_MAX];
    int grouping_count;
    uint32_t groups_max; /* admitted a grouping and partition; later ones count in "other" */
    struct window_definition windows[WINDOWS_MAX];
    int window_count;
    struct metric_use metrics[METRICS_MAX];
    int metric_count;

    /* 1, 2, ...: by fingerprint, from the control topic; several epochs of one name stand side by
     * side in struct config while old panes are alive. */
    int64_t epoch;
    uint64_t fingerprint;  /* of the definition's canonical text: same fingerprint, same epoch */
    const char *canonical; /* that text */
};

struct topic_definition {
    const char *topic;
    int format;              /* enum payload_format */
    const char *schema_file; /* FORMAT_AVRO; NULL otherwise */
    struct column_definition {
        const char *path;
        bool is_time;
    } * columns; /* what the decoder yields, in this order */
    int column_count;
    int id_column, time_column; /* feedback: time of the label */
    int prediction_time_column; /* feedback: the prediction's event time, -1 when it does not come
                                 */
    int64_t disorder_max_ms;    /* predictions 24 h, feedback 7 d */
};

enum idle_advance { IDLE_BY_WALL, IDLE_NONE };

struct setting {
    const char *key, *value;
    bool secret;
    int line; /* of the file; 0: the environment's */
};

struct config {
    const char *application; /* names groups, transactional ids, internal topics */
    const char *state_directory, *schema_directory;
    const char *state_key_file; /* NULL: none */
    struct slice state_key;     /* the secret in it; empty: none.  Never printed */
    struct topic_definition predictions, feedback;
    struct task_definition *tasks;
    int task_count;

    int64_t skew_ms; /* 60 000: clock differences tolerated; label before prediction, event after
                        record time */
    int64_t disorder_ms;     /* 10 000: the watermark stays this far behind the prediction clock */
    int idle_advance;        /* enum idle_advance */
    int64_t idle_timeout_ms; /* 0: idle.advance none */
    int64_t commit_interval_ms, revision_interval_ms;
    size_t commit_bytes; /* partials past this wait, coldest first */
    size_t orphans_max;  /* labels waiting, a partition */
    size_t delta_rows_max, delta_bytes_max;
    size_t locator_bytes_max; /* hints in which segment an id is, a partition */
    int64_t flush_interval_ms;
    size_t pane_bytes_max;   /* panes in memory, a partition; colder ones live in the store */
    size_t task_bytes_max;   /* partials in memory, of stage 2; older ones likewise; 0: no limit */
    size_t memory_bytes_max; /* block cache, shared by all stores of the process */
    size_t record_bytes_max;
    size_t dead_letter_bytes_max; /* key and value; below what producer and topic take */
    int workers;
    int partials_partitions; /* of the partials and state topics */
    int topics_partitions;   /* of input topics that `check --create-topics` creates */
    int topics_replication;  /* of topics that it creates; 0: the brokers' default */
    const char *http_bind;   /* "127.0.0.1:9464"; NULL: off */

    const char *slis_topic, *dead_letters_topic, *partials_topic, *checkpoints_topic, *state_topic,
        *tasks_topic;
    struct setting *kafka; /* passed to librdkafka */
    int kafka_count;
};

#endif
