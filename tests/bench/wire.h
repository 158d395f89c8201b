/* wire.h -- records as producers of the benchmarks write them: Avro binary behind a schema id, by
 * hand, so that encoding costs nothing beside what is measured.  The schemas are beside this file.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_TESTS_BENCH_WIRE_H
#define SLIPSTREAM_TESTS_BENCH_WIRE_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_MS 3600000LL
#define DAY_MS 86400000LL

enum { WIRE_FEATURES = 10, WIRE_ID_SIZE = 32, WIRE_VALUE_MAX = 256, GROUP_NAME_SIZE = 16 };

_Noreturn static inline void die(const char *what, const char *why) {
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline double monotonic_s(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline int64_t wall_ms(void) {
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static inline void *reserve(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        die("memory", "there is none");
    return memory;
}

/* splitmix64: Steele, Lea, Flood 2014.  As a function of a counter every field of record i can be
 * had again. */
static inline uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static inline double uniform(uint64_t x) {
    return (double)(mix(x) >> 11) * 0x1p-53;
}

static inline size_t wire_long(unsigned char *out, int64_t value) {
    uint64_t left = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
    size_t size = 0;
    for (; left > 0x7f; left >>= 7)
        out[size++] = (unsigned char)(left | 0x80);
    out[size++] = (unsigned char)left;
    return size;
}

static inline size_t wire_text(unsigned char *out, const char *text, size_t length) {
    size_t size = wire_long(out, (int64_t)length);
    memcpy(out + size, text, length);
    return size + length;
}

static inline size_t wire_header(unsigned char *out, unsigned char schema) {
    const unsigned char header[5] = {0, 0, 0, 0, schema};
    memcpy(out, header, sizeof header);
    return sizeof header;
}

static inline void wire_id(char out[WIRE_ID_SIZE + 1], uint64_t seed, int64_t i) {
    uint64_t high = mix(seed ^ mix((uint64_t)i));
    (void)snprintf(out, WIRE_ID_SIZE + 1, "%016llx%016llx", (unsigned long long)high,
                   (unsigned long long)mix(high ^ (uint64_t)i));
}

struct wire_prediction {
    const char *id, *group;
    int64_t time_ms;
    double score;
    uint64_t features; /* seed */
};

/* prediction.1.avsc */
static inline size_t wire_prediction(unsigned char out[WIRE_VALUE_MAX],
                                     const struct wire_prediction *prediction) {
    size_t size = wire_header(out, 1);
    size += wire_text(out + size, prediction->id, WIRE_ID_SIZE);
    size += wire_long(out + size, prediction->time_ms);
    size += wire_text(out + size, "fraud-score", 11);
    size += wire_text(out + size, "2024.1", 6);
    memcpy(out + size, &prediction->score, sizeof(double));
    size += sizeof(double);
    size += wire_text(out + size, prediction->group, strlen(prediction->group));
    for (uint64_t i = 0; i < WIRE_FEATURES; i++, size += sizeof(double)) {
        double feature = uniform(prediction->features + i);
        memcpy(out + size, &feature, sizeof feature);
    }
    return size;
}

/* feedback.2.avsc; with the prediction's time, unless negative: feedback.3.avsc. */
static inline size_t wire_feedback(unsigned char out[WIRE_VALUE_MAX], const char *id,
                                   int64_t time_ms, bool label, int64_t prediction_ms) {
    size_t size = wire_header(out, prediction_ms < 0 ? 2 : 3);
    size += wire_text(out + size, id, WIRE_ID_SIZE);
    size += wire_long(out + size, time_ms);
    size += wire_long(out + size, label);
    return prediction_ms < 0 ? size : size + wire_long(out + size, prediction_ms);
}

static inline void kafka_set(rd_kafka_conf_t *conf, const char *key, const char *value) {
    char text[256];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        die(key, text);
}

static inline rd_kafka_t *kafka_client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char text[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (!client)
        die("client", text);
    return client;
}

static inline rd_kafka_t *kafka_producer(const char *brokers, const char *linger_ms) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    kafka_set(conf, "bootstrap.servers", brokers);
    kafka_set(conf, "enable.idempotence", "true");
    kafka_set(conf, "compression.type", "lz4");
    kafka_set(conf, "partitioner", "murmur2");
    kafka_set(conf, "linger.ms", linger_ms);
    kafka_set(conf, "queue.buffering.max.messages", "500000");
    return kafka_client(RD_KAFKA_PRODUCER, conf);
}

/* A topic that exists is an error: what is in it would be measured too. */
static inline void kafka_create_topic(rd_kafka_t *client, const char *name, int partitions) {
    char text[256];
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, text, sizeof text);
    if (!topic || rd_kafka_NewTopic_set_config(topic, "retention.ms", "-1"))
        die(name, text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event || rd_kafka_event_error(event))
        die(name, event ? rd_kafka_event_error_string(event) : "no answer");
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_topic_result_error(results[i]))
            die(name, rd_kafka_err2str(rd_kafka_topic_result_error(results[i])));
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
}

static inline void kafka_send(rd_kafka_t *client, const char *topic, char *id, unsigned char *value,
                              size_t size, int64_t time_ms) {
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {id, WIRE_ID_SIZE}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value, size}},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = time_ms},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    rd_kafka_error_t *failure;
    while ((failure = rd_kafka_produceva(client, parts, sizeof parts / sizeof *parts))) {
        if (rd_kafka_error_code(failure) != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            die("produce", rd_kafka_error_string(failure));
        rd_kafka_error_destroy(failure);
        (void)rd_kafka_poll(client, 10);
    }
}

static inline int64_t argument_number(const char *name, const char *text) {
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end)
        die(name, "needs a number");
    return value;
}

#endif
