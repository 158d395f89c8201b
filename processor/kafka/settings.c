/* SPDX-License-Identifier: Apache-2.0 */
#include "kafka/settings.h"

#include <string.h>

#include "kafka/setting_check.h"
#include "kafka/words.h"

/* Which roles a setting is for, as bits. */
enum {
    FOR_MEMBER = 1 << ROLE_MEMBER,
    FOR_ONLOOKER = 1 << ROLE_ONLOOKER,
    FOR_VISITORS = 1 << ROLE_VISITOR | FOR_ONLOOKER,
    FOR_READER = 1 << ROLE_READER | FOR_VISITORS,
    FOR_TRANSACTIONS = 1 << ROLE_TRANSACTIONS,
    FOR_PRODUCER = 1 << ROLE_PRODUCER,
    FOR_ADMIN = 1 << ROLE_ADMIN,
    FOR_CONSUMERS = FOR_MEMBER | FOR_READER,
    FOR_PRODUCERS = FOR_TRANSACTIONS | FOR_PRODUCER,
    FOR_ALL = FOR_CONSUMERS | FOR_PRODUCERS | FOR_ADMIN,
};

struct preset {
    int roles;
    const char *key, *value;
};

/* What a user may change. */
static const struct preset defaults[] = {
    {FOR_ALL, "client.id", "slipstream"},
    {FOR_ALL, "socket.keepalive.enable", "true"},
    {FOR_ALL, "socket.nagle.disable", "true"},
    {FOR_ALL, "reconnect.backoff.max.ms", "2000"},
    {FOR_ALL, "topic.metadata.refresh.interval.ms", "60000"},
    {FOR_MEMBER, "session.timeout.ms", "45000"},
    {FOR_MEMBER, "heartbeat.interval.ms", "3000"},
    {FOR_MEMBER, "max.poll.interval.ms", "300000"},
    /* All are for each partition, since each has a queue of its own.  A queued message takes 320
     * bytes beside its payload; wake_fetcher (assign.c) sees to it that a short queue is
     * enough. */
    {FOR_READER, "queued.max.messages.kbytes", "4096"},
    {FOR_READER, "queued.min.messages", "10000"},
    {FOR_READER, "fetch.message.max.bytes", "262144"},
    {FOR_READER, "fetch.wait.max.ms", "100"},
    {FOR_READER, "fetch.error.backoff.ms", "100"},
    {FOR_PRODUCERS, "compression.type", "lz4"},
    {FOR_PRODUCERS, "linger.ms", "5"},
    {FOR_PRODUCERS, "batch.num.messages", "100000"},
    {FOR_PRODUCERS, "queue.buffering.max.messages", "1000000"},
    {FOR_PRODUCERS, "queue.buffering.max.kbytes", "262144"},
    /* A stuck transaction blocks all readers of its partitions for this long. */
    {FOR_TRANSACTIONS, "transaction.timeout.ms", "15000"},
    {FOR_TRANSACTIONS, "message.timeout.ms", "10000"},
    {FOR_TRANSACTIONS, "message.max.bytes", "8388608"},
};

/* What nobody may change; see processor/config/kafka_denied.def for the reasons.  Visitors: the end
 * of a log is known once the broker has waited in vain, and a broker serves one request of a
 * connection at a time: whatever is asked meanwhile waits too. */
static const struct preset fixed[] = {
    {FOR_CONSUMERS, "isolation.level", "read_committed"},
    {FOR_ONLOOKER, "isolation.level", "read_uncommitted"},
    {FOR_VISITORS, "fetch.wait.max.ms", "10"},
    {FOR_CONSUMERS, "enable.auto.commit", "false"},
    {FOR_CONSUMERS, "enable.auto.offset.store", "false"},
    {FOR_CONSUMERS, "enable.partition.eof", "true"},
    {FOR_CONSUMERS, "auto.offset.reset", "error"},
    {FOR_CONSUMERS, "check.crcs", "true"},
    {FOR_CONSUMERS | FOR_ADMIN, "allow.auto.create.topics", "false"},
    {FOR_MEMBER, "partition.assignment.strategy", "cooperative-sticky"},
    {FOR_PRODUCERS, "enable.idempotence", "true"},
    {FOR_PRODUCERS, "partitioner", "murmur2_random"},
    {FOR_PRODUCERS, "delivery.report.only.error", "true"},
};

static enum status set(rd_kafka_conf_t *conf, const char *key, const char *value,
                       struct error *err) {
    char reason[256];
    if (rd_kafka_conf_set(conf, key, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return STATUS_OK;
    return error_set(err, STATUS_CONFIG, "kafka.%s: %s", key, reason);
}

static enum status set_presets(rd_kafka_conf_t *conf, enum kafka_role role,
                               const struct preset *presets, size_t count, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        if (presets[i].roles & 1 << role)
            TRY(set(conf, presets[i].key, presets[i].value, err));
    }
    return STATUS_OK;
}

/* The key without its prefix, NULL when it is for other roles. */
static const char *key_for_role(const char *key, enum kafka_role role) {
    static const struct {
        const char *text;
        int roles;
    } prefixes[] = {
        {"consumer.", FOR_CONSUMERS}, {"producer.", FOR_PRODUCERS}, {"admin.", FOR_ADMIN}};
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        size_t size = strlen(prefixes[i].text);
        if (strncmp(key, prefixes[i].text, size) == 0)
            return prefixes[i].roles & 1 << role ? key + size : NULL;
    }
    return key;
}

