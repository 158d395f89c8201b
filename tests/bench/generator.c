/* generator.c -- fills two topics with predictions and their labels, the same for the same options,
 * in the order of their own times.
 *
 * Predictions are spaced evenly over --span-ms of event time; scores are uniform;
 * --labelled-percent of them get a label, Bernoulli(score), after a lag that is uniform up to
 * --lag-ms, but for
 * --quick-percent of the labels uniform up to a minute.  --expected FILE gets the right answer, one
 * line a group and hour: group,window start,tp,fp,tn,fn,predicted at a threshold of one half.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/wire.h"

static struct {
    const char *brokers, *predictions, *feedback, *expected;
    int64_t count, groups, partitions, span_ms, lag_ms, labelled_percent, quick_percent, seed;
    int64_t with_time; /* feedback carries the prediction's time */
} options = {.predictions = "predictions",
             .feedback = "feedback",
             .count = 300000,
             .groups = 8,
             .partitions = 4,
             .span_ms = 2 * DAY_MS,
             .lag_ms = DAY_MS,
             .labelled_percent = 50,
             .quick_percent = 50,
             .seed = 1};

static const int64_t start_ms = 1704067200000; /* 2024-01-01T00:00:00Z */

enum field { SCORE, GROUP, LABEL, IS_LABELLED, IS_QUICK, LAG, FEATURES, FIELD_COUNT = 32 };
enum outcome { TRUE_POSITIVE, FALSE_POSITIVE, TRUE_NEGATIVE, FALSE_NEGATIVE, PREDICTED, OUTCOMES };

static uint64_t draw(int64_t i, enum field field) {
    return mix((uint64_t)options.seed) ^ ((uint64_t)i * FIELD_COUNT + field);
}
static double unit(int64_t i, enum field field) {
    return uniform(draw(i, field));
}
static int64_t time_of(int64_t i) {
    return start_ms + (int64_t)((double)i / (double)options.count * (double)options.span_ms);
}
static int64_t group_of(int64_t i) {
    return (int64_t)(unit(i, GROUP) * (double)options.groups);
}
static bool label_of(int64_t i) {
    return unit(i, LABEL) < unit(i, SCORE);
}
static bool is_labelled(int64_t i) {
    return unit(i, IS_LABELLED) * 100 < (double)options.labelled_percent;
}
static int64_t lag_of(int64_t i) {
    bool is_quick = unit(i, IS_QUICK) * 100 < (double)options.quick_percent;
    return (int64_t)(unit(i, LAG) * (is_quick ? 60000 : (double)options.lag_ms));
}

/* Labels on their way: a binary heap, the earliest on top. */
struct label {
    int64_t time_ms, index;
};
static struct label *labels;
static size_t label_count;

static bool is_before(struct label a, struct label b) {
    return a.time_ms != b.time_ms ? a.time_ms < b.time_ms : a.index < b.index;
}

static void push(struct label label) {
    size_t i = label_count++;
    for (; i > 0 && is_before(label, labels[(i - 1) / 2]); i = (i - 1) / 2)
        labels[i] = labels[(i - 1) / 2];
    labels[i] = label;
}

static struct label pop(void) {
    struct label top = labels[0], last = labels[--label_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < label_count; i = child) {
        if (child + 1 < label_count && is_before(labels[child + 1], labels[child]))
            child++;
        if (!is_before(labels[child], last))
            break;
        labels[i] = labels[child];
    }
    labels[i] = last;
    return top;
}

static int64_t (*expected)[OUTCOMES]; /* by hour, then group */

static void expect(int64_t i) {
    int64_t hour = (time_of(i) - start_ms) / HOUR_MS;
    int64_t *cell = expected[hour * options.groups + group_of(i)];
    bool is_positive = unit(i, SCORE) >= .5, label = label_of(i);
    cell[PREDICTED]++;
    if (is_labelled(i))
        cell[is_positive ? (label ? TRUE_POSITIVE : FALSE_POSITIVE)
                         : (label ? FALSE_NEGATIVE : TRUE_NEGATIVE)]++;
}

