#include "adapters/kafka/connection.h"
#include "adapters/kafka/read_topic.h"
#include "base/calendar.h"
#include "ctl/commands.h"
#include "ctl/json_out.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEADER(name) LOY_STR("__connect.errors." name)

/* One letter, as the list shows it: copies, since records are lent for one call only. */
struct letter {
    int32_t partition;
    int64_t offset, timestamp_us;
    char topic[64], position[48], error[32], reason[256], key[72];
};

static struct loy_str header(const struct loy_record *record, struct loy_str name)
{
    for (uint32_t i = 0; i < record->header_count; i++) {
        if (loy_str_equal(record->headers[i].name, name)) {
            return record->headers[i].value;
        }
    }
    return LOY_STR("");
}

/* A copy for a terminal: no control characters. */
static void copy(char *to, size_t size, struct loy_str from)
{
    size_t len = from.len < size - 1 ? from.len : size - 1;
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)from.at[i] < 0x20 || from.at[i] == 0x7f ? '.' : from.at[i];
    }
    to[len] = 0;
}

static void fill(struct letter *letter, const struct loy_record *record)
{
    letter->partition = record->position.partition;
    letter->offset = record->position.offset;
    letter->timestamp_us = record->timestamp_us;
    copy(letter->topic, sizeof letter->topic, header(record, HEADER("topic")));
    struct loy_str partition = header(record, HEADER("partition")), offset = header(record, HEADER("offset"));
    (void)snprintf(letter->position, sizeof letter->position, "%.*s:%.*s", LOY_STR_ARG(partition), LOY_STR_ARG(offset));
    copy(letter->error, sizeof letter->error, header(record, HEADER("exception.class.name")));
    copy(letter->reason, sizeof letter->reason, header(record, HEADER("exception.message")));
    copy(letter->key, sizeof letter->key, record->key);
}

static void print_json_letter(const struct letter *letter, const char *when, bool first)
{
    (void)printf("%s\n {\"partition\": %d, \"offset\": %" PRId64 ", ", first ? "" : ",", letter->partition,
                 letter->offset);
    const char *const members[][2] = {{"at", when},
                                      {"topic", letter->topic},
                                      {"position", letter->position},
                                      {"error", letter->error},
                                      {"reason", letter->reason},
                                      {"key", letter->key}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        (void)fputs(i ? ", " : "", stdout);
        loy_json_member(stdout, members[i][0], loy_str(members[i][1]));
    }
    (void)fputs("}", stdout);
}

static void print_letter(const struct letter *letter, bool json, bool first)
{
    char when[LOY_MOMENT_TEXT_MAX] = "";
    if (letter->timestamp_us >= 0) {
        (void)loy_moment_format(letter->timestamp_us, when);
    }
    if (json) {
        print_json_letter(letter, when, first);
        return;
    }
    char place[32];
    (void)snprintf(place, sizeof place, "%d:%" PRId64, letter->partition, letter->offset);
    (void)printf("%-10s %-24s %-18s %s %s  %s\n", place, when, letter->error, letter->topic, letter->position,
                 letter->reason);
}

/* The latest `limit` letters in a ring; 0: none is kept, each is printed as it comes. */
struct list {
    struct letter *ring;
    uint64_t limit, seen;
    bool json;
};

static int by_time(const void *a, const void *b)
{
    const struct letter *left = a, *right = b;
    if (left->timestamp_us != right->timestamp_us) {
        return left->timestamp_us < right->timestamp_us ? -1 : 1;
    }
    return left->partition != right->partition ? (left->partition < right->partition ? -1 : 1)
                                               : (left->offset > right->offset) - (left->offset < right->offset);
}

/* Of one partition, only its last `limit` can be among the latest of all. */
static enum loy_err list_partition(struct loy_topic_reader *reader, int32_t partition, struct list *list,
                                   struct letter *keep, uint64_t *kept, struct loy_error *error)
{
    int64_t first = 0, end = 0;
    enum loy_err err = loy_topic_reader_start(reader, partition, 0, &first, &end, error);
    uint64_t here = 0;
    struct loy_record record;
    while (!err && !(err = loy_topic_reader_next(reader, &record, error))) {
        list->seen++;
        if (list->limit == 0) {
            struct letter letter;
            fill(&letter, &record);
            print_letter(&letter, list->json, list->seen == 1);
        } else {
            fill(&list->ring[here++ % list->limit], &record);
        }
    }
    uint64_t count = here < list->limit ? here : list->limit;
    for (uint64_t i = 0; i < count; i++) {
        keep[(*kept)++] = list->ring[i];
    }
    qsort(keep, *kept, sizeof *keep, by_time);
    if (*kept > list->limit && list->limit > 0) {
        memmove(keep, keep + (*kept - list->limit), list->limit * sizeof *keep);
        *kept = list->limit;
    }
    return err == LOY_ERR_NOT_FOUND ? LOY_OK : err;
}

