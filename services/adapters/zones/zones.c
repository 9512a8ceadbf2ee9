#include "adapters/zones/zones.h"

#include "adapters/zones/rule.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEADER = 44 };

/* The counts of a TZif header. */
struct counts {
    uint32_t isut, isstd, leap, time, type, chars;
};

struct table {
    struct loy_zone_transition *rows;
    size_t count;
};

static uint64_t big_endian(const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | (uint8_t)at[i];
    }
    return value;
}

static enum loy_err corrupt(struct loy_error *error, const char *why)
{
    return loy_error_set(error, LOY_ERR_CORRUPT, "zones: %s", why);
}

static bool read_header(struct loy_str bytes, size_t at, struct counts *ret)
{
    if (bytes.len < at + HEADER || memcmp(bytes.at + at, "TZif", 4) != 0) {
        return false;
    }
    const char *counts = bytes.at + at + 20;
    *ret = (struct counts){(uint32_t)big_endian(counts, 4),      (uint32_t)big_endian(counts + 4, 4),
                           (uint32_t)big_endian(counts + 8, 4),  (uint32_t)big_endian(counts + 12, 4),
                           (uint32_t)big_endian(counts + 16, 4), (uint32_t)big_endian(counts + 20, 4)};
    return ret->time <= LOY_ZONES_MAX_TRANSITIONS && ret->type > 0 && ret->type <= 256 && ret->chars <= 4096 &&
           ret->leap <= 1024 && ret->isut <= 256 && ret->isstd <= 256;
}

static size_t body_size(const struct counts *counts, size_t time_size)
{
    return counts->time * (time_size + 1) + (size_t)counts->type * 6 + counts->chars + counts->leap * (time_size + 4) +
           counts->isstd + counts->isut;
}

static void add_row(struct table *table, int64_t second, int32_t offset)
{
    if (second < LOY_MOMENT_MIN / LOY_US_PER_SECOND) { /* "since the big bang" */
        second = LOY_MOMENT_MIN / LOY_US_PER_SECOND;
    }
    int64_t from = second * LOY_US_PER_SECOND;
    if (table->count > 0 && table->rows[table->count - 1].offset_s == offset) {
        return;
    }
    if (table->count > 1 && table->rows[table->count - 1].from_us >= from) {
        table->count--;
    }
    table->rows[table->count++] = (struct loy_zone_transition){from, offset};
}

/* Years that the rule covers, behind the transitions that the file lists. */
static void add_rule(struct table *table, const struct loy_zone_rule *rule, int64_t last_listed)
{
    if (!rule->has_summer) {
        add_row(table, last_listed > INT64_MIN ? last_listed + 1 : last_listed, rule->standard_s);
        return;
    }
    int32_t first_year = 1970;
    if (last_listed > 0) {
        first_year = loy_civil_from_moment(NULL, last_listed * LOY_US_PER_SECOND).date.year;
    }
    for (int32_t year = first_year; year <= LOY_ZONES_LAST_YEAR; year++) {
        int64_t summer = loy_zone_change_second(&rule->to_summer, year) - rule->standard_s;
        int64_t standard = loy_zone_change_second(&rule->to_standard, year) - rule->summer_s;
        for (int half = 0; half < 2; half++) {
            bool is_summer = (summer < standard) == (half == 0);
            int64_t second = is_summer ? summer : standard;
            if (second > last_listed) {
                add_row(table, second, is_summer ? rule->summer_s : rule->standard_s);
            }
        }
    }
}

