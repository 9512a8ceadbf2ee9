#include "programme/diff.h"

#include "base/num.h"
#include "engine/account.h"
#include "programme/examples.h"
#include "programme/yaml.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { PATH_BYTES = 256, VALUE_BYTES = 400 };

struct differ {
    struct loy_arena *arena;
    struct loy_programme_diff *diff;
};

LOY_PRINTF(2, 3) static void say(struct differ *differ, const char *format, ...)
{
    char line[768];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (differ->diff->count < LOY_DIFF_LINES_MAX) {
        differ->diff->lines[differ->diff->count++] = loy_str_copy(differ->arena, loy_str(line));
    }
}

/* A short form of a value: as a flow of YAML, cut where it is long. */
static size_t put(char *out, size_t at, struct loy_str text)
{
    size_t room = at < VALUE_BYTES - 1 ? VALUE_BYTES - 1 - at : 0;
    size_t len = text.len < room ? text.len : room;
    memcpy(out + at, text.at ? text.at : "", len);
    return at + len;
}

static size_t put_value(char *out, size_t at, const struct loy_yaml *node)
{
    if (node->kind == LOY_YAML_TEXT) {
        return put(out, at, node->text);
    }
    at = put(out, at, node->kind == LOY_YAML_MAP ? LOY_STR("{") : LOY_STR("["));
    for (const struct loy_yaml *child = node->first; child; child = child->next) {
        if (child != node->first) {
            at = put(out, at, LOY_STR(", "));
        }
        if (node->kind == LOY_YAML_MAP) {
            at = put(out, at, child->key);
            at = put(out, at, LOY_STR(": "));
        }
        at = put_value(out, at, child);
    }
    return put(out, at, node->kind == LOY_YAML_MAP ? LOY_STR("}") : LOY_STR("]"));
}

struct value_text {
    char text[VALUE_BYTES];
};

static struct value_text value_of(const struct loy_yaml *node)
{
    struct value_text value;
    value.text[put_value(value.text, 0, node)] = 0;
    return value;
}

static bool same(const struct loy_yaml *a, const struct loy_yaml *b)
{
    if (a->kind != b->kind || a->count != b->count || !loy_str_equal(a->text, b->text)) {
        return false;
    }
    const struct loy_yaml *left = a->first, *right = b->first;
    for (; left && right; left = left->next, right = right->next) {
        if (!loy_str_equal(left->key, right->key) || !same(left, right)) {
            return false;
        }
    }
    return true;
}

static void compare(struct differ *differ, const char *path, const struct loy_yaml *before,
                    const struct loy_yaml *after);

static struct loy_str name_in(const struct loy_yaml *parent, const struct loy_yaml *child)
{
    const struct loy_yaml *id = loy_yaml_get(child, "id");
    return parent->kind == LOY_YAML_MAP ? child->key : id ? id->text : (struct loy_str){"", 0};
}

static const struct loy_yaml *find(const struct loy_yaml *parent, struct loy_str name)
{
    const struct loy_yaml *child = parent->first;
    while (child && !loy_str_equal(name_in(parent, child), name)) {
        child = child->next;
    }
    return child;
}

/* A list whose entries have ids, as rules have. */
static bool has_ids(const struct loy_yaml *node)
{
    return node->kind == LOY_YAML_LIST && node->first && loy_yaml_get(node->first, "id");
}

/* Something that only one side has; a list of rules one by one. */
static void say_alone(struct differ *differ, const char *path, const struct loy_yaml *node, const char *words)
{
    if (!has_ids(node)) {
        say(differ, "%s: %s%s)", path, words, value_of(node).text);
        return;
    }
    for (const struct loy_yaml *child = node->first; child; child = child->next) {
        say(differ, "%s %.*s: %s%s)", path, LOY_STR_ARG(name_in(node, child)), words, value_of(child).text);
    }
}

static void compare_children(struct differ *differ, const char *path, const struct loy_yaml *before,
                             const struct loy_yaml *after)
{
    char inner[PATH_BYTES];
    const char *joint = !*path ? "" : before->kind == LOY_YAML_MAP ? "." : " ";
    for (const struct loy_yaml *old = before->first; old; old = old->next) {
        const struct loy_yaml *new = find(after, name_in(before, old));
        (void)snprintf(inner, sizeof inner, "%s%s%.*s", path, joint, LOY_STR_ARG(name_in(before, old)));
        if (new) {
            compare(differ, inner, old, new);
        } else {
            say_alone(differ, inner, old, "taken away (was ");
        }
    }
    for (const struct loy_yaml *new = after->first; new; new = new->next) {
        if (!find(before, name_in(after, new))) {
            (void)snprintf(inner, sizeof inner, "%s%s%.*s", path, joint, LOY_STR_ARG(name_in(after, new)));
            say_alone(differ, inner, new, "added (");
        }
    }
}

static bool has_names(const struct loy_yaml *node)
{
    return node->kind == LOY_YAML_MAP || has_ids(node);
}