static enum loy_err list_letters(struct loy_topic_reader *reader, struct list *list, struct loy_error *error)
{
    uint64_t kept = 0;
    enum loy_err err = LOY_OK;
    struct letter *keep = calloc(list->limit * 2 + 1, sizeof *keep);
    list->ring = calloc(list->limit + 1, sizeof *list->ring);
    if (!keep || !list->ring) {
        free(keep);
        free(list->ring);
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a list of %" PRIu64, list->limit);
    }
    (void)fputs(list->json ? "[" : "", stdout);
    for (int32_t partition = 0; !err && partition < loy_topic_reader_partitions(reader); partition++) {
        err = list_partition(reader, partition, list, keep, &kept, error);
    }
    for (uint64_t i = 0; !err && i < kept; i++) {
        print_letter(&keep[i], list->json, i == 0);
    }
    if (!err && list->json) {
        (void)fputs("]\n", stdout);
    } else if (!err) {
        (void)printf("%" PRIu64 " dead letters%s\n", list->seen,
                     list->limit > 0 && list->seen > list->limit ? ", the latest are shown" : "");
    }
    free(keep);
    free(list->ring);
    return err;
}

/* Bytes as they are when they are text, else in hexadecimal. */
static void print_bytes(const char *name, struct loy_str bytes)
{
    bool text = loy_str_is_utf8(bytes);
    for (size_t i = 0; text && i < bytes.len; i++) {
        text = (uint8_t)bytes.at[i] >= 0x20 || bytes.at[i] == '\n' || bytes.at[i] == '\t';
    }
    (void)printf("%s (%zu bytes%s): ", name, bytes.len, text ? "" : ", hexadecimal");
    for (size_t i = 0; !text && i < bytes.len; i++) {
        (void)printf("%02x", (uint8_t)bytes.at[i]);
    }
    (void)printf("%.*s\n", text ? (int)bytes.len : 0, bytes.at ? bytes.at : "");
}

static void print_json_record(const struct loy_record *record)
{
    (void)printf("{\"partition\": %d, \"offset\": %" PRId64 ", \"headers\": {", record->position.partition,
                 record->position.offset);
    for (uint32_t i = 0; i < record->header_count; i++) {
        (void)fputs(i ? ", " : "", stdout);
        loy_json_text(stdout, record->headers[i].name);
        (void)fputs(": ", stdout);
        loy_json_text(stdout, record->headers[i].value);
    }
    (void)fputs("}, ", stdout);
    loy_json_member(stdout, "key", record->key);
    (void)fputs(", \"value_hex\": \"", stdout);
    for (size_t i = 0; i < record->value.len; i++) {
        (void)printf("%02x", (uint8_t)record->value.at[i]);
    }
    (void)fputs("\"}\n", stdout);
}

static enum loy_err show_letter(struct loy_topic_reader *reader, const char *place, bool json, struct loy_error *error)
{
    const char *colon = strchr(place, ':');
    int64_t partition = -1, offset = -1, first = 0, end = 0;
    struct loy_record record = {0};
    if (!colon || !loy_str_to_i64((struct loy_str){place, (size_t)(colon - place)}, &partition) ||
        !loy_str_to_i64(loy_str(colon + 1), &offset) || partition < 0 || offset < 0 ||
        partition >= loy_topic_reader_partitions(reader)) {
        return loy_error_set(error, LOY_ERR_CONFIG, "'%s' is no PARTITION:OFFSET of the %d partitions: see the list",
                             place, loy_topic_reader_partitions(reader));
    }
    enum loy_err err = loy_topic_reader_start(reader, (int32_t)partition, offset, &first, &end, error);
    err = err ? err : loy_topic_reader_next(reader, &record, error);
    if (err == LOY_ERR_NOT_FOUND || (!err && record.position.offset != offset)) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "there is no dead letter at %s", place);
    }
    if (err) {
        return err;
    }
    if (json) {
        print_json_record(&record);
        return LOY_OK;
    }
    for (uint32_t i = 0; i < record.header_count; i++) {
        (void)printf("%.*s: %.*s\n", LOY_STR_ARG(record.headers[i].name), LOY_STR_ARG(record.headers[i].value));
    }
    print_bytes("key", record.key);
    print_bytes("value", record.value);
    return LOY_OK;
}

enum loy_exit loy_cmd_dead_letters(const struct loy_call *call)
{
    struct loy_kafka_connection connection = loy_kafka_connection_of(call->config, "loyalctl");
    struct loy_topic_reader *reader = NULL;
    struct loy_error error = {0};
    struct list list = {.json = loy_call_flag(call, "json")};
    int64_t limit = 0;
    bool lists = strcmp(call->words[0], "list") == 0 && call->word_count == 1;
    bool shows = strcmp(call->words[0], "show") == 0 && call->word_count == 2;
    enum loy_err err = loy_call_number(call, "limit", 0, 1000000, &limit, &error);
    list.limit = (uint64_t)limit;
    if (!err && !lists && !shows) {
        err = loy_error_set(&error, LOY_ERR_CONFIG, "wanted: dead-letters list, or dead-letters show PARTITION:OFFSET");
    }
    err = err ? err : loy_topic_reader_new(&connection, call->config->topic_dead_letters, &reader, &error);
    if (!err) {
        err = lists ? list_letters(reader, &list, &error) : show_letter(reader, call->words[1], list.json, &error);
    }
    loy_topic_reader_destroy(reader);
    return err ? loy_call_failed(call, &error) : LOY_EXIT_OK;
}
