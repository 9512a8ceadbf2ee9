#include "programme/validate.h"

#include "base/num.h"
#include "programme/values.h"

#include <inttypes.h>
#include <stdio.h>

enum { WORDS_MAX = 320 };

struct check {
    struct loy_programme_issues *issues;
    int32_t digits;
    bool inactive; /* inside a key that is not in force: said once, at the top */
};

static void check_map(struct check *check, const struct loy_yaml *node, const struct loy_shape *shape,
                      const char *what);

#define WRONG(check, node, ...)                                                                                        \
    loy_issues_add((check)->issues, LOY_ISSUE_ERROR, (node)->line, (node)->column, __VA_ARGS__)

static void say_inactive(struct check *check, uint32_t line, uint32_t column, const char *what, struct loy_str word)
{
    if (!check->inactive) {
        loy_issues_add(check->issues, LOY_ISSUE_INACTIVE, line, column,
                       "%s '%.*s' is not in force in this version: it would have no effect", what, LOY_STR_ARG(word));
    }
}

static const char *kind_name(const struct loy_yaml *node)
{
    static const char *const names[] = {"a text", "a list", "a map"};
    return names[node->kind];
}

static void expected(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    const char *words = loy_key_type_words(key->type);
    const char *example = key->example ? key->example : "";
    if (node->kind == LOY_YAML_TEXT) {
        WRONG(check, node, "'%s' is '%.*s', which is not %s; for example `%s: %s`", key->name, LOY_STR_ARG(node->text),
              words, key->name, example);
    } else {
        WRONG(check, node, "'%s' is %s, which is not %s; for example `%s: %s`", key->name, kind_name(node), words,
              key->name, example);
    }
}

static void out_of_range(struct check *check, const struct loy_yaml *node, const struct loy_key *key, int scale)
{
    char min[LOY_DECIMAL_TEXT_MAX], max[LOY_DECIMAL_TEXT_MAX];
    (void)loy_decimal_format(key->min, scale, min);
    (void)loy_decimal_format(key->max, scale, max);
    WRONG(check, node, "'%s' is %.*s, which is outside %s to %s", key->name, LOY_STR_ARG(node->text), min, max);
}

static void check_number(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    int64_t value = 0;
    int scale = key->type == LOY_KEY_NUMBER ? 3 : key->type == LOY_KEY_MONEY ? check->digits : 0;
    if (!loy_decimal_parse(node->text, scale, &value)) {
        bool finer = key->type == LOY_KEY_MONEY && loy_decimal_parse(node->text, 9, &value);
        if (finer) {
            WRONG(check, node, "'%s' is %.*s: the currency has %d decimals, so write no more", key->name,
                  LOY_STR_ARG(node->text), (int)check->digits);
        } else {
            expected(check, node, key);
        }
        return;
    }
    bool is_money = key->type == LOY_KEY_MONEY;
    if (is_money && value <= 0) {
        WRONG(check, node, "'%s' is %.*s: an amount above 0 is wanted", key->name, LOY_STR_ARG(node->text));
    } else if (!is_money && (value < key->min || (key->max && value > key->max))) {
        out_of_range(check, node, key, scale);
    }
}

static void check_length(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    struct loy_length length;
    if (key->type == LOY_KEY_WINDOW && loy_str_equal(node->text, LOY_STR("calendar_year"))) {
        return;
    }
    if (!loy_value_length(node->text, &length)) {
        expected(check, node, key);
    }
}

static void check_choice(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    struct loy_str nearest = {0};
    uint32_t limit = 2;
    bool later = false;
    for (const char *at = key->choices; at;) {
        struct loy_str word = loy_choice_next(&at, &later);
        if (loy_str_equal(word, node->text)) {
            if (later) {
                say_inactive(check, node->line, node->column, key->name, word);
            }
            return;
        }
        uint32_t distance = loy_word_distance(word, node->text, limit);
        if (distance <= limit) {
            nearest = word;
            limit = distance;
        }
    }
    char words[WORDS_MAX];
    size_t len = 0;
    for (const char *at = key->choices; at && len < sizeof words - 1;) {
        struct loy_str word = loy_choice_next(&at, &later);
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%.*s", len ? ", " : "", LOY_STR_ARG(word));
    }
    if (nearest.len) {
        WRONG(check, node, "'%s' cannot be '%.*s': did you mean '%.*s'?", key->name, LOY_STR_ARG(node->text),
              LOY_STR_ARG(nearest));
    } else {
        WRONG(check, node, "'%s' cannot be '%.*s': it is one of %s", key->name, LOY_STR_ARG(node->text), words);
    }
}

