#include "programme/compile.h"

#include "engine/facts.h"
#include "engine/index.h"
#include "programme/validate.h"
#include "programme/values.h"

static void compile_header(struct loy_compile *compile)
{
    struct loy_programme *programme = compile->programme;
    const struct loy_yaml *root = compile->root;
    const struct loy_yaml *zone_name = loy_yaml_get(root, "time_zone");
    const struct loy_yaml *currency = loy_yaml_get(root, "currency");
    programme->id = loy_compile_text(root, "programme");
    programme->revision = compile->given->revision;
    programme->from_us = compile->given->from_us;
    programme->currency = loy_compile_text(root, "currency");
    int32_t digits = loy_currency_digits(programme->currency);
    if (digits < 0 && currency && currency->kind == LOY_YAML_TEXT && !currency->refused) {
        LOY_COMPILE_ERROR(compile, currency, "'%.*s' is no currency: three capital letters of ISO 4217, as RUB",
                          LOY_STR_ARG(currency->text));
    }
    programme->currency_digits = (int32_t)loy_compile_decimal(root, "currency_digits", 0, digits < 0 ? 2 : digits);
    if (programme->currency_digits < 0 || programme->currency_digits > 4) {
        programme->currency_digits = 2;
    }
    if (zone_name && zone_name->kind == LOY_YAML_TEXT && compile->given->zone) {
        struct loy_zone *zone = loy_compile_room(compile, 1, sizeof *zone);
        struct loy_error error = {0};
        if (zone && compile->given->zone(compile->given->context, zone_name->text, compile->arena, zone, &error)) {
            LOY_COMPILE_ERROR(compile, zone_name, "there is no time zone '%.*s': a name as Europe/Moscow is wanted",
                              LOY_STR_ARG(zone_name->text));
        } else {
            programme->zone = zone;
        }
    }
}

static void compile_wallet(struct loy_compile *compile, const struct loy_yaml *node, struct loy_wallet *wallet)
{
    wallet->id = node->key;
    wallet->pending = loy_compile_period(node, "pending", 0);
    loy_compile_expiry(compile, node, &wallet->expiry);
    wallet->is_money = loy_compile_choice(node, "unit", "points money") == 1;
    loy_compile_caps(compile, node, &wallet->caps, &wallet->cap_count);
}

/* Each at its number: what stands in members' states is known by it. */
static void compile_wallets(struct loy_compile *compile)
{
    const struct loy_yaml *node = loy_yaml_get(compile->root, "wallets");
    compile->wallets = loy_compile_room(compile, LOY_WALLETS_MAX, sizeof *compile->wallets);
    if (!node || node->kind != LOY_YAML_MAP || compile->full) {
        return;
    }
    int32_t in_order = 0;
    for (const struct loy_yaml *child = node->first; child && in_order < LOY_WALLETS_MAX; child = child->next) {
        int32_t number = loy_compile_number(compile, "wallet", child->key, in_order++, child);
        if (number >= LOY_WALLETS_MAX) {
            LOY_COMPILE_ERROR(compile, child, "more than %d wallets, those of earlier revisions included",
                              LOY_WALLETS_MAX);
        } else if (number >= 0) {
            compile_wallet(compile, child, &compile->wallets[number]);
            uint16_t count = (uint16_t)(number + 1);
            compile->programme->wallet_count =
                count > compile->programme->wallet_count ? count : compile->programme->wallet_count;
        }
    }
    for (uint16_t i = 0; i < compile->programme->wallet_count; i++) {
        if (!compile->wallets[i].id.len) {
            LOY_COMPILE_ERROR(compile, node,
                              "a wallet of an earlier revision (number %d) is missing: members may hold its points",
                              (int)i);
        }
    }
    compile->programme->wallets = compile->wallets;
}

static void compile_levels(struct loy_compile *compile)
{
    const struct loy_yaml *tiers = loy_yaml_get(compile->root, "tiers");
    const struct loy_yaml *levels = tiers ? loy_yaml_get(tiers->first, "levels") : NULL;
    if (!levels || levels->kind != LOY_YAML_LIST) {
        return;
    }
    struct loy_level *rows = loy_compile_room(compile, levels->count, sizeof *rows);
    uint32_t count = 0;
    for (const struct loy_yaml *node = levels->first; node && rows; node = node->next, count++) {
        struct loy_str id = loy_compile_text(node, "id");
        rows[count] = (struct loy_level){.number = loy_compile_number(compile, "level", id, (int32_t)count + 1, node),
                                         .id = id,
                                         .multiply_milli = (int32_t)loy_compile_decimal(node, "multiply", 3, 0)};
    }
    compile->programme->levels = rows;
    compile->programme->level_count = count;
}

static void compile_segments(struct loy_compile *compile)
{
    const struct loy_yaml *node = loy_yaml_get(compile->root, "segments");
    compile->segments = loy_compile_room(compile, LOY_SEGMENTS_MAX, sizeof *compile->segments);
    compile->segment_nodes = loy_compile_room(compile, LOY_SEGMENTS_MAX, sizeof *compile->segment_nodes);
    if (!node || node->kind != LOY_YAML_MAP || compile->full) {
        return;
    }
    uint32_t count = 0;
    for (const struct loy_yaml *child = node->first; child && count < LOY_SEGMENTS_MAX; child = child->next) {
        const struct loy_yaml *when = child->kind == LOY_YAML_TEXT ? child : loy_yaml_get(child, "when");
        const struct loy_cel_program *program = loy_compile_cel(compile, when, "bool");
        bool told = child->kind == LOY_YAML_MAP && loy_yaml_get(child, "by") != NULL;
        if (told == (when != NULL)) {
            LOY_COMPILE_ERROR(compile, child,
                              "a segment has a condition (`when`), or another system tells who is in it "
                              "(`by: crm`): one of them");
        }
        if (when && program && loy_facts_needs_segments(compile->programme->facts, program)) {
            LOY_COMPILE_ERROR(compile, when, "a segment's condition may not name member.segments");
        }
        compile->segments[count] = (struct loy_segment){
            .id = child->key, .when = program, .multiply_milli = (int32_t)loy_compile_decimal(child, "multiply", 3, 0)};
        compile->segment_nodes[count++] = child;
    }
    compile->programme->segment_count = count;
}

