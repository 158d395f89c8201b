/* generate.c -- slipstream generate.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands/generated.h"
#include "commands/registry.h"

enum what { WHAT_PREDICTIONS, WHAT_FEEDBACK, WHAT_ITEMS };

struct output {
    const struct generator *generator;
    const struct generation *generation;
    enum what what;
    bool is_csv;
};

/* Where an item stands in the output. */
struct place {
    int64_t time_ms;
    uint64_t index;
};

static const char *const section_names[] = {"output", "features", "groups"};

/* 17 digits: a reader gets the same double. */
static void write_number(double number, bool is_csv) {
    if (isfinite(number))
        (void)printf("%.17g", number);
    else if (!is_csv)
        (void)fputs("null", stdout);
}

static void write_field(const struct generated_field *field, bool is_csv) {
    if (field->is_number)
        write_number(field->number, is_csv);
    else
        (void)printf(is_csv ? "%s" : "\"%s\"", field->text);
}

static void write_id(const struct output *output, uint64_t index) {
    (void)printf("%s-%" PRIu64 "-%09" PRIu64, generator_model(output->generator),
                 output->generation->seed, index);
}

static void write_section(const struct generated *item, enum generated_section section) {
    const char *comma = "";
    (void)printf(",\"%s\":{", section_names[section]);
    for (int i = 0; i < item->field_count; i++) {
        if (item->fields[i].section != section)
            continue;
        (void)printf("%s\"%s\":", comma, item->fields[i].name);
        write_field(&item->fields[i], false);
        comma = ",";
    }
    (void)fputs("}", stdout);
}

static void write_prediction_json(const struct output *output, const struct generated *item) {
    (void)fputs("{\"id\":\"", stdout);
    write_id(output, item->index);
    (void)printf("\",\"event_time\":%" PRId64 ",\"model\":\"%s\",\"model_version\":\"1\"",
                 item->event_ms, generator_model(output->generator));
    for (int section = 0; section < SECTION_COUNT; section++)
        write_section(item, (enum generated_section)section);
    (void)fputs("}\n", stdout);
}

static void write_prediction_csv(const struct output *output, const struct generated *item) {
    write_id(output, item->index);
    (void)printf(",%" PRId64 ",%s,1", item->event_ms, generator_model(output->generator));
    for (int i = 0; i < item->field_count; i++) {
        (void)fputs(",", stdout);
        write_field(&item->fields[i], true);
    }
    (void)fputs("\n", stdout);
}

static void write_feedback(const struct output *output, const struct generated *item) {
    (void)fputs(output->is_csv ? "" : "{\"id\":\"", stdout);
    write_id(output, item->index);
    (void)printf(output->is_csv ? ",%" PRId64 "," : "\",\"label_time\":%" PRId64 ",\"label\":",
                 item->label_ms);
    write_number(item->label, output->is_csv);
    (void)printf(output->is_csv ? ",%" PRId64 "\n" : ",\"prediction_time\":%" PRId64 "}\n",
                 item->event_ms);
}

/* The raw draws, one line each, to compare with other implementations of the streams. */
static void write_item(const struct generated *item) {
    (void)printf("%" PRIu64 ",%" PRId64 ",%" PRId64 ",%d,", item->index, item->event_ms,
                 item->label_ms, item->has_label);
    write_number(item->label, true);
    for (int i = 0; i < item->field_count; i++) {
        (void)fputs(",", stdout);
        write_field(&item->fields[i], true);
    }
    (void)fputs("\n", stdout);
}

static void write_header(const struct output *output) {
    struct generated item;
    if (output->what == WHAT_FEEDBACK && output->is_csv)
        (void)printf("id,label_time,label,prediction_time\n");
    if (output->what == WHAT_FEEDBACK || (output->what == WHAT_PREDICTIONS && !output->is_csv))
        return;
    generator_item(output->generator, 0, &item);
    (void)fputs(output->what == WHAT_ITEMS ? "index,event_time,label_time,has_label,label"
                                           : "id,event_time,model,model_version",
                stdout);
    for (int i = 0; i < item.field_count; i++)
        (void)printf(",%s.%s", section_names[item.fields[i].section], item.fields[i].name);
    (void)fputs("\n", stdout);
}

static void write_one(const struct output *output, const struct generated *item) {
    if (output->what == WHAT_ITEMS)
        write_item(item);
    else if (output->what == WHAT_FEEDBACK)
        write_feedback(output, item);
    else if (output->is_csv)
        write_prediction_csv(output, item);
    else
        write_prediction_json(output, item);
}

static int compare_places(const void *a, const void *b) {
    const struct place *left = a, *right = b;
    if (left->time_ms != right->time_ms)
        return left->time_ms < right->time_ms ? -1 : 1;
    return (left->index > right->index) - (left->index < right->index);
}

/* Predictions by event time, feedback by label time, items as they are numbered. */
static struct place *places_create(const struct output *output, uint64_t count,
                                   uint64_t *out_count) {
    struct place *places = alloc_zero(count, sizeof *places);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct generated item;
        generator_item(output->generator, i, &item);
        if (output->what == WHAT_FEEDBACK && !item.has_label)
            continue;
        int64_t time_ms = output->what == WHAT_FEEDBACK ? item.label_ms : item.event_ms;
        places[kept++] = (struct place){output->what == WHAT_ITEMS ? 0 : time_ms, i};
    }
    qsort(places, kept, sizeof *places, compare_places);
    *out_count = kept;
    return places;
}