static bool is_fine(const struct loy_yaml *node, const struct loy_key *key)
{
    int64_t number = 0, other = 0;
    uint16_t from = 0, until = 0;
    uint8_t month = 0, day = 0;
    bool truth = false;
    switch (key->type) {
    case LOY_KEY_ID:
        return loy_value_is_id(node->text);
    case LOY_KEY_BOOL:
        return loy_value_bool(node->text, &truth);
    case LOY_KEY_PERCENT:
        return loy_value_percent(node->text, &number);
    case LOY_KEY_DATE:
        return loy_value_moment(node->text, NULL, &number);
    case LOY_KEY_MONTH_DAYS:
        return loy_value_month_day(node->text, &month, &day);
    case LOY_KEY_HOURS:
        return loy_value_hours(node->text, &from, &until);
    case LOY_KEY_RATE:
        return loy_value_rate(node->text, &number, &other);
    case LOY_KEY_TEXT:
    case LOY_KEY_TEXTS:
        return node->text.len > 0 && node->text.len <= 1024;
    default:
        return true;
    }
}

static void check_text(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    if (node->refused) {
        return;
    }
    if (node->kind != LOY_YAML_TEXT) {
        expected(check, node, key);
        return;
    }
    switch (key->type) {
    case LOY_KEY_CONDITION:
    case LOY_KEY_FORMULA:
        if (!node->double_quoted) {
            WRONG(check, node, "'%s' is CEL and stands in double quotes: \"%.*s\"", key->name, LOY_STR_ARG(node->text));
        }
        break;
    case LOY_KEY_MONEY:
    case LOY_KEY_INTEGER:
    case LOY_KEY_NUMBER:
    case LOY_KEY_DAYS:
        check_number(check, node, key);
        break;
    case LOY_KEY_DURATION:
    case LOY_KEY_WINDOW:
        check_length(check, node, key);
        break;
    case LOY_KEY_CHOICE:
    case LOY_KEY_CHOICES:
        check_choice(check, node, key);
        break;
    default:
        if (!is_fine(node, key)) {
            expected(check, node, key);
        }
    }
}

static void check_count(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    if (key->max && key->type != LOY_KEY_DAYS && node->count > (uint64_t)key->max) {
        WRONG(check, node, "'%s' has %u entries: at most %" PRId64 " are allowed", key->name, node->count, key->max);
    }
    if (node->count == 0) {
        WRONG(check, node, "'%s' is empty: leave it out, or write what it holds", key->name);
    }
}

/* Ids of a list are each used once. */
static void check_ids(struct check *check, const struct loy_yaml *list)
{
    for (const struct loy_yaml *item = list->first; item; item = item->next) {
        const struct loy_yaml *id = loy_yaml_get(item, "id");
        for (const struct loy_yaml *other = list->first; id && other != item; other = other->next) {
            const struct loy_yaml *taken = loy_yaml_get(other, "id");
            if (taken && loy_str_equal(taken->text, id->text)) {
                WRONG(check, id, "id '%.*s' is that of line %u already: give this one another", LOY_STR_ARG(id->text),
                      taken->line);
                break;
            }
        }
    }
}

static void check_list(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    check_count(check, node, key);
    for (const struct loy_yaml *item = node->first; item; item = item->next) {
        check_map(check, item, key->shape, key->name);
    }
    check_ids(check, node);
}

static void check_named(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    if (node->kind != LOY_YAML_MAP) {
        expected(check, node, key);
        return;
    }
    check_count(check, node, key);
    for (const struct loy_yaml *item = node->first; item; item = item->next) {
        if (!loy_value_is_id(item->key)) {
            loy_issues_add(check->issues, LOY_ISSUE_ERROR, item->key_line, item->key_column,
                           "'%.*s' is not an id: a to z, 0 to 9 and _, a letter first", LOY_STR_ARG(item->key));
        }
        if (key->type == LOY_KEY_MAP) {
            check_map(check, item, key->shape, key->name);
        } else if (item->kind != LOY_YAML_TEXT) {
            WRONG(check, item, "'%.*s' is %s: a text is wanted", LOY_STR_ARG(item->key), kind_name(item));
        }
    }
}

