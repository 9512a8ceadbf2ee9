/* Conditions and formulas: CEL, with its issues shown where they stand in the file. */
#include "base/num.h"
#include "engine/facts.h"
#include "engine/match.h"
#include "programme/compile.h"

/* member.last_90_days in a text: the days; 0 when there is none from *at on. */
static uint32_t next_window(struct loy_str text, size_t *at)
{
    static const char before[] = "last_", after[] = "_days";
    for (size_t i = *at; i + sizeof before - 1 < text.len; i++) {
        if (memcmp(text.at + i, before, sizeof before - 1) != 0) {
            continue;
        }
        size_t digit = i + sizeof before - 1;
        uint32_t days = 0;
        while (digit < text.len && text.at[digit] >= '0' && text.at[digit] <= '9' && days < 100000) {
            days = days * 10 + (uint32_t)(text.at[digit++] - '0');
        }
        *at = digit;
        if (days && text.len - digit >= sizeof after - 1 && memcmp(text.at + digit, after, sizeof after - 1) == 0) {
            return days;
        }
    }
    return 0;
}

static void add_window(struct loy_compile *compile, uint32_t days, const struct loy_yaml *node)
{
    struct loy_programme *programme = compile->programme;
    uint32_t at = 0;
    while (at < programme->fact_window_count && programme->fact_days[at] < days) {
        at++;
    }
    if (at < programme->fact_window_count && programme->fact_days[at] == days) {
        return;
    }
    if (days > LOY_FACT_DAYS_MAX) {
        LOY_COMPILE_ERROR(compile, node, "a window of %u days: at most %d are kept", days, LOY_FACT_DAYS_MAX);
        return;
    }
    if (programme->fact_window_count == LOY_FACT_WINDOWS_MAX) {
        LOY_COMPILE_ERROR(compile, node, "a window of %u days is one too many: at most %d different ones are kept",
                          days, LOY_FACT_WINDOWS_MAX);
        return;
    }
    for (uint32_t i = programme->fact_window_count++; i > at; i--) {
        programme->fact_days[i] = programme->fact_days[i - 1];
    }
    programme->fact_days[at] = (uint16_t)days;
    programme->history = true;
}

static void find_windows(struct loy_compile *compile, const struct loy_yaml *node)
{
    if (node->kind == LOY_YAML_TEXT && node->double_quoted) {
        uint32_t days = 0;
        for (size_t at = 0; (days = next_window(node->text, &at)) != 0;) {
            add_window(compile, days, node);
        }
    }
    for (const struct loy_yaml *child = node->first; child; child = child->next) {
        find_windows(compile, child);
    }
}

void loy_compile_facts(struct loy_compile *compile)
{
    struct loy_programme *programme = compile->programme;
    const struct loy_yaml *facts = loy_yaml_get(compile->root, "facts");
    const struct loy_yaml *day = NULL;
    for (uint32_t i = 0; (day = loy_compile_one_of(facts, "windows", i)) != NULL; i++) {
        int64_t days = 0;
        if (day->kind == LOY_YAML_TEXT && loy_str_to_i64(day->text, &days) && days > 0 && days <= LOY_FACT_DAYS_MAX) {
            add_window(compile, (uint32_t)days, day);
        }
    }
    programme->attributes = loy_compile_texts(compile, facts, "attributes");
    programme->fact_categories = loy_compile_texts(compile, facts, "categories");
    programme->fact_skus = loy_compile_texts(compile, facts, "skus");
    find_windows(compile, compile->root);
    loy_compile_zones(compile);
    for (uint16_t i = 0; i < programme->wallet_count; i++) {
        if (!compile->wallets[i].id.len) {
            return; /* reported: without names of wallets there are no facts to check against */
        }
    }
    struct loy_error error = {0};
    enum loy_err err = loy_facts_env_new(programme, compile->given->matcher, compile->zones, compile->zone_count,
                                         compile->arena, &programme->facts, &error);
    if (err == LOY_ERR_NO_MEMORY) {
        compile->full = true;
    } else if (err) {
        LOY_COMPILE_ERROR(compile, compile->root, "conditions cannot be checked: %s", error.detail);
    }
}

/* The next constant text behind `before`, as in money('1.50'); false past the last. *at begins as 0. */
static bool next_constant(struct loy_str text, struct loy_str before, size_t *at, struct loy_str *ret_constant)
{
    for (; *at + before.len + 1 < text.len; ++*at) {
        char quote = text.at[*at + before.len];
        if (memcmp(text.at + *at, before.at, before.len) != 0 || (quote != '\'' && quote != '"')) {
            continue;
        }
        const char *begin = text.at + *at + before.len + 1;
        const char *end = memchr(begin, quote, text.len - (size_t)(begin - text.at));
        if (end) {
            *ret_constant = (struct loy_str){begin, (size_t)(end - begin)};
            ++*at;
            return true;
        }
    }
    return false;
}

