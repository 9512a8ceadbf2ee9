#include "runtime/config_rows.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct loy_config_row rows[LOY_KEY_COUNT] = {
#define ROW(key, kind, by_default, min, max, choices, programs, help)                                                  \
    [LOY_KEY_##key] = {                                                                                                \
        #key, LOY_KIND_##kind, by_default, min, max, choices, programs, help, offsetof(struct loy_config, key)},
    LOY_CONFIG_TABLE(ROW)
#undef ROW
};

const struct loy_config_row *loy_config_row(int key)
{
    assert(key >= 0 && key < LOY_KEY_COUNT);
    return &rows[key];
}

/* The choices as words: "plaintext, ssl or empty". */
static void choices_in_words(const char *choices, char *words, size_t size)
{
    size_t used = (size_t)snprintf(words, size, "one of");
    for (const char *at = choices; used < size;) {
        size_t length = strcspn(at, "|");
        used += (size_t)snprintf(words + used, size - used, "%s %.*s", at == choices ? "" : ",",
                                 length ? (int)length : 5, length ? at : "empty");
        if (at[length] == '\0') {
            break;
        }
        at += length + 1;
    }
}

void loy_config_allowed(const struct loy_config_row *row, char ret_words[LOY_CONFIG_ALLOWED_MAX])
{
    long long min = row->min;
    long long max = row->max;
    switch (row->kind) {
    case LOY_KIND_STRING:
    case LOY_KIND_SECRET:
        (void)snprintf(ret_words, LOY_CONFIG_ALLOWED_MAX, "text of %lld to %lld bytes", min, max);
        return;
    case LOY_KIND_INT:
        (void)snprintf(ret_words, LOY_CONFIG_ALLOWED_MAX, "a whole number from %lld to %lld", min, max);
        return;
    case LOY_KIND_BOOL:
        (void)snprintf(ret_words, LOY_CONFIG_ALLOWED_MAX, "true or false");
        return;
    case LOY_KIND_ENUM:
    case LOY_KIND_CHOICE:
        choices_in_words(row->choices, ret_words, LOY_CONFIG_ALLOWED_MAX);
        return;
    case LOY_KIND_LIST:
        (void)snprintf(ret_words, LOY_CONFIG_ALLOWED_MAX, "%lld to %lld words, separated by commas", min, max);
        return;
    }
}

/* The place of text among choices, -1: none of them. */
static int choice_of(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (int place = 0;; place++) {
        size_t choice = strcspn(choices, "|");
        if (choice == length && memcmp(choices, text, length) == 0) {
            return place;
        }
        if (choices[choice] == '\0') {
            return -1;
        }
        choices += choice + 1;
    }
}

static struct loy_str trimmed(const char *text, size_t length)
{
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t')) {
        length--;
    }
    return (struct loy_str){text, length};
}

static bool parse_list(const struct loy_config_row *row, const char *text, struct loy_arena *arena,
                       struct loy_config_list *ret_list)
{
    struct loy_str *items = LOY_NEW_ARRAY(arena, struct loy_str, (size_t)row->max);
    uint16_t count = 0;
    bool is_empty = trimmed(text, strlen(text)).len == 0;
    for (const char *at = text; items && !is_empty; count++) {
        size_t length = strcspn(at, ",");
        struct loy_str item = trimmed(at, length);
        if (item.len == 0 || count >= row->max) {
            return false;
        }
        items[count] = (struct loy_str){loy_str_dup_z(arena, item), item.len};
        if (!items[count].at) {
            return false;
        }
        if (at[length] == '\0') {
            count++;
            break;
        }
        at += length + 1;
    }
    if (!items || count < row->min) {
        return false;
    }
    *ret_list = (struct loy_config_list){items, count};
    return true;
}

bool loy_config_parse(const struct loy_config_row *row, const char *text, struct loy_arena *arena,
                      struct loy_config *config)
{
    void *field = (char *)config + row->at;
    int64_t length = (int64_t)strlen(text);
    int64_t number = 0;
    int place = row->choices ? choice_of(row->choices, text) : -1;
    switch (row->kind) {
    case LOY_KIND_STRING:
    case LOY_KIND_SECRET:
        if (length < row->min || length > row->max) {
            return false;
        }
        *(const char **)field = text;
        return true;
    case LOY_KIND_INT:
        if (!loy_str_to_i64(loy_str(text), &number) || number < row->min || number > row->max) {
            return false;
        }
        *(int64_t *)field = number;
        return true;
    case LOY_KIND_BOOL:
        *(bool *)field = strcmp(text, "true") == 0;
        return *(bool *)field || strcmp(text, "false") == 0;
    case LOY_KIND_ENUM:
        *(int *)field = place;
        return place >= 0;
    case LOY_KIND_CHOICE:
        *(const char **)field = text;
        return place >= 0;
    case LOY_KIND_LIST:
        return parse_list(row, text, arena, field);
    }
    return false;
}

enum { NAME_MAX_BYTES = 64, NEAR_ENOUGH = 3 };

/* How many letters have to be changed, added, dropped or swapped with their neighbour (optimal string alignment). */
static int distance(const char *a, const char *b)
{
    int rows_of[3][NAME_MAX_BYTES + 1];
    int width = (int)strlen(b);
    int height = (int)strlen(a);
    if (width >= NAME_MAX_BYTES || height >= NAME_MAX_BYTES) {
        return NAME_MAX_BYTES;
    }
    for (int x = 0; x <= width; x++) {
        rows_of[0][x] = x;
    }
    for (int y = 1; y <= height; y++) {
        int *row = rows_of[y % 3];
        const int *above = rows_of[(y + 2) % 3];
        const int *above_that = rows_of[(y + 1) % 3];
        row[0] = y;
        for (int x = 1; x <= width; x++) {
            int best = above[x - 1] + (a[y - 1] != b[x - 1]);
            best = above[x] + 1 < best ? above[x] + 1 : best;
            best = row[x - 1] + 1 < best ? row[x - 1] + 1 : best;
            bool swapped = x > 1 && y > 1 && a[y - 1] == b[x - 2] && a[y - 2] == b[x - 1];
            row[x] = swapped && above_that[x - 2] + 1 < best ? above_that[x - 2] + 1 : best;
        }
    }
    return rows_of[height % 3][width];
}

static void keep_nearest(const char *wrong, const char *candidate, int *best, char ret_key[64])
{
    int away = distance(wrong, candidate);
    if (away < *best) {
        *best = away;
        (void)snprintf(ret_key, 64, "%s", candidate);
    }
}

bool loy_config_nearest(const char *wrong, char ret_key[64])
{
    int length = (int)strnlen(wrong, NAME_MAX_BYTES);
    int best = length / 2 < NEAR_ENOUGH ? length / 2 + 1 : NEAR_ENOUGH + 1;
    int none = best;
    keep_nearest(wrong, "config", &best, ret_key);
    for (int key = 0; key < LOY_KEY_COUNT; key++) {
        keep_nearest(wrong, rows[key].key, &best, ret_key);
        if (rows[key].kind == LOY_KIND_SECRET) {
            char file[NAME_MAX_BYTES];
            (void)snprintf(file, sizeof file, "%s_file", rows[key].key);
            keep_nearest(wrong, file, &best, ret_key);
        }
    }
    return best < none;
}
