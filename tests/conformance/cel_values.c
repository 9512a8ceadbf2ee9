#include "conformance/cel_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *what)
{
    fprintf(stderr, "conformance: the suite has %s that this runner does not know\n", what);
    exit(2);
}

/* The one member of a value object. */
static const char *kind_of(const json_t *json, json_t **ret_content)
{
    void *iter = json_object_iter((json_t *)(uintptr_t)json);
    if (!iter) {
        give_up("a value without a kind");
    }
    *ret_content = json_object_iter_value(iter);
    return json_object_iter_key(iter);
}

static struct loy_str text_of(const json_t *json)
{
    return (struct loy_str){json_string_value(json), json_string_length(json)};
}

static struct loy_str from_hex(struct loy_str hex, struct loy_arena *arena)
{
    uint8_t *bytes = loy_arena_alloc(arena, hex.len / 2 + 1);
    for (size_t i = 0; bytes && i < hex.len / 2; i++) {
        char pair[3] = {hex.at[2 * i], hex.at[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return (struct loy_str){(char *)bytes, hex.len / 2};
}

static struct loy_cel_value list_of(const json_t *json, struct loy_arena *arena)
{
    size_t count = json_array_size(json);
    struct loy_cel_value *items = LOY_NEW_ARRAY(arena, struct loy_cel_value, count + 1);
    for (size_t i = 0; items && i < count; i++) {
        items[i] = conformance_value(json_array_get(json, i), arena);
    }
    return loy_cel_list(items, count);
}

static struct loy_cel_value map_of(const json_t *json, struct loy_arena *arena)
{
    size_t count = json_array_size(json);
    struct loy_cel_entry *entries = LOY_NEW_ARRAY(arena, struct loy_cel_entry, count + 1);
    for (size_t i = 0; entries && i < count; i++) {
        const json_t *pair = json_array_get(json, i);
        entries[i].key = conformance_value(json_array_get(pair, 0), arena);
        entries[i].value = conformance_value(json_array_get(pair, 1), arena);
    }
    return loy_cel_map(entries, count);
}

static struct loy_cel_value time_of(const json_t *json, bool is_duration)
{
    long long seconds = strtoll(json_string_value(json_array_get(json, 0)), NULL, 10);
    long long ns = strtoll(json_string_value(json_array_get(json, 1)), NULL, 10);
    if (is_duration) {
        return (struct loy_cel_value){.kind = LOY_CEL_DURATION, .as.i = seconds * 1000000000 + ns};
    }
    return (struct loy_cel_value){.kind = LOY_CEL_TIMESTAMP, .len = (uint32_t)ns, .as.i = seconds};
}

struct loy_cel_value conformance_value(const json_t *json, struct loy_arena *arena)
{
    json_t *content;
    const char *kind = kind_of(json, &content);
    if (strcmp(kind, "int") == 0) {
        return loy_cel_int(strtoll(json_string_value(content), NULL, 10));
    }
    if (strcmp(kind, "uint") == 0) {
        return loy_cel_uint(strtoull(json_string_value(content), NULL, 10));
    }
    if (strcmp(kind, "double") == 0) {
        return loy_cel_double(strtod(json_string_value(content), NULL));
    }
    if (strcmp(kind, "bool") == 0) {
        return loy_cel_bool(json_is_true(content));
    }
    if (strcmp(kind, "null") == 0) {
        return loy_cel_null();
    }
    if (strcmp(kind, "string") == 0 || strcmp(kind, "type") == 0) {
        struct loy_cel_value value = loy_cel_string(text_of(content));
        value.kind = kind[0] == 't' ? LOY_CEL_TYPE : LOY_CEL_STRING;
        return value;
    }
    if (strcmp(kind, "bytes") == 0) {
        return loy_cel_bytes(from_hex(text_of(content), arena));
    }
    if (strcmp(kind, "list") == 0) {
        return list_of(content, arena);
    }
    if (strcmp(kind, "map") == 0) {
        return map_of(content, arena);
    }
    if (strcmp(kind, "timestamp") == 0 || strcmp(kind, "duration") == 0) {
        return time_of(content, kind[0] == 'd');
    }
    give_up(kind);
    return loy_cel_null();
}

static bool same(struct loy_cel_value a, struct loy_cel_value b);

static bool same_entry(struct loy_cel_entry entry, struct loy_cel_value map)
{
    for (uint32_t i = 0; i < map.len; i++) {
        if (same(entry.key, map.as.entries[i].key)) {
            return same(entry.value, map.as.entries[i].value);
        }
    }
    return false;
}

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b));
}

/* Strict: an int is no uint. */
static bool same(struct loy_cel_value a, struct loy_cel_value b)
{
    if (a.kind != b.kind) {
        return false;
    }
    switch (a.kind) {
    case LOY_CEL_NULL:
        return true;
    case LOY_CEL_DOUBLE:
        return same_double(a.as.d, b.as.d);
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
    case LOY_CEL_TYPE:
        return loy_str_equal(loy_cel_text(a), loy_cel_text(b));
    case LOY_CEL_TIMESTAMP:
        return a.as.i == b.as.i && a.len == b.len;
    case LOY_CEL_LIST:
    case LOY_CEL_MAP: {
        bool equal = a.len == b.len;
        for (uint32_t i = 0; equal && i < a.len; i++) {
            equal = a.kind == LOY_CEL_LIST ? same(a.as.items[i], b.as.items[i]) : same_entry(a.as.entries[i], b);
        }
        return equal;
    }
    default:
        return a.as.u == b.as.u;
    }
}

bool conformance_equal(const json_t *expected, struct loy_cel_value actual)
{
    static char block[1 << 20];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    return same(conformance_value(expected, &arena), actual);
}

bool conformance_change_expectation(json_t *test)
{
    json_t *value = json_object_get(test, "value"), *content;
    if (json_is_true(json_object_get(test, "check_only"))) {
        return false;
    }
    if (!value) { /* an error was expected */
        return json_object_del(test, "eval_error") == 0 &&
               json_object_set_new(test, "value", json_pack("{s:b}", "bool", 1)) == 0;
    }
    const char *kind = kind_of(value, &content);
    if (strcmp(kind, "bool") == 0) {
        return json_object_set_new(value, "bool", json_boolean(!json_is_true(content))) == 0;
    }
    /* Any other value becomes a text that nothing yields. */
    return json_object_set_new(test, "value", json_pack("{s:s}", "string", "\x01 changed")) == 0;
}