static int write_all(const struct output *output) {
    uint64_t count = 0;
    struct place *places = places_create(output, generator_count(output->generator), &count);
    if (generator_count(output->generator) > 0)
        write_header(output);
    for (uint64_t i = 0; i < count && !ferror(stdout); i++) {
        struct generated item;
        generator_item(output->generator, places[i].index, &item);
        write_one(output, &item);
    }
    free(places);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : EXIT_FAILED;
}

struct generate_options {
    const char *seed, *count, *format, *what, *start, *rate, *labelled, *lag, *kind, *drift_at,
        *drift_by;
};

static bool read_choice(const char *option, const char *text, const char *const *words,
                        size_t count, size_t *out_index) {
    for (size_t i = 0; text && i < count; i++)
        if (strcmp(text, words[i]) == 0) {
            *out_index = i;
            return true;
        }
    if (text)
        (void)fprintf(stderr, "slipstream generate: --%s: %s is not known (see --help)\n", option,
                      text);
    return !text;
}

static bool read_generation(const struct generate_options *options, struct generation *generation) {
    int64_t seed = 1, count = 10000, drift_at = 0, lag_ms = 1800000;
    generation->start_ms = 1704067200000; /* 2024-01-01 */
    generation->rate = 10;
    generation->labelled = 1;
    generation->drift_by = -2;
    generation->kind = options->kind ? options->kind : "none";
    bool good = argument_count("seed", options->seed, 0, INT64_MAX, &seed) &&
                argument_count("count", options->count, 1, 200000000, &count) &&
                argument_time("start", options->start, &generation->start_ms) &&
                argument_number("rate", options->rate, 1e-6, 1e9, &generation->rate) &&
                argument_number("labelled", options->labelled, 0, 1, &generation->labelled) &&
                argument_duration("lag", options->lag, &lag_ms) &&
                argument_count("drift-at", options->drift_at, 0, INT64_MAX, &drift_at) &&
                argument_number("drift-by", options->drift_by, -20, 20, &generation->drift_by);
    generation->seed = (uint64_t)seed;
    generation->count = (uint64_t)count;
    generation->lag_median_minutes = (double)lag_ms / 60000;
    generation->has_drift = options->drift_at != NULL;
    generation->drift_at = (uint64_t)drift_at;
    return good;
}

static int generate(const char *stream, const struct generate_options *options) {
    static const char *const whats[] = {"predictions", "feedback", "items"};
    static const char *const formats[] = {"jsonl", "csv"};
    struct generation generation = {.stream = stream};
    size_t what = 0, format = 0;
    if (!read_generation(options, &generation) ||
        !read_choice("what", options->what, whats, COUNT_OF(whats), &what) ||
        !read_choice("format", options->format, formats, COUNT_OF(formats), &format))
        return EXIT_USAGE;
    struct generator *generator = generator_create(&generation);
    if (!generator)
        return EXIT_USAGE;
    const struct output output = {generator, &generation, (enum what)what, format == 1};
    int code = write_all(&output);
    generator_destroy(generator);
    return code;
}

static int run(int argc, char **argv) {
    struct generate_options options = {.seed = NULL};
    const struct argument arguments[] = {
        {"what", "WHAT", "predictions (default), feedback, or items: the raw draws as CSV",
         &options.what},
        {"format", "FORMAT", "jsonl (default) or csv", &options.format},
        {"seed", "N", "another seed, another stream (1)", &options.seed},
        {"count", "N", "predictions (10000)", &options.count},
        {"start", "TIME", "event time of the first prediction (2024-01-01)", &options.start},
        {"rate", "N", "predictions a second of event time (10)", &options.rate},
        {"labelled", "SHARE", "of the predictions (1)", &options.labelled},
        {"lag", "DURATION", "median lag of the labels; lognormal, sigma 1 (30m)", &options.lag},
        {"drift-at", "N", "from this prediction on the world differs (TIPS, REG, LAG)",
         &options.drift_at},
        {"drift-by", "X", "what it adds to the true log-odds, unknown to the model (-2)",
         &options.drift_by},
        {"kind", "NAME", "the shift planted in a KIND stream (none)", &options.kind},
    };
    const char *operands[1];
    int code = EXIT_DONE;
    if (!arguments_parse(&command_generate, argc, argv, arguments, COUNT_OF(arguments), operands, 1,
                         &code))
        return code;
    return generate(operands[0], &options);
}

const struct command command_generate = {
    .name = "generate",
    .summary = "write a named synthetic stream of predictions and labels",
    .synopsis = "STREAM [--what predictions|feedback|items] [--count N] ...",
    .text =
        "Writes predictions, or the feedback that belongs to them, in the form that load and\n"
        "local read and in order of time. The same options and seed give the same stream.\n\n"
        "  TIPS   taxi trips: will the tip be high? accuracy .74; groups zone, payment, vendor\n"
        "  FRAUD  rare positives: 1.3 % of the labels\n"
        "  REG    taxi fares: a value is predicted\n"
        "  LAG    TIPS within two hours, in no order\n"
        "  KIND   TIPS with one planted shift (--kind)\n\n"
        "Example: accuracy falls at the 50 000th prediction\n"
        "  slipstream generate TIPS --count 100000 --drift-at 50000 > predictions.jsonl\n"
        "  slipstream generate TIPS --count 100000 --drift-at 50000 --what feedback > "
        "feedback.jsonl",
    .run = run,
};
