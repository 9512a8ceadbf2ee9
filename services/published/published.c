#include "published/published.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBERS_MAX = 16384 };

static enum loy_err add_number(struct loy_numbers *numbers, struct loy_str kind, struct loy_str id, int32_t number,
                               bool added)
{
    struct loy_str kept_kind = loy_str_copy(numbers->arena, kind), kept = loy_str_copy(numbers->arena, id);
    if (numbers->count == numbers->capacity || !kept.at || !kept_kind.at) {
        return LOY_ERR_NO_MEMORY;
    }
    numbers->rows[numbers->count++] = (struct loy_number){kept_kind, kept, number, added};
    return LOY_OK;
}

enum loy_err loy_published_numbers(struct loy_query *query, struct loy_arena *arena, struct loy_numbers *numbers,
                                   struct loy_error *error)
{
    struct loy_rows rows = {0};
    *numbers = (struct loy_numbers){
        .arena = arena, .rows = LOY_NEW_ARRAY(arena, struct loy_number, NUMBERS_MAX), .capacity = NUMBERS_MAX};
    if (!numbers->rows) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for the dictionary");
    }
    enum loy_err err = loy_query_rows(query,
                                      "SELECT kind, id, number FROM dictionary UNION ALL "
                                      "SELECT 'counter', name, id FROM counter",
                                      NULL, 0, &rows, error);
    for (int32_t i = 0; !err && i < rows.count; i++) {
        err = add_number(numbers, loy_rows_bytes(&rows, i, 0), loy_rows_bytes(&rows, i, 1),
                         (int32_t)loy_rows_integer(&rows, i, 2), false);
        if (err) {
            err = loy_error_set(error, err, "the dictionary has more than %d rows", NUMBERS_MAX);
        }
    }
    loy_rows_free(&rows);
    return err;
}

/* The number that stands there, or the next one of its kind. */
static int32_t number_of(void *context, const char *kind, struct loy_str id)
{
    const struct loy_published_given *given = context;
    struct loy_numbers *numbers = given->numbers;
    int32_t next = strcmp(kind, "wallet") == 0 ? 0 : 1;
    for (uint32_t i = 0; i < numbers->count; i++) {
        const struct loy_number *row = &numbers->rows[i];
        if (!loy_str_equal(row->kind, loy_str(kind))) {
            continue;
        }
        if (loy_str_equal(row->id, id)) {
            return row->number;
        }
        next = row->number >= next ? row->number + 1 : next;
    }
    return add_number(numbers, loy_str(kind), id, next, true) ? -1 : next;
}

static enum loy_err zone_of(void *context, struct loy_str name, struct loy_arena *arena, struct loy_zone *ret_zone,
                            struct loy_error *error)
{
    const struct loy_published_given *given = context;
    return loy_frozen_zone(given->zones, name, arena, ret_zone, error);
}

enum loy_err loy_published_compile(const struct loy_published_given *given, struct loy_arena *arena,
                                   const struct loy_programme **ret_programme, struct loy_programme_issues *ret_issues)
{
    struct loy_published_given kept = *given;
    const struct loy_programme_given file = {
        .text = given->text,
        .revision = given->revision,
        .from_us = given->from_us,
        .now_us = given->now_us,
        .zone = zone_of,
        .number = given->numbers ? number_of : NULL,
        .context = &kept,
        .matcher = loy_regex_matcher(given->regex),
    };
    return loy_programme_file_compile(&file, arena, ret_programme, ret_issues);
}

enum loy_err loy_published_after(struct loy_query *query, int32_t after, struct loy_rows *ret_rows,
                                 struct loy_error *error)
{
    char text[16];
    const char *parameters[] = {text};
    (void)snprintf(text, sizeof text, "%" PRId32, after);
    return loy_query_rows(query,
                          "SELECT number, programme, CASE WHEN from_at = '-infinity' THEN NULL "
                          "ELSE (extract(epoch FROM from_at) * 1000000)::bigint END, zones "
                          "FROM programme_revision WHERE number > $1::int ORDER BY number",
                          parameters, 1, ret_rows, error);
}

struct loy_frozen_zones loy_published_zones(const struct loy_rows *rows, int32_t row, int32_t column)
{
    bool is_frozen = !loy_rows_is_null(rows, row, column);
    return (struct loy_frozen_zones){.text = is_frozen ? loy_rows_bytes(rows, row, column) : (struct loy_str){0},
                                     .is_frozen = is_frozen};
}

struct loy_published_row loy_published_row(const struct loy_rows *rows, int32_t row)
{
    return (struct loy_published_row){
        .number = (int32_t)loy_rows_integer(rows, row, 0),
        .from_us = loy_rows_is_null(rows, row, 2) ? INT64_MIN : loy_rows_integer(rows, row, 2),
        .text = loy_rows_bytes(rows, row, 1),
        .zones = loy_published_zones(rows, row, 3),
    };
}