const char *setting_name(const char *key) {
    const char *name = NULL;
    for (int role = 0; role <= ROLE_ADMIN && !name; role++)
        name = key_for_role(key, (enum kafka_role)role);
    return name;
}

/* First the settings of all clients, then those of this kind, whatever their order. */
static enum status set_users(rd_kafka_conf_t *conf, const struct config *config,
                             enum kafka_role role, struct error *err) {
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < config->kafka_count; i++) {
            const char *key = key_for_role(config->kafka[i].key, role);
            bool is_special = key != config->kafka[i].key;
            if (!key || is_special != (pass == 1))
                continue;
            TRY(setting_check(&config->kafka[i], err));
            TRY(set(conf, key, config->kafka[i].value, err));
        }
    }
    return STATUS_OK;
}

static enum status set_identity(rd_kafka_conf_t *conf, const struct kafka_identity *identity,
                                struct error *err) {
    if (identity->group)
        TRY(set(conf, "group.id", identity->group, err));
    if (identity->instance)
        TRY(set(conf, "group.instance.id", identity->instance, err));
    if (identity->transactional_id)
        TRY(set(conf, "transactional.id", identity->transactional_id, err));
    return STATUS_OK;
}

static enum status fill(rd_kafka_conf_t *conf, const struct config *config, enum kafka_role role,
                        const struct kafka_identity *identity, struct error *err) {
    TRY(set_presets(conf, role, defaults, COUNT_OF(defaults), err));
    TRY(set_users(conf, config, role, err));
    TRY(set_presets(conf, role, fixed, COUNT_OF(fixed), err));
    return set_identity(conf, identity, err);
}

enum status conf_create(const struct config *config, enum kafka_role role,
                        const struct kafka_identity *identity, rd_kafka_conf_t **out_conf,
                        struct error *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, words_log);
    rd_kafka_conf_set_error_cb(conf, words_error);
    enum status status = fill(conf, config, role, identity, err);
    if (status != STATUS_OK)
        rd_kafka_conf_destroy(conf);
    else
        *out_conf = conf;
    return status;
}

enum status client_create(enum kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **out_client,
                          struct error *err) {
    /* A producer that asks for a topic's metadata lets the brokers create it: admin is a consumer.
     */
    bool consumes = FOR_CONSUMERS & 1 << role;
    rd_kafka_type_t type = consumes || role == ROLE_ADMIN ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    char reason[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, STATUS_CONFIG, "kafka: %s", reason);
    }
    if (consumes)
        (void)rd_kafka_poll_set_consumer(client);
    *out_client = client;
    return STATUS_OK;
}

static bool is_producer_fencing(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
           code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
}

/* Wrong or forbidden: no repetition helps. */
static bool is_configuration(rd_kafka_resp_err_t code) {
    static const rd_kafka_resp_err_t codes[] = {
        RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
        RD_KAFKA_RESP_ERR__AUTHENTICATION,
        RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT,
        RD_KAFKA_RESP_ERR_INVALID_CONFIG,
        RD_KAFKA_RESP_ERR_INVALID_PARTITIONS,
        RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
        RD_KAFKA_RESP_ERR_POLICY_VIOLATION,
    };
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        if (codes[i] == code)
            return true;
    }
    return false;
}

static enum status status_of(rd_kafka_resp_err_t code) {
    if (is_producer_fencing(code) || code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
        return STATUS_FENCED;
    return is_configuration(code) ? STATUS_CONFIG : STATUS_BROKER;
}

/* What the code alone tells of a way out. */
static const char *remedy_of(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
               ? "; raise max.message.bytes of the topic (and kafka.producer.message.max.bytes), "
                 "or lower dead.letter.max.bytes"
               : "";
}

enum status kafka_check_code(rd_kafka_resp_err_t code, const char *doing, struct error *err) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return STATUS_OK;
    return error_set(err, status_of(code), "%s: %s%s", doing, rd_kafka_err2str(code),
                     remedy_of(code));
}

enum status kafka_check(rd_kafka_error_t *error, const char *doing, struct error *err) {
    if (!error)
        return STATUS_OK;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    enum status status = error_set(err, status_of(code), "%s: %s%s", doing,
                                   rd_kafka_error_string(error), remedy_of(code));
    rd_kafka_error_destroy(error);
    return status;
}

/* librdkafka 2.0 calls some fencings and timeouts abortable.  But who is fenced has nothing to
 * abort, and a timeout leaves a request under way that could hit the next transaction (Jepsen,
 * Bufstream 0.1.0): only a new epoch keeps it out. */
static enum kafka_verdict judge(const rd_kafka_error_t *error) {
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    if (rd_kafka_error_is_fatal(error) || is_producer_fencing(code))
        return VERDICT_FATAL;
    if (code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT)
        return VERDICT_INDEFINITE;
    if (rd_kafka_error_txn_requires_abort(error))
        return VERDICT_ABORT;
    return rd_kafka_error_is_retriable(error) ? VERDICT_RETRY : VERDICT_INDEFINITE;
}

enum kafka_verdict kafka_judge(rd_kafka_error_t *error, struct error *err) {
    if (!error)
        return VERDICT_DONE;
    enum kafka_verdict verdict = judge(error);
    (void)error_set(err, STATUS_BROKER, "%s: %s", rd_kafka_error_name(error),
                    rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return verdict;
}

void *kafka_writable(const void *bytes) {
    void *pointer = NULL;
    memcpy(&pointer, &bytes, sizeof pointer); /* what a cast would do, were const not checked */
    return pointer;
}
