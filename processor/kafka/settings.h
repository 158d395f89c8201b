/* settings.h -- inside this room: configurations, errors and logs of librdkafka.
 *
 * A configuration is made of our defaults, then the user's `kafka:` section, then what exactly-once
 * needs and nobody may change.  Keys of the section that begin with consumer., producer. or admin.
 * go to those clients only.  SPDX-License-Identifier: Apache-2.0 */
#ifndef SLIPSTREAM_KAFKA_SETTINGS_H
#define SLIPSTREAM_KAFKA_SETTINGS_H

#include "base/error.h"
#include "config/definition.h"

#include <librdkafka/rdkafka.h>

enum kafka_role {
    ROLE_MEMBER,
    ROLE_READER,
    ROLE_VISITOR,  /* a reader of what is short, to its end */
    ROLE_ONLOOKER, /* the same of what is not committed, too */
    ROLE_TRANSACTIONS,
    ROLE_PRODUCER,
    ROLE_ADMIN
};

struct kafka_identity {
    const char *group;            /* of all that consume */
    const char *instance;         /* ROLE_MEMBER; NULL: not static */
    const char *transactional_id; /* ROLE_TRANSACTIONS */
};

/* A configuration, owned by the caller until client_create.  Errors: CONFIG. */
enum status conf_create(const struct config *config, enum kafka_role role,
                        const struct kafka_identity *identity, rd_kafka_conf_t **out_conf,
                        struct error *err) MUST_CHECK;
/* Takes conf, also on failure.  Errors: CONFIG. */
enum status client_create(enum kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **out_client,
                          struct error *err) MUST_CHECK;

/* The key without the prefix that names a kind of client. */
const char *setting_name(const char *key);

enum kafka_verdict {
    VERDICT_DONE,
    VERDICT_RETRY,      /* the same call again */
    VERDICT_ABORT,      /* abort the transaction, then go on with the same producer */
    VERDICT_INDEFINITE, /* nobody knows whether it happened: a new producer */
    VERDICT_FATAL,      /* fenced, or the handle is of no more use */
};

/* Judges the answer to a transactional call, destroys it and writes its text to err. */
enum kafka_verdict kafka_judge(rd_kafka_error_t *error, struct error *err);
/* For all other calls: destroys error.  OK, FENCED, CONFIG (wrong or forbidden), BROKER. */
enum status kafka_check(rd_kafka_error_t *error, const char *doing, struct error *err) MUST_CHECK;
enum status kafka_check_code(rd_kafka_resp_err_t code, const char *doing,
                             struct error *err) MUST_CHECK;

/* librdkafka takes what it copies or only reads as writable; this is the one cast for it. */
void *kafka_writable(const void *bytes);

#endif
