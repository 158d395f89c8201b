/* check.c -- slipstream check.  SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands/check_kafka.h"
#include "commands/registry.h"
#include "http/http.h"
#include "kafka/setting_check.h"
#include "partition/decode.h"
#include "schemas/schema_set.h"

enum { CHECK_BYTES_MAX = 4 << 20 };

struct check_options {
    const char *rate, *labelled, *groups, *partitions, *principal;
    const char *create_topics, *offline, *only_topics, *only_acls, *quiet;
};

static bool read_load(const struct check_options *options, struct load *load) {
    int64_t groups = load->groups, partitions = load->partitions;
    bool good = argument_number("rate", options->rate, 0.001, 1e9, &load->predictions_per_second) &&
                argument_number("labelled", options->labelled, 0, 1, &load->labelled) &&
                argument_count("groups", options->groups, 0, 10000000, &groups) &&
                argument_count("partitions", options->partitions, 1, 100000, &partitions);
    load->groups = (int)groups;
    load->partitions = (int)partitions;
    return good;
}

static void add_title(struct buffer *out, const char *title) {
    text_add(out, "%s# %s\n", out->size ? "\n" : "", title);
}

static void report(const struct config *config, const struct check_options *options,
                   const struct load *load, struct buffer *out) {
    const char *principal = options->principal ? options->principal : "User:slipstream";
    bool all = !options->only_topics && !options->only_acls && !options->quiet;
    if (all) {
        add_title(out, "effective configuration");
        config_print(config, out);
        add_title(out, "topics: name, partitions, settings");
    }
    if (all || options->only_topics)
        config_print_topics(config, out);
    if (all)
        add_title(out, "rights, as arguments of kafka-acls");
    if (all || options->only_acls)
        config_print_acls(config, principal, out);
    if (all && config->feedback.prediction_time_column < 0)
        text_add(
            out,
            "\n# note: the feedback does not carry the prediction's time "
            "(feedback.prediction.time):\n# ids must be unique within the horizon, and each "
            "label is looked for: in one segment while\n# a task holds at most %.3g rows a "
            "partition (locator.max.bytes), beyond that, and after a\n# start until the stored "
            "rows are indexed, in up to %.0f\n",
            config_located_rows(config), config_segments_a_label(config));
    if (options->rate) {
        add_title(out, "estimate");
        config_print_estimate(config, load, out);
    }
}

/* The files that the inputs' formats need, read as run reads them. */
static enum status check_schemas(const struct config *config, struct error *err) {
    struct schema_set *schemas = NULL;
    if (decode_needs_schemas(config))
        TRY(schema_set_load(config->schema_directory, &schemas, err));
    enum status status = STATUS_OK;
    for (int log = 0; log < LOG_COUNT && status == STATUS_OK; log++) {
        struct decode *decode = NULL;
        status = decode_create(config, (enum log_side)log, schemas, &decode, err);
        decode_destroy(decode);
    }
    schema_set_destroy(schemas);
    return status;
}

/* What others judge by their own rules: librdkafka its settings, the address of http.bind. */
static bool check_values(const struct config *config, const char *path) {
    struct problems problems;
    struct error err = {0};
    problems_init(&problems, path);
    for (int i = 0; i < config->kafka_count; i++)
        if (setting_check(&config->kafka[i], &err) != STATUS_OK)
            problem_add(&problems, config->kafka[i].line, NULL, "%s", err.text);
    if (config->http_bind && http_check_bind(config->http_bind, &err) != STATUS_OK)
        problem_add(&problems, 0, NULL, "%s", err.text);
    bool good = problems.count == 0;
    (void)fwrite(problems.text.data ? problems.text.data : "", 1, problems.text.size, stderr);
    problems_release(&problems);
    return good;
}

static int ask_kafka(const struct config *config, const struct check_options *options) {
#ifdef HAVE_CHECK_KAFKA
    struct error err = {0};
    size_t findings = 0;
    if (options->offline)
        return EXIT_DONE;
    enum status status = check_kafka(config, options->create_topics != NULL, &findings, &err);
    if (status != STATUS_OK)
        return command_failed(&command_check, status, &err);
    return findings ? EXIT_FAILED : EXIT_DONE;
#else
    (void)config;
    if (!options->create_topics)
        return EXIT_DONE;
    (void)fprintf(stderr, "slipstream check: this build cannot ask Kafka\n");
    return EXIT_FAILED;
#endif
}

static int check(const char *path, const struct check_options *options) {
    struct load load = {.labelled = 0.5, .groups = 100, .partitions = 0};
    struct config *config = command_config(path);
    if (!config)
        return EXIT_USAGE;
    load.partitions = config->topics_partitions;
    if (!check_values(config, path) || !read_load(options, &load)) {
        config_destroy(config);
        return EXIT_USAGE;
    }
    struct error err = {0};
    enum status status = check_schemas(config, &err);
    if (status != STATUS_OK) {
        config_destroy(config);
        return command_failed(&command_check, status, &err);
    }
    struct buffer out;
    buffer_init(&out, CHECK_BYTES_MAX);
    report(config, options, &load, &out);
    bool written =
        fwrite(out.data ? out.data : "", 1, out.size, stdout) == out.size && fflush(stdout) == 0;
    buffer_release(&out);
    int code = written ? ask_kafka(config, options) : EXIT_FAILED;
    config_destroy(config);
    return code;
}

static int run(int argc, char **argv) {
    struct check_options options = {.rate = NULL};
    const struct argument arguments[] = {
        {"rate", "N", "estimate state, memory and Kafka bytes for N predictions a second",
         &options.rate},
        {"labelled", "SHARE", "share of predictions that get a label (0.5)", &options.labelled},
        {"groups", "N", "live groups of a task together (100)", &options.groups},
        {"partitions", "N", "partitions of the predictions topic (topics.partitions)",
         &options.partitions},
        {"topics", NULL, "print only the topics", &options.only_topics},
        {"acls", NULL, "print only the rights", &options.only_acls},
        {"quiet", NULL, "print only what is wrong", &options.quiet},
        {"principal", "NAME", "whom the rights are for (User:slipstream)", &options.principal},
        {"create-topics", NULL, "create the topics that are missing", &options.create_topics},
        {"offline", NULL, "do not ask the cluster", &options.offline},
    };
    const char *operands[1];
    int code = EXIT_DONE;
    if (!arguments_parse(&command_check, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    return check(operands[0], &options);
}

const struct command command_check = {
    .name = "check",
    .summary = "explain a configuration: errors, topics, rights, costs",
    .synopsis = "CONFIG [--rate N] [--create-topics] [--offline] ...",
    .text =
        "Reads the configuration and the environment and writes every error in one line with its\n"
        "remedy. A good one is printed as it is in force, secrets masked, with the topics and\n"
        "their settings and the rights that it needs; with --rate also what it will cost.\n"
        "Unless --offline is given the cluster is asked too: the topics and their settings, and\n"
        "whether both inputs are keyed alike.\n\n"
        "Example:\n  slipstream check docs/examples/demo.yaml --offline --rate 20000 --groups 500",
    .run = run,
};