static void send_prediction(rd_kafka_t *client, int64_t i) {
    unsigned char value[WIRE_VALUE_MAX];
    char id[WIRE_ID_SIZE + 1], group[GROUP_NAME_SIZE];
    wire_id(id, (uint64_t)options.seed, i);
    (void)snprintf(group, sizeof group, "g%d", (int)group_of(i));
    const struct wire_prediction prediction = {id, group, time_of(i), unit(i, SCORE),
                                               draw(i, FEATURES)};
    kafka_send(client, options.predictions, id, value, wire_prediction(value, &prediction),
               time_of(i));
    expect(i);
    if (is_labelled(i))
        push((struct label){time_of(i) + lag_of(i), i});
}

static void send_label(rd_kafka_t *client, struct label label) {
    unsigned char value[WIRE_VALUE_MAX];
    char id[WIRE_ID_SIZE + 1];
    wire_id(id, (uint64_t)options.seed, label.index);
    size_t size = wire_feedback(value, id, label.time_ms, label_of(label.index),
                                options.with_time ? time_of(label.index) : -1);
    kafka_send(client, options.feedback, id, value, size, label.time_ms);
}

static int64_t send_all(rd_kafka_t *client) {
    int64_t sent = 0;
    for (int64_t i = 0; i < options.count || label_count > 0; sent++) {
        if (i < options.count && (label_count == 0 || time_of(i) <= labels[0].time_ms))
            send_prediction(client, i++);
        else
            send_label(client, pop());
        if (sent % 1024 == 0)
            (void)rd_kafka_poll(client, 0);
    }
    while (rd_kafka_flush(client, 10000) == RD_KAFKA_RESP_ERR__TIMED_OUT)
        ;
    return sent;
}

static void write_expected(int64_t hours) {
    FILE *file = fopen(options.expected, "w");
    if (!file)
        die(options.expected, "cannot be written");
    for (int64_t i = 0; i < hours * options.groups; i++) {
        const int64_t *cell = expected[i];
        if (cell[PREDICTED] == 0)
            continue;
        (void)fprintf(file, "g%lld,%lld", (long long)(i % options.groups),
                      (long long)(start_ms + i / options.groups * HOUR_MS));
        for (int j = 0; j < OUTCOMES; j++)
            (void)fprintf(file, ",%lld", (long long)cell[j]);
        (void)fputc('\n', file);
    }
    if (fclose(file))
        die(options.expected, "cannot be written");
}

static void parse(int count, char **words) {
    const struct {
        const char *name;
        const char **text;
        int64_t *number;
    } known[] = {{"--brokers", &options.brokers, NULL},
                 {"--predictions", &options.predictions, NULL},
                 {"--feedback", &options.feedback, NULL},
                 {"--expected", &options.expected, NULL},
                 {"--n", NULL, &options.count},
                 {"--groups", NULL, &options.groups},
                 {"--partitions", NULL, &options.partitions},
                 {"--span-ms", NULL, &options.span_ms},
                 {"--lag-ms", NULL, &options.lag_ms},
                 {"--labelled-percent", NULL, &options.labelled_percent},
                 {"--quick-percent", NULL, &options.quick_percent},
                 {"--prediction-time", NULL, &options.with_time},
                 {"--seed", NULL, &options.seed}};
    for (int i = 1; i < count; i += 2) {
        size_t j = 0;
        while (j < sizeof known / sizeof *known && strcmp(words[i], known[j].name) != 0)
            j++;
        if (j == sizeof known / sizeof *known || i + 1 == count)
            die(words[i], "not an option, or without its value");
        if (known[j].text)
            *known[j].text = words[i + 1];
        else
            *known[j].number = argument_number(words[i], words[i + 1]);
    }
    if (!options.brokers || options.count < 1 || options.groups < 1 || options.span_ms < 1)
        die("usage", "bench_generator --brokers HOST:PORT [--n N] ...; see generator.c");
}

int main(int argc, char **argv) {
    parse(argc, argv);
    int64_t hours = options.span_ms / HOUR_MS + 1;
    expected = reserve((size_t)(hours * options.groups), sizeof *expected);
    labels = reserve((size_t)options.count, sizeof *labels);
    rd_kafka_t *client = kafka_producer(options.brokers, "20");
    kafka_create_topic(client, options.predictions, (int)options.partitions);
    kafka_create_topic(client, options.feedback, (int)options.partitions);
    double started = monotonic_s();
    int64_t sent = send_all(client);
    printf("generator predictions=%lld labels=%lld seconds=%.2f\n", (long long)options.count,
           (long long)(sent - options.count), monotonic_s() - started);
    if (options.expected)
        write_expected(hours);
    rd_kafka_destroy(client);
    free(labels);
    free(expected);
    return 0;
}
