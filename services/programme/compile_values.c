#include "base/num.h"
#include "programme/compile.h"
#include "programme/keys.h"
#include "programme/values.h"

static const struct loy_yaml *text_of(const struct loy_yaml *map, const char *key)
{
    const struct loy_yaml *node = loy_yaml_get(map, key);
    return node && node->kind == LOY_YAML_TEXT ? node : NULL;
}

struct loy_str loy_compile_text(const struct loy_yaml *map, const char *key)
{
    const struct loy_yaml *node = text_of(map, key);
    return node ? node->text : (struct loy_str){"", 0};
}

int64_t loy_compile_decimal(const struct loy_yaml *map, const char *key, int scale, int64_t fallback)
{
    int64_t value = 0;
    const struct loy_yaml *node = text_of(map, key);
    return node && loy_decimal_parse(node->text, scale, &value) ? value : fallback;
}

bool loy_compile_bool(const struct loy_yaml *map, const char *key, bool fallback)
{
    bool value = false;
    const struct loy_yaml *node = text_of(map, key);
    return node && loy_value_bool(node->text, &value) ? value : fallback;
}

struct loy_period loy_compile_period(const struct loy_yaml *map, const char *key, int64_t fallback_us)
{
    struct loy_length length;
    const struct loy_yaml *node = text_of(map, key);
    bool is_length = node && loy_value_length(node->text, &length);
    return is_length ? (struct loy_period){length.us, length.months} : (struct loy_period){fallback_us, 0};
}

uint32_t loy_compile_dates(struct loy_compile *compile, const struct loy_yaml *map,
                           const struct loy_month_day **ret_dates)
{
    struct loy_text_set texts = loy_compile_texts(compile, map, "dates");
    struct loy_month_day *dates = texts.count ? loy_compile_room(compile, texts.count, sizeof *dates) : NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; dates && i < texts.count; i++) {
        count += loy_value_month_day(texts.texts[i], &dates[count].month, &dates[count].day);
    }
    *ret_dates = dates;
    return count;
}

void loy_compile_expiry(struct loy_compile *compile, const struct loy_yaml *map, struct loy_expiry *ret_expiry)
{
    const struct loy_yaml *expiry = loy_yaml_get(map, "expiry");
    int end = loy_compile_choice(expiry, "end_of", "month quarter year");
    *ret_expiry = (struct loy_expiry){
        .after = text_of(map, "expiry") ? loy_compile_period(map, "expiry", 0) : loy_compile_period(expiry, "after", 0),
        .end_of = (enum loy_end_of)(end + 1), /* in the order of the enum, behind NOTHING */
    };
    ret_expiry->date_count = loy_compile_dates(compile, expiry, &ret_expiry->dates);
}

int64_t loy_compile_moment(const struct loy_compile *compile, const struct loy_yaml *map, const char *key,
                           int64_t fallback)
{
    int64_t moment = 0;
    const struct loy_yaml *node = text_of(map, key);
    return node && loy_value_moment(node->text, compile->programme->zone, &moment) ? moment : fallback;
}

struct loy_text_set loy_compile_texts(struct loy_compile *compile, const struct loy_yaml *map, const char *key)
{
    const struct loy_yaml *node = loy_yaml_get(map, key);
    if (!node || node->kind == LOY_YAML_MAP) {
        return (struct loy_text_set){0};
    }
    const struct loy_yaml *item = node->kind == LOY_YAML_LIST ? node->first : node;
    uint32_t count = node->kind == LOY_YAML_LIST ? node->count : 1;
    struct loy_str *texts = loy_compile_room(compile, count, sizeof *texts);
    for (uint32_t i = 0; texts && i < count; i++, item = item->next) {
        texts[i] = item->text;
    }
    return (struct loy_text_set){texts, texts ? count : 0};
}

static int choice_at(struct loy_str text, const char *words)
{
    bool later;
    int place = 0;
    for (const char *at = words; at; place++) {
        if (loy_str_equal(loy_choice_next(&at, &later), text)) {
            return place;
        }
    }
    return -1;
}

int loy_compile_choice(const struct loy_yaml *map, const char *key, const char *words)
{
    const struct loy_yaml *node = text_of(map, key);
    return node ? choice_at(node->text, words) : -1;
}

uint32_t loy_compile_bits(const struct loy_yaml *map, const char *key, const char *words)
{
    const struct loy_yaml *node = loy_yaml_get(map, key);
    uint32_t bits = 0;
    bool is_list = node && node->kind == LOY_YAML_LIST;
    for (const struct loy_yaml *item = is_list ? node->first : node; item; item = is_list ? item->next : NULL) {
        int place = choice_at(item->text, words);
        bits |= place >= 0 ? 1U << place : 0;
    }
    return bits;
}

const struct loy_yaml *loy_compile_one_of(const struct loy_yaml *map, const char *key, uint32_t i)
{
    const struct loy_yaml *node = loy_yaml_get(map, key);
    if (!node || node->kind != LOY_YAML_LIST) {
        return i == 0 ? node : NULL;
    }
    const struct loy_yaml *item = node->first;
    while (item && i--) {
        item = item->next;
    }
    return item;
}

void *loy_compile_room(struct loy_compile *compile, size_t count, size_t size)
{
    void *room = loy_arena_calloc(compile->arena, count ? count : 1, size);
    compile->full |= !room;
    return room;
}

int32_t loy_compile_number(struct loy_compile *compile, const char *kind, struct loy_str id, int32_t in_order,
                           const struct loy_yaml *node)
{
    if (!compile->given->number) {
        return in_order;
    }
    int32_t number = compile->given->number(compile->given->context, kind, id);
    if (number < 0) {
        LOY_COMPILE_ERROR(compile, node, "there is no number for %s '%.*s' in the dictionary", kind, LOY_STR_ARG(id));
    }
    return number;
}
