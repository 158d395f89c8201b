/* torture_topics.c -- what tests/broker/torture needs of topics and no command gives.
 *
 *   torture_topics slis CONFIG           every committed record in the order of each partition:
 *                                        partition, offset, revision (3), status, then what FINAL
 *                                        records of two runs must have alike
 *   torture_topics dead-letters CONFIG   headers, key and a hash of the value of each
 *   torture_topics spoil CONFIG N        sends N records that do not decode to either input
 *
 * Fields are separated by tabs.  SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <librdkafka/rdkafka.h>

#include "base/hash.h"
#include "kafka/admin.h"
#include "kafka/latest.h"
#include "kafka/produce.h"
#include "task/sli.h"

enum { TIMEOUT_MS = 30000 };

static void print_text(struct slice text) {
    (void)printf("%.*s\t", (int)text.size, text.data ? text.data : "");
}

static void print_maybe(bool has, double number) {
    if (has)
        (void)printf("%.17g\t", number);
    else
        (void)printf("-\t");
}

static void print_sli(const struct sli *sli) {
    (void)printf("%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%s\t", sli->revision.epoch,
                 sli->revision.incarnation, sli->revision.offset, sli_status_name(sli->status));
    const struct slice texts[] = {sli->task, sli->window, sli->group, sli->metric};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        print_text(texts[i]);
    (void)printf("%" PRId64 "\t%" PRId64 "\t", sli->window_start_ms, sli->window_end_ms);
    print_maybe(sli->has_value, sli->value);
    (void)printf("%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t", sli->predicted,
                 sli->labelled, sli->late, sli->support);
    print_maybe(sli->has_interval, sli->low);
    print_maybe(sli->has_interval, sli->high);
    (void)printf("%d\t%.17g\t%.17g\t%.17g\t%.17g\t%s\t%d\t%d\t%" PRId64 "\t%d\t",
                 (int)sli->interval, sli->level, sli->error_bound, sli->coverage, sli->parameter,
                 sli_trust_name(sli->trust), (int)sli->kind, (int)sli->window_kind, sli->epoch,
                 sli->mixed_epochs);
    print_text(sli->method);
    print_text(sli->formula);
    (void)printf("\n");
}

static enum status visit_sli(void *owner, const struct kafka_record *record, struct error *err) {
    const int32_t *partition = owner;
    struct sli sli;
    if (!record->value.data)
        return STATUS_OK;
    if (!sli_read(record->value, &sli))
        return error_set(err, STATUS_CORRUPT, "offset %" PRId64 " is no SLI", record->offset);
    (void)printf("%" PRId32 "\t%" PRId64 "\t", *partition, record->offset);
    print_sli(&sli);
    return STATUS_OK;
}

static void print_headers(const rd_kafka_message_t *message) {
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
        (void)printf("%s=%.*s\t", name, (int)size, (const char *)value);
}

static enum status visit_dead_letter(void *owner UNUSED, const struct kafka_record *record,
                                     struct error *err UNUSED) {
    print_headers(record->message);
    print_text(record->key);
    (void)printf("%" PRIx64 "\n", record->value.data ? hash64(record->value) : 0);
    return STATUS_OK;
}

static enum status read_topic(const struct config *config, const char *topic,
                              enum status (*visit)(void *owner, const struct kafka_record *record,
                                                   struct error *err),
                              struct error *err) {
    struct admin *admin = NULL;
    struct assign_consumer *consumer = NULL;
    struct wake wake;
    int32_t count = 0;
    TRY(wake_init(&wake, err));
    TRY(admin_create(config, &admin, err));
    TRY(admin_partition_count(admin, topic, &count, err));
    admin_destroy(admin);
    TRY(assign_consumer_create(config, "torture", &wake, &consumer, err));
    for (int32_t i = 0; i < count; i++)
        TRY(read_whole(consumer, topic, i, 0, TIMEOUT_MS, visit, &i, NULL, err));
    assign_consumer_destroy(consumer);
    wake_release(&wake);
    return count > 0 ? STATUS_OK : error_set(err, STATUS_CONFIG, "there is no topic %s", topic);
}

static enum status spoil(const struct config *config, long count, struct error *err) {
    struct producer *producer = NULL;
    TRY(producer_create(config, &producer, err));
    for (long i = 0; i < count; i++) {
        char text[32];
        int size = snprintf(text, sizeof text, "spoilt-%ld", i);
        const struct slice bytes = {text, (size_t)size};
        TRY(producer_send(producer, config->predictions.topic, bytes, bytes, 0, err));
        TRY(producer_send(producer, config->feedback.topic, bytes, bytes, 0, err));
    }
    enum status status = producer_finish(producer, err);
    producer_destroy(producer);
    return status;
}

int main(int argc, char **argv) {
    struct config *config = NULL;
    struct error err = {0};
    if (argc < 3)
        return 2;
    enum status status = config_load(argv[2], &config, &err);
    if (status == STATUS_OK && strcmp(argv[1], "slis") == 0)
        status = read_topic(config, config->slis_topic, visit_sli, &err);
    else if (status == STATUS_OK && strcmp(argv[1], "dead-letters") == 0)
        status = read_topic(config, config->dead_letters_topic, visit_dead_letter, &err);
    else if (status == STATUS_OK && strcmp(argv[1], "spoil") == 0 && argc == 4)
        status = spoil(config, strtol(argv[3], NULL, 10), &err);
    config_destroy(config);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "torture_topics: %s\n", err.text);
    return status == STATUS_OK ? 0 : 1;
}
