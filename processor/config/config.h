/* config.h -- one YAML file and the environment, read into a struct config.
 *
 * Environment   SLIPSTREAM_ and an option's name in capitals, each other character an underscore:
 *               SLIPSTREAM_COMMIT_INTERVAL=1s, SLIPSTREAM_KAFKA_BOOTSTRAP_SERVERS=b:9092.  It wins
 *               over the file.  Tasks cannot be set so: a definition must be one text for all
 *               members.
 * Secrets       `kafka.sasl.password.file: PATH` reads sasl.password from a file; whatever holds a
 *               secret is printed as ********.
 * Paths         are relative to the working directory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_CONFIG_CONFIG_H
#define SLIPSTREAM_CONFIG_CONFIG_H

#include "base/error.h"
#include "config/definition.h"
#include "config/problem.h"

/* Errors: CONFIG; err holds the first problem and how many more there are. */
enum status config_load(const char *path, struct config **out_config, struct error *err) MUST_CHECK;
/* The same with all problems; CONFIG when there is one.  name stands for the text in problems. */
enum status config_read(const char *path, struct config **out_config,
                        struct problems *problems) MUST_CHECK;
enum status config_parse(const char *name, struct slice text, struct config **out_config,
                         struct problems *problems) MUST_CHECK;
void config_destroy(struct config *config); /* accepts NULL; only what the above made */

/* Appends the effective configuration as YAML that config_parse reads back, secrets masked. */
void config_print(const struct config *config, struct buffer *out);
/* Appends every option and metric as Markdown: docs/REFERENCE.md. */
void config_reference(struct buffer *out);

enum { PLANS_MAX = 8, PLAN_SETTINGS_MAX = 4, ESTIMATE_BYTES_MAX = 1 << 16 };

struct topic_setting {
    const char *name, *value; /* of Kafka's topic configuration */
};

struct topic_plan {
    const char *topic, *purpose;
    struct topic_setting settings[PLAN_SETTINGS_MAX];
    int setting_count;
    int partitions;  /* when created; like_predictions: unless the predictions topic exists */
    int replication; /* 0: the brokers' default */
    bool is_input;
    bool like_predictions; /* must have as many partitions as the predictions topic has */
};

/* The topics that this configuration needs; inputs first.  Texts are borrowed from config. */
int config_topics(const struct config *config, struct topic_plan out_plans[PLANS_MAX]);
/* Appends them as a table. */
void config_print_topics(const struct config *config, struct buffer *out);
/* Appends a kafka-acls argument list a line for principal ("User:slipstream"). */
void config_print_acls(const struct config *config, const char *principal, struct buffer *out);

struct load {
    double predictions_per_second;
    double labelled; /* share of predictions that get a label, in [0,1] */
    int groups;      /* live groups of all groupings of a task together, "all" not counted */
    int partitions;  /* of the predictions topic */
};

/* bootstrap.servers, by either of its names. */
const char *config_brokers(const struct config *config);

/* What that load costs (docs/DESIGN.md, budgets): upper estimates, for planning. */
struct load_estimate {
    double pending_rows;            /* join rows held, all partitions and tasks */
    double disk_bytes;              /* rows, label marks and panes, all partitions */
    double memory_bytes;            /* of one process that holds all partitions */
    double open_panes;              /* (pane, group) pairs not yet final, all partitions */
    double partials_bytes_a_second; /* written to the partials topic */
    double reads_a_label;           /* segments probed, of the worst task; 1 when the feedback
                                       carries the time or the locator holds every row */
    double locator_bytes;           /* that a partition's locator would need; 0 when the feedback
                                       carries the time */
};
/* Rows a partition and task whose segment the locator can name. */
double config_located_rows(const struct config *config);
/* Segments that a label without the prediction's time may lie in, of the worst task. */
double config_segments_a_label(const struct config *config);
void config_estimate(const struct config *config, const struct load *load,
                     struct load_estimate *out_estimate);
void config_print_estimate(const struct config *config, const struct load *load,
                           struct buffer *out);

#endif