/* money('...') of a text that is no amount would only fail when it runs. */
static void check_money(struct loy_compile *compile, const struct loy_yaml *node)
{
    struct loy_str amount;
    for (size_t at = 0; next_constant(node->text, loy_str("money("), &at, &amount);) {
        int64_t minor = 0;
        if (!loy_decimal_parse(amount, compile->programme->currency_digits, &minor)) {
            uint32_t line = 0, column = 0;
            loy_yaml_place(compile->given->text, node, (size_t)(amount.at - node->text.at), &line, &column);
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, line, column,
                           "'%.*s' is no amount of money with at most %d decimals, as money('99.90')",
                           LOY_STR_ARG(amount), (int)compile->programme->currency_digits);
        }
    }
}

/* member.attributes['…'] of one that is not kept would be false for ever; so would be the others. */
static void check_kept(struct loy_compile *compile, const struct loy_yaml *node)
{
    const struct {
        const char *before, *what, *key;
        struct loy_text_set kept;
    } maps[] = {
        {"member.attributes[", "attribute", "attributes", compile->programme->attributes},
        {"member.last_bought[", "category", "categories", compile->programme->fact_categories},
        {"member.last_bought_sku[", "SKU", "skus", compile->programme->fact_skus},
    };
    struct loy_str name;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        for (size_t at = 0; next_constant(node->text, loy_str(maps[i].before), &at, &name);) {
            if (!loy_text_set_has(maps[i].kept, name)) {
                uint32_t line = 0, column = 0;
                loy_yaml_place(compile->given->text, node, (size_t)(name.at - node->text.at), &line, &column);
                loy_issues_add(compile->issues, LOY_ISSUE_ERROR, line, column,
                               "%s '%.*s' is not kept of members: name it in `facts: {%s: [%.*s]}`", maps[i].what,
                               LOY_STR_ARG(name), maps[i].key, LOY_STR_ARG(name));
            }
        }
    }
}

/* A condition that names no fact is always the same. */
static void warn_constant(struct loy_compile *compile, const struct loy_yaml *node,
                          const struct loy_cel_program *program)
{
    size_t needs = 0;
    uint64_t fuel = LOY_FACTS_FUEL;
    (void)loy_cel_program_needs(program, &needs);
    if (needs) {
        return;
    }
    struct loy_cel_value none[8] = {0};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        none[i] = loy_cel_absent();
    }
    struct loy_cel_value value = loy_cel_eval(program, none, compile->arena, &fuel);
    if (value.kind == LOY_CEL_BOOL) {
        LOY_COMPILE_WARNING(compile, node, "this condition is always %s", value.as.i ? "true" : "false");
    }
}

/* What a marketer can do about a text that is cut off or a result of another type; NULL: CEL's own words are good. */
static const char *in_other_words(struct loy_str message, const char *result)
{
    static const struct loy_str begin = {"the expression must be of type ", 31}, end = {"the expression ends here", 24};
    if (loy_str_starts_with(message, end)) {
        return "the expression ends here, and a value was expected: write it, or take the operator before it away";
    }
    if (!loy_str_starts_with(message, begin)) {
        return NULL;
    }
    return strcmp(result, "bool") == 0
               ? "a condition has to be true or false, and this is another value: compare it, as `… >= money('100')`"
               : "a formula has to be a whole number, and this is something else: int(…) makes one of texts and times";
}

const struct loy_cel_program *loy_compile_cel(struct loy_compile *compile, const struct loy_yaml *node,
                                              const char *result)
{
    struct loy_programme *programme = compile->programme;
    if (!node || node->kind != LOY_YAML_TEXT || !programme->facts) {
        return NULL;
    }
    struct loy_cel_issues *issues = loy_compile_room(compile, 1, sizeof *issues);
    const struct loy_cel_options options = {.result = result, .money = true, .max_cost = LOY_FACTS_FUEL};
    const struct loy_cel_program *program = NULL;
    if (!issues) {
        return NULL;
    }
    enum loy_err err =
        loy_cel_compile(loy_facts_cel(programme->facts), node->text, &options, compile->arena, &program, issues);
    compile->full |= err == LOY_ERR_NO_MEMORY;
    for (size_t i = 0; i < issues->count; i++) {
        const struct loy_cel_issue *issue = &issues->items[i];
        uint32_t line = 0, column = 0;
        loy_yaml_place(compile->given->text, node, issue->offset, &line, &column);
        const char *words = in_other_words(issue->message, result);
        struct loy_str message = words ? loy_str(words) : issue->message;
        loy_issues_add(compile->issues, issue->is_warning ? LOY_ISSUE_WARNING : LOY_ISSUE_ERROR, line, column, "%.*s",
                       LOY_STR_ARG(message));
    }
    if (err) {
        return NULL;
    }
    check_money(compile, node);
    programme->history |= loy_facts_needs_history(programme->facts, program);
    programme->traits |= loy_facts_needs_traits(programme->facts, program);
    check_kept(compile, node);
    if (strcmp(result, "bool") == 0) {
        warn_constant(compile, node, program);
        loy_compile_never(compile, node, program);
        loy_compile_bare_money(compile, node, program);
    }
    return program;
}