static void compile_rates(struct loy_compile *compile)
{
    const struct loy_yaml *node = loy_yaml_get(compile->root, "exchange_rates");
    if (!node || node->kind != LOY_YAML_LIST) {
        return;
    }
    struct loy_rate *rates = loy_compile_room(compile, node->count, sizeof *rates);
    uint32_t count = 0;
    for (const struct loy_yaml *row = node->first; row && rates; row = row->next) {
        struct loy_rate rate = {.currency = loy_compile_text(row, "currency"),
                                .from_us = loy_compile_moment(compile, row, "from", INT64_MIN)};
        int32_t digits = loy_currency_digits(rate.currency);
        if (digits < 0 || !loy_value_rate(loy_compile_text(row, "rate"), &rate.numerator, &rate.denominator)) {
            if (digits < 0 && rate.currency.len) {
                LOY_COMPILE_ERROR(compile, loy_yaml_get(row, "currency"),
                                  "'%.*s' is no currency: three capital letters of ISO 4217",
                                  LOY_STR_ARG(rate.currency));
            }
            continue;
        }
        /* The rate is of whole units; amounts are in minor ones. */
        for (; digits > compile->programme->currency_digits; digits--) {
            rate.denominator *= 10;
        }
        for (; digits < compile->programme->currency_digits && rate.numerator < INT64_MAX / 10; digits++) {
            rate.numerator *= 10;
        }
        uint32_t at = count++;
        for (; at > 0 && rates[at - 1].from_us > rate.from_us; at--) {
            rates[at] = rates[at - 1];
        }
        rates[at] = rate;
    }
    compile->programme->rates = rates;
    compile->programme->rate_count = count;
}

static void compile_times(struct loy_compile *compile)
{
    struct loy_programme *programme = compile->programme;
    const struct loy_yaml *late = loy_yaml_get(compile->root, "late");
    programme->late = loy_compile_period(late, "accept", 30 * LOY_US_PER_DAY);
    programme->early = loy_compile_period(late, "early", 5 * 60 * LOY_US_PER_SECOND);
    struct loy_text_set sources = loy_compile_texts(compile, compile->root, "historical_sources");
    programme->historical_sources = sources.texts;
    programme->historical_source_count = sources.count;
}

static enum loy_err finish(struct loy_compile *compile)
{
    struct loy_programme *programme = compile->programme;
    if (compile->full) {
        return LOY_ERR_NO_MEMORY;
    }
    if (compile->issues->errors) {
        return LOY_ERR_INVALID_VALUE;
    }
    programme->segments = compile->segments;
    programme->budgets = compile->budgets;
    programme->budget_count = compile->budget_count;
    for (uint32_t i = 0; i < compile->rule_count; i++) { /* so that the index finds what conditions name outright */
        enum loy_err err = loy_rule_narrow(&compile->rules[i], compile->arena);
        if (err) {
            return err;
        }
    }
    loy_rules_sort(compile->rules, compile->rule_count);
    programme->rules = compile->rules;
    programme->rule_count = compile->rule_count;
    return loy_index_new(programme->rules, programme->rule_count, compile->arena, &programme->index);
}

bool loy_programme_file_wants_approval(struct loy_str text, struct loy_arena *arena)
{
    struct loy_yaml *root = NULL;
    struct loy_programme_issues *issues = LOY_NEW(arena, struct loy_programme_issues);
    if (!issues) {
        return true;
    }
    loy_issues_init(issues, arena);
    return !loy_yaml_read(text, arena, &root, issues) && root &&
           loy_str_equal(loy_compile_text(root, "approval"), LOY_STR("required"));
}

enum loy_err loy_programme_file_compile(const struct loy_programme_given *given, struct loy_arena *arena,
                                        const struct loy_programme **ret_programme,
                                        struct loy_programme_issues *ret_issues)
{
    struct loy_compile compile = {.given = given, .arena = arena, .issues = ret_issues};
    struct loy_yaml *root = NULL;
    loy_issues_init(ret_issues, arena);
    enum loy_err err = loy_yaml_read(given->text, arena, &root, ret_issues);
    if (err || !root) {
        loy_issues_sort(ret_issues);
        return err ? err : LOY_ERR_INVALID_VALUE;
    }
    compile.root = root;
    compile.programme = loy_compile_room(&compile, 1, sizeof *compile.programme);
    if (!compile.programme) {
        return LOY_ERR_NO_MEMORY;
    }
    compile_header(&compile);
    loy_programme_validate(root, loy_shape_root(), compile.programme->currency_digits, ret_issues);
    compile_wallets(&compile);
    compile_levels(&compile);
    loy_compile_facts(&compile);
    compile_segments(&compile);
    compile_rates(&compile);
    compile_times(&compile);
    loy_compile_rules(&compile);
    loy_compile_warn(&compile);
    err = finish(&compile);
    loy_issues_sort(ret_issues);
    *ret_programme = compile.programme;
    return err;
}
