/* read_kafka.c -- the section kafka: passed on to librdkafka, but for what would break the
 * guarantees.  SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/attributes.h"
#include "config/read.h"

enum { KEY_BYTES = 128, SECRET_BYTES_MAX = 1 << 16 };

extern char **environ;

const char *kafka_denied_reason(const char *key) {
    static const struct {
        const char *key, *reason;
    } denied[] = {
#define KAFKA_DENIED(key_, reason_) {(key_), (reason_)},
#include "config/kafka_denied.def"
#undef KAFKA_DENIED
    };
    static const char *const roles[] = {"consumer.", "producer.", "admin."};
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (strncmp(key, roles[i], strlen(roles[i])) == 0)
            return kafka_denied_reason(key + strlen(roles[i]));
    for (size_t i = 0; i < COUNT_OF(denied); i++)
        if (strcmp(key, denied[i].key) == 0)
            return denied[i].reason;
    return NULL;
}

bool kafka_is_secret(const char *key) {
    static const char *const parts[] = {"password", "secret", "ssl.key.pem", "oauthbearer.config",
                                        "token"};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(key, parts[i]))
            return true;
    return false;
}

static struct setting *setting_slot(struct config *config, struct arena *arena, const char *key) {
    for (int i = 0; i < config->kafka_count; i++)
        if (strcmp(config->kafka[i].key, key) == 0)
            return &config->kafka[i];
    size_t count = (size_t)config->kafka_count;
    struct setting *larger = arena_take(arena, (count + 1) * sizeof *larger);
    if (count > 0)
        memcpy(larger, config->kafka, count * sizeof *larger);
    config->kafka = larger;
    larger[count] = (struct setting){.key = arena_text(arena, key)};
    config->kafka_count++;
    return &larger[count];
}

bool read_secret(struct reading *reading, const char *path, const char *where, int line,
                 struct slice *out_secret) {
    struct error err = {0};
    struct slice text = file_read(path, SECRET_BYTES_MAX, reading->arena, &err);
    if (!text.data) {
        problem_add(reading->problems, line, where, "%s", err.text);
        return false;
    }
    size_t size = text.size;
    while (size > 0 && (text.data[size - 1] == '\n' || text.data[size - 1] == '\r'))
        size--;
    char *value = arena_take(reading->arena, size + 1);
    memcpy(value, text.data, size);
    value[size] = '\0';
    *out_secret = (struct slice){value, size};
    return true;
}

static bool ends_with(const char *text, const char *end) {
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && strcmp(text + size - end_size, end) == 0;
}

static void set_kafka(struct reading *reading, const char *name, const char *text, int line) {
    char key[KEY_BYTES], where[KEY_BYTES + 8];
    (void)snprintf(key, sizeof key, "%.120s", name);
    (void)snprintf(where, sizeof where, "kafka.%s", key);
    const char *value = text;
    bool from_file = ends_with(key, ".file");
    if (from_file) { /* "sasl.password.file: PATH" gives sasl.password */
        struct slice secret;
        if (!read_secret(reading, text, where, line, &secret))
            return;
        value = secret.data;
        key[strlen(key) - strlen(".file")] = '\0';
    }
    const char *reason = kafka_denied_reason(key);
    if (reason) {
        problem_add(reading->problems, line, where, "must not be set: %s", reason);
        return;
    }
    struct setting *setting = setting_slot(reading->config, reading->arena, key);
    setting->value = arena_text(reading->arena, value);
    setting->secret = from_file || kafka_is_secret(key);
    setting->line = line;
}

void read_kafka(struct reading *reading, const char *name, const struct node *node) {
    char inner[KEY_BYTES];
    if (node->kind == NODE_SCALAR && *name)
        set_kafka(reading, name, node->text, node->line);
    else if (node->kind != NODE_MAPPING)
        problem_add(reading->problems, node->line, "kafka",
                    "must be a mapping of librdkafka's properties (bootstrap.servers: ...)");
    for (int i = 0; node->kind == NODE_MAPPING && i < node->count; i++) {
        (void)snprintf(inner, sizeof inner, "%.40s%s%.80s", name, *name ? "." : "", node->keys[i]);
        read_kafka(reading, inner, node->items[i]);
    }
}

/* SLIPSTREAM_KAFKA_SASL_USERNAME is kafka.sasl.username. */
void read_kafka_environment(struct reading *reading) {
    static const char prefix[] = "SLIPSTREAM_KAFKA_";
    for (char **at = environ; at && *at; at++) {
        const char *value = strchr(*at, '=');
        if (!value || strncmp(*at, prefix, sizeof prefix - 1) != 0)
            continue;
        char key[KEY_BYTES];
        (void)snprintf(key, sizeof key, "%.*s", (int)(value - *at - (int)sizeof prefix + 1),
                       *at + sizeof prefix - 1);
        for (char *c = key; *c; c++)
            *c = *c == '_' ? '.' : (char)tolower((unsigned char)*c);
        set_kafka(reading, key, value + 1, 0);
    }
}