static void compare(struct differ *differ, const char *path, const struct loy_yaml *before,
                    const struct loy_yaml *after)
{
    if (same(before, after)) {
        return;
    }
    if (before->kind == after->kind && has_names(before) && has_names(after)) {
        compare_children(differ, path, before, after);
    } else {
        say(differ, "%s: was %s, becomes %s", path, value_of(before).text, value_of(after).text);
    }
}

/* Who buys the basket: a member of a level (empty: none) with so many purchases of the same basket before, a fortnight
 * apart. */
struct shopper {
    const char *words;
    struct loy_str level;
    int purchases;
};

static int64_t minor(const struct loy_programme *programme, int64_t amount)
{
    for (int32_t d = 0; d < programme->currency_digits; d++) {
        amount *= 10;
    }
    return amount;
}

static enum loy_err earned(const struct loy_programme *programme, const struct shopper *shopper, int64_t basket,
                           int64_t at_us, struct loy_arena *arena, struct loy_effects *ret_effects,
                           struct loy_error *error)
{
    enum { FORTNIGHT = 14 };
    struct loy_account account;
    struct loy_event event;
    struct loy_line *line = LOY_NEW(arena, struct loy_line);
    struct loy_budget_view *views = loy_example_budgets(programme, arena);
    enum loy_err err = LOY_OK;
    if (!line || !views) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for the baskets");
    }
    loy_account_init(&account, LOY_STR("example"), 0);
    for (uint32_t i = 0; i < programme->level_count; i++) {
        account.level =
            loy_str_equal(programme->levels[i].id, shopper->level) ? programme->levels[i].number : account.level;
    }
    for (int i = shopper->purchases; !err && i >= 0; i--) {
        loy_example_basket(&event, line, minor(programme, basket), at_us - i * FORTNIGHT * LOY_US_PER_DAY);
        err = loy_example_decide(programme, &account, &event, views, arena, ret_effects, error);
    }
    return err;
}

static enum loy_err compare_basket(struct differ *differ, const struct loy_programme *before,
                                   const struct loy_programme *after, const struct shopper *shopper, int64_t basket,
                                   int64_t at_us, struct loy_error *error)
{
    struct loy_effects old = {0}, new = {0};
    enum loy_err err = earned(before, shopper, basket, at_us, differ->arena, &old, error);
    err = err ? err : earned(after, shopper, basket, at_us, differ->arena, &new, error);
    for (uint16_t w = 0; !err && w < after->wallet_count; w++) {
        bool known = w < before->wallet_count && loy_str_equal(before->wallets[w].id, after->wallets[w].id);
        say(differ, "a basket of %" PRId64 " %.*s of %s%.*s: %" PRId64 " %.*s before, %" PRId64 " after", basket,
            LOY_STR_ARG(after->currency), shopper->words, LOY_STR_ARG(shopper->level),
            known ? loy_example_earned(&old, w) : 0, LOY_STR_ARG(after->wallets[w].id), loy_example_earned(&new, w));
    }
    return err;
}

static enum loy_err compare_baskets(struct differ *differ, const struct loy_programme *before,
                                    const struct loy_programme *after, int64_t at_us, struct loy_error *error)
{
    static const int64_t baskets[] = {100, 1000, 10000};
    static const struct shopper shoppers[] = {
        {.words = "a new member"},
        {.words = "a regular (six like it before, a fortnight apart)", .purchases = 6},
    };
    enum loy_err err = LOY_OK;
    for (size_t i = 0; i < sizeof shoppers / sizeof *shoppers; i++) {
        for (size_t j = 0; !err && j < sizeof baskets / sizeof *baskets; j++) {
            err = compare_basket(differ, before, after, &shoppers[i], baskets[j], at_us, error);
        }
    }
    for (uint32_t i = 0; !err && i < after->level_count; i++) {
        const struct shopper shopper = {.words = "a new member of level ", .level = after->levels[i].id};
        err = compare_basket(differ, before, after, &shopper, baskets[1], at_us, error);
    }
    return err;
}

enum loy_err loy_programme_diff_make(const struct loy_programme_diff_side *before,
                                     const struct loy_programme_diff_side *after, int64_t at_us,
                                     struct loy_arena *arena, struct loy_programme_diff *ret_diff,
                                     struct loy_error *error)
{
    struct loy_yaml *old = NULL, *new = NULL;
    struct loy_programme_issues *issues = LOY_NEW(arena, struct loy_programme_issues);
    ret_diff->lines = LOY_NEW_ARRAY(arena, struct loy_str, LOY_DIFF_LINES_MAX);
    ret_diff->count = 0;
    if (!issues || !ret_diff->lines) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for a comparison");
    }
    loy_issues_init(issues, arena);
    enum loy_err err = loy_yaml_read(before->text, arena, &old, issues);
    err = err ? err : loy_yaml_read(after->text, arena, &new, issues);
    if (err || !old || !new) {
        return loy_error_set(error, err ? err : LOY_ERR_INVALID_VALUE, "a programme cannot be read");
    }
    struct differ differ = {arena, ret_diff};
    compare(&differ, "", old, new);
    if (ret_diff->count == 0) {
        say(&differ, "nothing changes");
    }
    return compare_baskets(&differ, before->programme, after->programme, at_us, error);
}