static void check_value(struct check *check, const struct loy_yaml *node, const struct loy_key *key)
{
    bool is_list = node->kind == LOY_YAML_LIST;
    bool may_be_list = key->type == LOY_KEY_TEXTS || key->type == LOY_KEY_CHOICES || key->type == LOY_KEY_HOURS ||
                       key->type == LOY_KEY_MONTH_DAYS || key->type == LOY_KEY_DAYS;
    if (key->type == LOY_KEY_MAP || key->type == LOY_KEY_TEXT_MAP) {
        check_named(check, node, key);
    } else if (is_list && (key->type == LOY_KEY_LIST || key->type == LOY_KEY_OBJECTS)) {
        check_list(check, node, key);
    } else if (key->type == LOY_KEY_OBJECT || key->type == LOY_KEY_OBJECTS) {
        check_map(check, node, key->shape, key->name);
    } else if (key->type == LOY_KEY_LIST) {
        expected(check, node, key);
    } else if (is_list && may_be_list) {
        check_count(check, node, key);
        for (const struct loy_yaml *item = node->first; item; item = item->next) {
            check_text(check, item, key);
        }
    } else {
        check_text(check, node, key);
    }
}

static void unknown_key(struct check *check, const struct loy_yaml *child, const struct loy_shape *shape,
                        const char *what)
{
    const struct loy_key *nearest = loy_shape_nearest(shape, child->key);
    char words[WORDS_MAX];
    size_t len = 0;
    for (uint32_t i = 0; i < shape->count && len < sizeof words - 1; i++) {
        len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len ? ", " : "", shape->keys[i].name);
    }
    if (nearest) {
        loy_issues_add(check->issues, LOY_ISSUE_ERROR, child->key_line, child->key_column,
                       "unknown key '%.*s': did you mean '%s'?", LOY_STR_ARG(child->key), nearest->name);
    } else {
        loy_issues_add(check->issues, LOY_ISSUE_ERROR, child->key_line, child->key_column,
                       "unknown key '%.*s': '%s' may hold %s%s", LOY_STR_ARG(child->key), what, words,
                       len >= sizeof words - 1 ? " …" : "");
    }
}

static void check_child(struct check *check, const struct loy_yaml *child, const struct loy_key *key)
{
    bool was_inactive = check->inactive;
    if (key->later) {
        say_inactive(check, child->key_line, child->key_column, "key", child->key);
        check->inactive = true;
    }
    check_value(check, child, key);
    check->inactive = was_inactive;
}

static void check_map(struct check *check, const struct loy_yaml *node, const struct loy_shape *shape, const char *what)
{
    if (node->kind == LOY_YAML_TEXT && shape->shorthand) {
        check_child(check, node, loy_shape_key(shape, loy_str(shape->shorthand)));
        return;
    }
    if (node->kind != LOY_YAML_MAP) {
        WRONG(check, node, "'%s' is %s: a map of keys is wanted, as `{%s: %s}`", what, kind_name(node),
              shape->keys[0].name, shape->keys[0].example);
        return;
    }
    for (const struct loy_yaml *child = node->first; child; child = child->next) {
        const struct loy_key *key = loy_shape_key(shape, child->key);
        if (key) {
            check_child(check, child, key);
        } else if (!child->key_refused) {
            unknown_key(check, child, shape, what);
        }
    }
    for (uint32_t i = 0; i < shape->count; i++) {
        if (shape->keys[i].required && !loy_yaml_get(node, shape->keys[i].name)) {
            WRONG(check, node, "'%s' is missing in this entry of '%s': for example `%s: %s`", shape->keys[i].name, what,
                  shape->keys[i].name, shape->keys[i].example);
        }
    }
}

void loy_programme_validate(const struct loy_yaml *root, const struct loy_shape *shape, int32_t digits,
                            struct loy_programme_issues *issues)
{
    struct check check = {issues, digits, false};
    check_map(&check, root, shape, shape->name);
}
