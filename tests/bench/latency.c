/* latency.c -- from a label's production to the committed SLI that counts it, live.
 *
 * Creates both topics, says "topics ready" and waits --wait seconds for the processor. Then sends
 * --rate predictions a second with event time now, for every second one a label half a second
 * later. A reader (read_committed) follows the accuracy of the groups in the slis topic: when
 * `labelled` of a window goes from a to b, labels a..b-1 of that cell, in the order of sending,
 * became readable.  Labels of one cell travel over several partitions, so that single ones may be
 * swapped: the mean is exact, percentiles near.  The first --skip seconds are left out.  A label
 * that never came out is `unseen`.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/wire.h"

enum { GROUPS = 8, HOURS = 3, LAG_DIVISOR = 2, DRAIN_S = 5 };

static struct {
    const char *brokers, *predictions, *feedback, *slis;
    int64_t rate, seconds, skip, wait, partitions;
} options = {.predictions = "live-p",
             .feedback = "live-f",
             .slis = "live-slis",
             .rate = 20000,
             .seconds = 40,
             .skip = 10,
             .wait = 10,
             .partitions = 4};

static struct cell {
    double *sent_at;
    atomic_size_t sent;
    size_t seen;
} cells[HOURS][GROUPS];
static int64_t first_hour;
static atomic_bool ended;
static double started;
static float *delays_ms;
static size_t delay_count, slis_read;

/* ---- the reader ---- */

struct cursor {
    const unsigned char *at, *end;
};

static int64_t read_long(struct cursor *cursor) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (cursor->at == cursor->end)
            die("sli", "cut short");
        uint64_t byte = *cursor->at++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static void skip(struct cursor *cursor, int64_t size) {
    if (size < 0 || size > cursor->end - cursor->at)
        die("sli", "cut short");
    cursor->at += size;
}

static const char *read_text(struct cursor *cursor, int64_t *out_length) {
    *out_length = read_long(cursor);
    const char *text = (const char *)cursor->at;
    skip(cursor, *out_length);
    return text;
}

static void skip_text(struct cursor *cursor) {
    int64_t length;
    (void)read_text(cursor, &length);
}

static void skip_optional_double(struct cursor *cursor) {
    if (read_long(cursor) == 1)
        skip(cursor, sizeof(double));
}

static bool text_is(const char *text, int64_t length, const char *wanted) {
    return (size_t)length == strlen(wanted) && memcmp(text, wanted, (size_t)length) == 0;
}

/* Number of the group "group=g3"; -1 for others. */
static int group_number(const char *text, int64_t length) {
    const int64_t prefix = 7;
    if (length != prefix + 1 || memcmp(text, "group=g", (size_t)prefix) != 0)
        return -1;
    int number = text[prefix] - '0';
    return number >= 0 && number < GROUPS ? number : -1;
}

static void count_seen(struct cell *cell, int64_t labelled, double now) {
    size_t total = (size_t)labelled;
    if (total > atomic_load(&cell->sent))
        die("sli", "more labels counted than were sent");
    for (; cell->seen < total; cell->seen++)
        if (cell->sent_at[cell->seen] - started >= (double)options.skip)
            delays_ms[delay_count++] = (float)((now - cell->sent_at[cell->seen]) * 1000);
}

/* schemas/sli.3.avsc up to `labelled`. */
static void see(const unsigned char *value, size_t size, double now) {
    struct cursor cursor = {value, value + size};
    int64_t metric_length, group_length;
    skip(&cursor, 5);
    skip_text(&cursor); /* task */
    const char *metric = read_text(&cursor, &metric_length);
    const char *group = read_text(&cursor, &group_length);
    slis_read++;
    if (!text_is(metric, metric_length, "accuracy") || group_number(group, group_length) < 0)
        return;
    skip_text(&cursor); /* window */
    int64_t hour = read_long(&cursor) / HOUR_MS - first_hour;
    (void)read_long(&cursor); /* window_end */
    skip_text(&cursor);       /* run_id */
    (void)read_long(&cursor); /* status */
    (void)read_long(&cursor); /* trust */
    for (int i = 0; i < 3; i++)
        skip_optional_double(&cursor); /* value, low, high */
    skip(&cursor, sizeof(double));     /* level */
    (void)read_long(&cursor);          /* interval */
    skip(&cursor, sizeof(double));     /* error_bound */
    (void)read_long(&cursor);          /* predicted */
    int64_t labelled = read_long(&cursor);
    if (hour >= 0 && hour < HOURS)
        count_seen(&cells[hour][group_number(group, group_length)], labelled, now);
}

static rd_kafka_t *open_reader(void) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_set(conf, "bootstrap.servers", options.brokers);
    kafka_set(conf, "group.id", "latency");
    kafka_set(conf, "isolation.level", "read_committed");
    kafka_set(conf, "enable.auto.commit", "false");
    kafka_set(conf, "fetch.wait.max.ms", "5");
    rd_kafka_t *client = kafka_client(RD_KAFKA_CONSUMER, conf);
    (void)rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (int32_t i = 0; i < options.partitions; i++)
        rd_kafka_topic_partition_list_add(list, options.slis, i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_assign(client, list))
        die(options.slis, "cannot be assigned");
    rd_kafka_topic_partition_list_destroy(list);
    return client;
}

static void *read_slis(void *unused) {
    rd_kafka_t *client = open_reader();
    while (!atomic_load(&ended)) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 50);
        if (!message)
            continue;
        if (!message->err && message->payload)
            see(message->payload, message->len, monotonic_s());
        rd_kafka_message_destroy(message);
    }
    (void)rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return unused;
}

/* ---- the producer ---- */

