#include "engine/nearest.h"

#include "base/num.h"
#include "engine/match.h"

struct search {
    const struct loy_nearest_query *query;
    struct loy_arena *arena;
    const struct loy_rule *rule;
    uint32_t line; /* that grows */
    bool is_units;
    enum loy_err err; /* NO_MEMORY */
};

static bool could_grow(const struct loy_rule_trace *trace)
{
    static const enum loy_reason reasons[] = {LOY_REASON_CONDITION, LOY_REASON_BELOW_MINIMUM, LOY_REASON_BELOW_ONE_STEP,
                                              LOY_REASON_NO_BASE};
    bool could = false;
    for (size_t i = 0; trace->granted == 0 && trace->reason && i < sizeof reasons / sizeof *reasons; i++) {
        could = could || strcmp(trace->reason, loy_reason_name(reasons[i])) == 0;
    }
    return could;
}

static bool grow(const struct search *search, struct loy_event *event, struct loy_line *lines, int64_t more)
{
    const struct loy_purchase *purchase = &search->query->event->purchase;
    struct loy_line *line = &lines[search->line];
    *event = *search->query->event;
    memcpy(lines, purchase->lines, purchase->line_count * sizeof *lines);
    event->purchase.lines = lines;
    return search->is_units ? loy_i64_add(line->quantity_milli, more, &line->quantity_milli)
                            : loy_i64_add(line->amount_minor, more, &line->amount_minor) &&
                                  loy_i64_add(event->purchase.total_minor, more, &event->purchase.total_minor);
}

/* What the rule grants of a basket that is so much larger; 0 where that cannot be decided. */
static int64_t granted(struct search *search, int64_t more)
{
    const struct loy_nearest_query *query = search->query;
    struct loy_arena_mark mark = loy_arena_mark(search->arena);
    struct loy_line *lines = LOY_NEW_ARRAY(search->arena, struct loy_line, query->event->purchase.line_count);
    struct loy_account account = *query->account;
    struct loy_event event;
    struct loy_effects effects = {0};
    int64_t points = 0;
    enum loy_err err = lines ? LOY_ERR_OVERFLOW : LOY_ERR_NO_MEMORY;
    if (lines && grow(search, &event, lines, more)) {
        err = loy_engine_decide(query->programme, &account, &event, query->arrival_us, &query->budgets, search->arena,
                                &effects, NULL);
    }
    for (uint32_t i = 0; !err && i < effects.rule_count; i++) {
        points += effects.rules[i].rule == search->rule->number ? effects.rules[i].granted : 0;
    }
    search->err = err == LOY_ERR_NO_MEMORY ? err : search->err;
    loy_arena_reset_to(search->arena, mark);
    return points;
}

/* The first line that counts for the rule. */
static bool find_line(struct search *search)
{
    const struct loy_purchase *purchase = &search->query->event->purchase;
    for (search->line = 0; search->line < purchase->line_count; search->line++) {
        if (loy_line_matches(&search->rule->lines, &purchase->lines[search->line])) {
            return true;
        }
    }
    return false;
}

/* The least that makes the rule grant: the larger basket is doubled until it does, then halved in between. */
static bool find_more(struct search *search, const struct loy_rule_trace *trace, struct loy_nearest *ret_row)
{
    int64_t most = search->query->event->purchase.total_minor, none = 0, some = 1;
    search->is_units = search->rule->reward.kind == LOY_REWARD_PER_UNIT &&
                       strcmp(trace->reason, loy_reason_name(LOY_REASON_BELOW_ONE_STEP)) == 0;
    if (!find_line(search) || !loy_i64_mul(most, LOY_NEAREST_TIMES, &most)) {
        return false;
    }
    most = search->is_units ? trace->missing : most;
    if (most <= 0) {
        return false;
    }
    for (; some < most && granted(search, some) == 0; some = some > most / 2 ? most : some * 2) {
        none = some;
    }
    int64_t points = granted(search, some);
    while (points > 0 && some - none > 1) {
        int64_t middle = none + (some - none) / 2, less = granted(search, middle);
        points = less > 0 ? less : points;
        some = less > 0 ? middle : some;
        none = less > 0 ? none : middle;
    }
    *ret_row = (struct loy_nearest){search->rule, some, search->is_units, points};
    return points > 0;
}

static const struct loy_rule *rule_of(const struct loy_programme *programme, int32_t number)
{
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        if (programme->rules[i].number == number) {
            return &programme->rules[i];
        }
    }
    return NULL;
}

static bool comes_later(const struct loy_nearest *a, const struct loy_nearest *b)
{
    return a->is_units != b->is_units ? a->is_units : a->more > b->more;
}

enum loy_err loy_nearest_find(const struct loy_nearest_query *query, struct loy_arena *arena,
                              struct loy_nearest ret_rows[LOY_NEAREST_MAX], uint32_t *ret_count)
{
    struct search search = {.query = query, .arena = arena};
    uint32_t tried = 0;
    *ret_count = 0;
    for (uint32_t i = 0; query->event->kind == LOY_EVENT_PURCHASE && i < query->effects->rule_count; i++) {
        const struct loy_rule_trace *trace = &query->effects->rules[i];
        struct loy_nearest row;
        search.rule = rule_of(query->programme, trace->rule);
        if (!search.rule || !could_grow(trace) || tried++ >= LOY_NEAREST_MAX || !find_more(&search, trace, &row)) {
            continue;
        }
        uint32_t at = (*ret_count)++;
        for (; at > 0 && comes_later(&ret_rows[at - 1], &row); at--) {
            ret_rows[at] = ret_rows[at - 1];
        }
        ret_rows[at] = row;
    }
    return search.err;
}