static enum loy_err read_body(struct loy_str bytes, size_t at, const struct counts *counts, struct table *table,
                              int64_t *ret_last, struct loy_error *error)
{
    const char *times = bytes.at + at, *indices = times + (size_t)counts->time * 8, *types = indices + counts->time;
    add_row(table, INT64_MIN, (int32_t)big_endian(types, 4)); /* before the first transition: the first type */
    for (uint32_t i = 0; i < counts->time; i++) {
        uint8_t type = (uint8_t)indices[i];
        int64_t second = (int64_t)big_endian(times + (size_t)i * 8, 8);
        if (type >= counts->type || second > LOY_MOMENT_MAX / LOY_US_PER_SECOND || (i > 0 && second <= *ret_last)) {
            return corrupt(error, "a transition that cannot be");
        }
        *ret_last = second;
        add_row(table, second, (int32_t)big_endian(types + (size_t)type * 6, 4));
    }
    return LOY_OK;
}

enum loy_err loy_zones_parse(struct loy_str bytes, struct loy_arena *arena, struct loy_zone *ret_zone,
                             struct loy_error *error)
{
    struct counts counts;
    if (!read_header(bytes, 0, &counts) || bytes.at[4] < '2') {
        return corrupt(error, "not a TZif file of version 2 or later");
    }
    size_t second_header = HEADER + body_size(&counts, 4);
    if (!read_header(bytes, second_header, &counts) || bytes.len < second_header + HEADER + body_size(&counts, 8) + 2) {
        return corrupt(error, "the TZif file is cut off");
    }
    size_t room = (size_t)counts.time + (size_t)2 * (LOY_ZONES_LAST_YEAR - 1970 + 1) + 3;
    struct table table = {LOY_NEW_ARRAY(arena, struct loy_zone_transition, room), 0};
    if (!table.rows) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "zones: the arena is full");
    }
    int64_t last = INT64_MIN;
    enum loy_err err = read_body(bytes, second_header + HEADER, &counts, &table, &last, error);
    if (err != LOY_OK) {
        return err;
    }
    size_t footer = second_header + HEADER + body_size(&counts, 8);
    struct loy_str rule_text = {bytes.at + footer + 1, bytes.len - footer - 2};
    struct loy_zone_rule rule;
    if (bytes.at[footer] != '\n' || bytes.at[bytes.len - 1] != '\n') {
        return corrupt(error, "the TZif file has no footer");
    }
    if (rule_text.len > 0) {
        if (!loy_zone_rule_parse(rule_text, &rule)) {
            return corrupt(error, "a rule that cannot be read");
        }
        add_rule(&table, &rule, last);
    }
    *ret_zone = (struct loy_zone){table.rows, table.count};
    return LOY_OK;
}

/* Letters, digits, _ + - and /, no part empty or "..": a name never leaves the folder. */
static bool is_zone_name(struct loy_str name)
{
    bool part_begins = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                       c == '+' || c == '-';
        if (!is_word && (c != '/' || part_begins)) {
            return false;
        }
        part_begins = c == '/';
    }
    return name.len > 0 && name.len < 128 && !part_begins;
}

enum loy_err loy_zones_read(const char *folder, struct loy_str name, struct loy_arena *arena, struct loy_zone *ret_zone,
                            struct loy_error *error)
{
    char path[512];
    const char *of_system = getenv("TZDIR");
    of_system = of_system && *of_system ? of_system : LOY_ZONES_FOLDER;
    int len = snprintf(path, sizeof path, "%s/%.*s", folder ? folder : of_system, LOY_STR_ARG(name));
    if (!is_zone_name(name) || len < 0 || (size_t)len >= sizeof path) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "zones: '%.*s' is no name of a zone", LOY_STR_ARG(name));
    }
    FILE *file = fopen(path, "rbe");
    if (!file) {
        return loy_error_set(error, LOY_ERR_NOT_FOUND, "zones: there is no %s", path);
    }
    char bytes[LOY_ZONES_MAX_FILE];
    size_t size = fread(bytes, 1, sizeof bytes, file);
    bool whole = feof(file) && !ferror(file);
    (void)fclose(file);
    if (!whole) {
        return loy_error_set(error, LOY_ERR_CORRUPT, "zones: %s cannot be read, or is too large", path);
    }
    return loy_zones_parse((struct loy_str){bytes, size}, arena, ret_zone, error);
}