static void wait_until(rd_kafka_t *client, double time) {
    while (monotonic_s() < time)
        (void)rd_kafka_poll(client, 1);
}

static void send_prediction(rd_kafka_t *client, uint64_t seed, int64_t i, int64_t *out_ms) {
    unsigned char value[WIRE_VALUE_MAX];
    char id[WIRE_ID_SIZE + 1], group[GROUP_NAME_SIZE];
    wire_id(id, seed, i);
    (void)snprintf(group, sizeof group, "g%d", (int)(i / 2 % GROUPS));
    *out_ms = wall_ms();
    const struct wire_prediction prediction = {id, group, *out_ms, uniform(seed + (uint64_t)i),
                                               seed ^ (uint64_t)(i * WIRE_FEATURES)};
    kafka_send(client, options.predictions, id, value, wire_prediction(value, &prediction),
               *out_ms);
}

static void send_label(rd_kafka_t *client, uint64_t seed, int64_t i, int64_t prediction_ms) {
    unsigned char value[WIRE_VALUE_MAX];
    char id[WIRE_ID_SIZE + 1];
    int64_t hour = prediction_ms / HOUR_MS - first_hour;
    if (hour < 0 || hour >= HOURS)
        die("clock", "it jumped");
    struct cell *cell = &cells[hour][i / 2 % GROUPS];
    size_t sent = atomic_load(&cell->sent);
    wire_id(id, seed, i);
    cell->sent_at[sent] = monotonic_s();
    atomic_store(&cell->sent, sent + 1);
    int64_t now_ms = wall_ms();
    kafka_send(client, options.feedback, id, value,
               wire_feedback(value, id, now_ms, i / 2 % 2 != 0, -1), now_ms);
}

static int64_t send_all(rd_kafka_t *client) {
    int64_t total = options.rate * options.seconds, lag = options.rate / LAG_DIVISOR, labels = 0;
    int64_t *times_ms = reserve((size_t)total, sizeof *times_ms);
    uint64_t seed = (uint64_t)wall_ms();
    for (int64_t i = 0; i < total + lag; i++) {
        wait_until(client, started + (double)i / (double)options.rate);
        if (i < total)
            send_prediction(client, seed, i, &times_ms[i]);
        if (i >= lag && (i - lag) % 2 == 0) {
            send_label(client, seed, i - lag, times_ms[i - lag]);
            labels++;
        }
    }
    free(times_ms);
    (void)rd_kafka_flush(client, 10000);
    return labels;
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void report(int64_t labels, double sent_s) {
    size_t unseen = 0;
    for (int i = 0; i < HOURS * GROUPS; i++)
        unseen +=
            atomic_load(&cells[i / GROUPS][i % GROUPS].sent) - cells[i / GROUPS][i % GROUPS].seen;
    if (delay_count == 0)
        die("slis", "nothing seen");
    qsort(delays_ms, delay_count, sizeof *delays_ms, by_value);
    double sum = 0;
    for (size_t i = 0; i < delay_count; i++)
        sum += (double)delays_ms[i];
    printf(
        "latency predictions_per_s=%.0f labels=%lld measured=%zu unseen=%zu slis=%zu mean_ms=%.1f "
        "p50_ms=%.1f p99_ms=%.1f max_ms=%.1f\n",
        (double)(options.rate * options.seconds) / sent_s, (long long)labels, delay_count, unseen,
        slis_read, sum / (double)delay_count, (double)delays_ms[delay_count / 2],
        (double)delays_ms[delay_count * 99 / 100], (double)delays_ms[delay_count - 1]);
}

static void parse(int count, char **words) {
    const struct {
        const char *name;
        const char **text;
        int64_t *number;
    } known[] = {{"--brokers", &options.brokers, NULL},
                 {"--predictions", &options.predictions, NULL},
                 {"--feedback", &options.feedback, NULL},
                 {"--slis", &options.slis, NULL},
                 {"--rate", NULL, &options.rate},
                 {"--seconds", NULL, &options.seconds},
                 {"--skip", NULL, &options.skip},
                 {"--wait", NULL, &options.wait},
                 {"--partitions", NULL, &options.partitions}};
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
    if (!options.brokers || options.rate < 1 || options.seconds <= options.skip)
        die("usage", "bench_latency --brokers HOST:PORT [--rate N] ...; see latency.c");
}

int main(int argc, char **argv) {
    parse(argc, argv);
    size_t total = (size_t)(options.rate * options.seconds);
    first_hour = wall_ms() / HOUR_MS;
    delays_ms = reserve(total, sizeof *delays_ms);
    for (int i = 0; i < HOURS * GROUPS; i++)
        cells[i / GROUPS][i % GROUPS].sent_at = reserve(total, sizeof(double));
    rd_kafka_t *client = kafka_producer(options.brokers, "5");
    kafka_create_topic(client, options.predictions, (int)options.partitions);
    kafka_create_topic(client, options.feedback, (int)options.partitions);
    printf("topics ready\n");
    (void)fflush(stdout);
    wait_until(client, monotonic_s() + (double)options.wait);
    pthread_t reader;
    started = monotonic_s();
    if (pthread_create(&reader, NULL, read_slis, NULL))
        die("thread", "none to be had");
    int64_t labels = send_all(client);
    double sent_s = monotonic_s() - started;
    wait_until(client, monotonic_s() + DRAIN_S);
    atomic_store(&ended, true);
    (void)pthread_join(reader, NULL);
    report(labels, sent_s);
    rd_kafka_destroy(client);
    for (int i = 0; i < HOURS * GROUPS; i++)
        free(cells[i / GROUPS][i % GROUPS].sent_at);
    free(delays_ms);
    return 0;
}
