/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/delivery.h"

#include <time.h>

#include "base/crash_point.h"
#include "base/log.h"
#include "kafka/outage.h"

enum { PAUSE_MS = 20 }; /* doubled each time; a new generation is told within milliseconds */

static const char *topic_of(const struct config *config, enum topic_kind kind) {
    switch (kind) {
    case TOPIC_PARTIALS:
        return config->partials_topic;
    case TOPIC_CHECKPOINTS:
        return config->checkpoints_topic;
    case TOPIC_DEAD_LETTERS:
        return config->dead_letters_topic;
    case TOPIC_SLIS:
        return config->slis_topic;
    case TOPIC_STATE:
        return config->state_topic;
    case TOPIC_KINDS:
        break;
    }
    ASSERT(false);
    return NULL;
}

static enum status send_outbox(const struct stage_context *context,
                               struct transaction_producer *producer, struct error *err) {
    for (size_t i = 0; i < context->outbox->count; i++) {
        const struct message *message = &context->outbox->messages[i];
        TRY(transaction_send(producer, topic_of(context->options->config, message->topic), message,
                             0, err));
    }
    return STATUS_OK;
}

static enum commit_outcome transact(const struct stage_context *context,
                                    struct transaction_producer *producer,
                                    const struct log_position *positions, size_t count,
                                    struct error *err) {
    CRASH_POINT("commit.filled");
    if (send_outbox(context, producer, err) != STATUS_OK)
        return transaction_abort(producer, err);
    CRASH_POINT("commit.sent");
    return transaction_commit(producer, context->group, positions, count, err);
}

static void count_outcome(struct worker_figures *figures, enum commit_outcome outcome) {
    int64_t *const counters[] = {[COMMIT_UNKNOWN] = &figures->unknown,
                                 [COMMIT_COMMITTED] = &figures->commits,
                                 [COMMIT_ABORTED] = &figures->aborts,
                                 [COMMIT_FENCED] = &figures->fenced};
    ++*counters[outcome];
}

static void pause_before(int attempt) {
    const struct timespec pause = {.tv_nsec = (INT64_C(1000000) * PAUSE_MS) << attempt};
    (void)nanosleep(&pause, NULL);
}

enum commit_outcome deliver(const struct stage_context *context,
                            struct transaction_producer *producer,
                            const struct log_position *positions, size_t count, struct error *err) {
    for (int attempt = 1;; attempt++) {
        enum commit_outcome outcome = transact(context, producer, positions, count, err);
        count_outcome(context->figures, outcome);
        if (outcome != COMMIT_ABORTED || attempt == DELIVERY_ATTEMPTS_MAX ||
            group_consumer_is_lost(context->group))
            return outcome;
        char quoted[600];
        if (!outage_hides())
            LOG_INFO("commit_repeated", "worker=%d attempt=%d reason=%s", context->options->index,
                     attempt, log_quote(quoted, err->text));
        pause_before(attempt - 1);
    }
}
