#include "engine/rules.h"

#include "base/num.h"
#include "engine/history.h"
#include "engine/index.h"

enum { WORD = 64, FACTOR_ONE = 1000, FEW_RULES = 8 /* are sooner looked at than looked up */ };

/* --- which rules ------------------------------------------------------------------------------------------------- */

enum loy_err loy_rules_collect(struct loy_deciding *d)
{
    const struct loy_programme *programme = d->programme;
    uint32_t words = (programme->rule_count + WORD - 1) / WORD;
    uint64_t *bits = LOY_NEW_ARRAY(d->arena, uint64_t, words);
    uint32_t most = 0;
    if (!bits) {
        return LOY_ERR_NO_MEMORY;
    }
    if (programme->index && programme->rule_count > FEW_RULES) {
        loy_index_candidates(programme->index, d->event, d->at_us, bits);
    } else if (words > 0) {
        memset(bits, 0xff, words * sizeof *bits);
        bits[words - 1] >>= words * WORD - programme->rule_count;
    }
    for (uint32_t i = 0; i < words; i++) {
        for (uint64_t rest = bits[i]; rest; rest &= rest - 1) {
            most++;
        }
    }
    d->candidates = loy_arena_alloc(d->arena, most * sizeof *d->candidates);
    if (!d->candidates) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t word = 0; word < words; word++) {
        for (uint64_t rest = bits[word]; rest; rest &= rest - 1) {
            uint32_t i = word * WORD + (uint32_t)__builtin_ctzll(rest);
            if (loy_rule_concerns(&programme->rules[i], d->event, d->at_us)) {
                d->candidates[d->count++] = (struct loy_candidate){.rule = &programme->rules[i]};
                d->counters += loy_counters_of(&programme->rules[i], programme);
            }
        }
    }
    return LOY_OK;
}

/* --- judging ----------------------------------------------------------------------------------------------------- */

static bool is_day_of(struct loy_date date, uint8_t month_days, uint32_t day)
{
    return date.day == day || (date.day == month_days && day > month_days);
}

static bool comes_again(const struct loy_recurrence *recurrence, struct loy_date date, uint8_t weekday)
{
    uint8_t month_days = loy_days_in_month(date.year, date.month);
    if ((date.day <= 7 && recurrence->first & 1u << weekday) ||
        (date.day + 7 > month_days && recurrence->last & 1u << weekday)) {
        return true;
    }
    for (uint32_t day = 1; day <= 31; day++) {
        if (recurrence->month_days & 1u << day && is_day_of(date, month_days, day)) {
            return true;
        }
    }
    for (uint32_t i = 0; i < recurrence->date_count; i++) {
        if (recurrence->dates[i].month == date.month && is_day_of(date, month_days, recurrence->dates[i].day)) {
            return true;
        }
    }
    return false;
}

/* Whether the day, or the one before it, is one of the rule's. */
static enum loy_reason judge_day(const struct loy_rule *rule, const struct loy_civil *civil, bool before)
{
    uint8_t weekday = before ? (uint8_t)((civil->weekday + 6) % 7) : civil->weekday;
    if (rule->weekdays && !(rule->weekdays & 1u << weekday)) {
        return LOY_REASON_OTHER_WEEKDAY;
    }
    struct loy_date date = before ? loy_date_from_days(loy_days_from_date(civil->date) - 1) : civil->date;
    return rule->recurrence && !comes_again(rule->recurrence, date, weekday) ? LOY_REASON_OTHER_DATE : LOY_REASON_NONE;
}

/* The hours of a rule's days, those after midnight with the day before. */
static enum loy_reason judge_time(const struct loy_rule *rule, const struct loy_civil *civil)
{
    uint32_t minute = civil->hour * 60u + civil->minute;
    enum loy_reason today = judge_day(rule, civil, false);
    enum loy_reason reason = today || !rule->minute_count ? today : LOY_REASON_OTHER_HOUR;
    for (uint32_t i = 0; i < rule->minute_count; i++) {
        const struct loy_minutes *hours = &rule->minutes[i];
        if (minute >= hours->from && minute < hours->until) {
            reason = hours->of_day_before ? judge_day(rule, civil, true) : today;
            if (!reason) {
                break;
            }
        }
    }
    return reason;
}

static bool has_tender(const struct loy_rule *rule, const struct loy_event *event)
{
    if (rule->tenders.count == 0) {
        return true;
    }
    for (uint32_t i = 0; event->kind == LOY_EVENT_PURCHASE && i < event->purchase.tender_count; i++) {
        if (loy_text_set_has(rule->tenders, event->purchase.tenders[i].kind)) {
            return true;
        }
    }
    return false;
}

/* The segments that would have been enough, or the first of them that was, with what made them so. */
static enum loy_err tell_audience(struct loy_deciding *d, uint64_t audience, uint64_t held, struct loy_str *ret_detail)
{
    struct loy_buf buf;
    enum loy_err err = LOY_OK;
    uint64_t told = audience & held ? audience & held & -(audience & held) : audience;
    loy_buf_init(&buf, d->arena, 64);
    for (uint32_t i = 0; !err && i < d->programme->segment_count; i++) {
        if (told & UINT64_C(1) << i) {
            loy_buf_append(&buf, buf.len ? LOY_STR("; ") : (struct loy_str){0});
            err = loy_facts_tell_segment(&d->facts, i, &buf);
        }
    }
    *ret_detail = loy_buf_str(&buf);
    return buf.failed ? LOY_ERR_NO_MEMORY : err;
}

/* Whatever does not depend on amounts. */
static enum loy_err judge_circumstances(struct loy_deciding *d, const struct loy_rule *rule, struct loy_wanted *wanted)
{
    if (rule->weekdays || rule->minute_count || rule->recurrence) {
        wanted->reason = judge_time(rule, loy_facts_civil(&d->facts));
    }
    if (wanted->reason) {
        return LOY_OK;
    }
    if (!has_tender(rule, d->event)) {
        wanted->reason = LOY_REASON_OTHER_TENDER;
    } else if (rule->audience) {
        uint64_t segments = 0;
        enum loy_err err = loy_facts_segments(&d->facts, &segments);
        bool in_it = (segments & rule->audience) != 0;
        if (!err && (!in_it || !rule->when)) {
            err = tell_audience(d, rule->audience, segments, &wanted->detail);
        }
        wanted->reason = in_it ? LOY_REASON_NONE : LOY_REASON_NOT_IN_SEGMENT;
        if (err) {
            return err;
        }
    }
    return wanted->reason || !rule->when ? LOY_OK
                                         : loy_facts_condition(&d->facts, rule->when, &wanted->reason, &wanted->detail);
}

/* The level's times the highest of the segments', in millionths. */
static enum loy_err multiplier_of(struct loy_deciding *d, const struct loy_account *account, int64_t *ret_multiplier)
{
    const struct loy_programme *programme = d->programme;
    int64_t level = FACTOR_ONE, segment = 0;
    bool any = false;
    for (uint32_t i = 0; i < programme->level_count; i++) {
        if (programme->levels[i].number == account->level && programme->levels[i].multiply_milli) {
            level = programme->levels[i].multiply_milli;
        }
    }
    for (uint32_t i = 0; i < programme->segment_count; i++) {
        any = any || programme->segments[i].multiply_milli;
    }
    if (any) {
        uint64_t segments;
        enum loy_err err = loy_facts_segments(&d->facts, &segments);
        if (err) {
            return err;
        }
        for (uint32_t i = 0; i < programme->segment_count; i++) {
            int64_t factor = programme->segments[i].multiply_milli;
            segment = (segments & UINT64_C(1) << i) && factor > segment ? factor : segment;
        }
    }
    *ret_multiplier = level * (segment ? segment : FACTOR_ONE); /* both are int32 */
    return LOY_OK;
}

static bool is_multiplied(const struct loy_rule *rule)
{
    return !rule->is_campaign && !rule->not_multiplied &&
           (rule->reward.kind == LOY_REWARD_PER_AMOUNT || rule->reward.kind == LOY_REWARD_PER_ORDER ||
            rule->reward.kind == LOY_REWARD_PER_UNIT);
}

static enum loy_err judge(struct loy_deciding *d, const struct loy_granting *granting, struct loy_candidate *candidate,
                          struct loy_error *error)
{
    const struct loy_rule *rule = candidate->rule;
    const struct loy_account *account = granting->booking->account;
    struct loy_wanted *wanted = &candidate->wanted;
    candidate->judged = true;
    candidate->multiplied = is_multiplied(rule);
    enum loy_err err = judge_circumstances(d, rule, wanted);
    if (!err && candidate->multiplied && !d->multiplier) {
        err = multiplier_of(d, account, &d->multiplier);
    }
    if (err) {
        return loy_error_set(error, err, "rule %.*s: its condition", LOY_STR_ARG(rule->id));
    }
    if (wanted->reason) {
        return LOY_OK;
    }
    const struct loy_earning_input input = {
        .purchase = d->event->kind == LOY_EVENT_PURCHASE ? &d->event->purchase : NULL,
        .multiplier = candidate->multiplied ? d->multiplier : LOY_MULTIPLIER_ONE,
        .rest = rule->reward.carry ? loy_counter_used(account, loy_counter_key(rule->number, LOY_COUNTED_REST, 0)) : 0,
        .base = &d->bases[rule->reward.wallet],
        .plain = &d->plain,
        .facts = &d->facts,
        .arena = d->arena,
    };
    struct loy_str detail = wanted->detail;
    err = loy_earning_wanted(rule, &input, wanted, error);
    wanted->detail = wanted->detail.len ? wanted->detail : detail;
    return err;
}

/* --- choosing ---------------------------------------------------------------------------------------------------- */

/* What the candidate would be granted now: 0 for one that does not fire. */
static enum loy_err possible_for(struct loy_deciding *d, const struct loy_granting *granting,
                                 struct loy_candidate *candidate, struct loy_error *error)
{
    enum loy_err err = candidate->judged ? LOY_OK : judge(d, granting, candidate, error);
    if (!err && !candidate->wanted.reason && !loy_grant_allowed(granting, candidate->rule).reason) {
        candidate->compared = true;
        err = loy_grant_room(granting, candidate->rule, candidate->wanted.points, &candidate->possible, error);
    }
    return err;
}

/* The choice rests on the budgets of all that were compared. It stays what it is while the best could be granted as
 * much: the others can only be granted less when more of their budgets is used. */
static void note_choice(const struct loy_deciding *d, struct loy_granting *granting, uint32_t first, uint32_t best)
{
    for (uint32_t i = first; i < d->count; i++) {
        const struct loy_candidate *candidate = &d->candidates[i];
        if (candidate->compared && candidate->rule->group == d->candidates[first].rule->group) {
            struct loy_room room = candidate->possible;
            room.at_most = i == best ? room.at_most : INT64_MAX;
            loy_grant_note(granting, candidate->rule, &room);
        }
    }
}

/* Chooses the best of the group that the candidate at `first` is the first of; the others are settled. */
static enum loy_err choose_best(struct loy_deciding *d, struct loy_granting *granting, uint32_t first,
                                struct loy_error *error)
{
    const struct loy_stack_group *group = d->candidates[first].rule->group;
    uint32_t best = first;
    int64_t most = -1;
    for (uint32_t i = first; i < d->count; i++) {
        if (d->candidates[i].rule->group != group) {
            continue;
        }
        enum loy_err err = possible_for(d, granting, &d->candidates[i], error);
        if (err) {
            return err;
        }
        int64_t points = d->candidates[i].possible.points;
        best = points > most ? i : best;
        most = points > most ? points : most;
    }
    note_choice(d, granting, first, best);
    for (uint32_t i = first; most > 0 && i < d->count; i++) {
        d->candidates[i].settled = d->candidates[i].settled || (d->candidates[i].rule->group == group && i != best);
    }
    return LOY_OK;
}

static bool is_first_of_group(const struct loy_deciding *d, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++) {
        if (d->candidates[i].rule->group == d->candidates[at].rule->group) {
            return false;
        }
    }
    return true;
}

/* --- granting ---------------------------------------------------------------------------------------------------- */

/* Allots what was granted to the lines, and adds it to the base that later rules multiply. */
static enum loy_err allot(struct loy_deciding *d, const struct loy_candidate *candidate, struct loy_rule_trace *trace)
{
    const struct loy_rule *rule = candidate->rule;
    struct loy_base *base = &d->bases[rule->reward.wallet];
    bool is_base = !rule->is_campaign && rule->reward.kind != LOY_REWARD_MULTIPLY;
    uint32_t count = d->event->purchase.line_count;
    if (!candidate->wanted.weights) {
        base->unallotted += is_base ? trace->granted : 0; /* fits: the balance holds it */
        return LOY_OK;
    }
    int64_t *lines = loy_arena_alloc(d->arena, count * sizeof *lines);
    if (!lines) {
        return LOY_ERR_NO_MEMORY;
    }
    enum loy_err err = loy_allot(trace->granted, candidate->wanted.weights, count, d->arena, lines);
    if (err) {
        return err;
    }
    trace->lines = lines;
    trace->line_count = count;
    if (is_base && !base->lines && !(base->lines = LOY_NEW_ARRAY(d->arena, int64_t, count))) {
        return LOY_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; is_base && i < count; i++) {
        base->lines[i] += lines[i];
    }
    return LOY_OK;
}

static enum loy_reason refused_by_others(const struct loy_deciding *d, const struct loy_candidate *candidate)
{
    if (candidate->settled) {
        return LOY_REASON_STACK;
    }
    bool clash =
        candidate->rule->is_campaign && (d->exclusive_granted || (candidate->rule->exclusive && d->campaign_granted));
    return clash ? LOY_REASON_EXCLUSIVE : LOY_REASON_NONE;
}

static void settle_group(struct loy_deciding *d, uint32_t at)
{
    const struct loy_rule *rule = d->candidates[at].rule;
    d->campaign_granted = d->campaign_granted || rule->is_campaign;
    d->exclusive_granted = d->exclusive_granted || rule->exclusive;
    for (uint32_t i = at + 1; rule->group && rule->group->pick == LOY_PICK_EXCLUSIVE && i < d->count; i++) {
        d->candidates[i].settled = d->candidates[i].settled || d->candidates[i].rule->group == rule->group;
    }
}

/* Whatever is cut or refused by amount or stacking stands in the trace; the carried rest is kept unless the rule's turn
 * was somebody else's. */
static enum loy_err settle(struct loy_deciding *d, struct loy_granting *granting, uint32_t at, struct loy_error *error)
{
    const struct loy_candidate *candidate = &d->candidates[at];
    const struct loy_rule *rule = candidate->rule;
    struct loy_rule_trace *trace = &d->traces[at];
    struct loy_room room = {.reason = refused_by_others(d, candidate)};
    if (!room.reason) {
        room = loy_grant_allowed(granting, rule);
    }
    trace->wanted = candidate->wanted.points;
    if (room.reason) {
        trace->reason = loy_reason_name(room.reason);
        trace->left = room.left;
        return LOY_OK;
    }
    enum loy_err err = loy_grant_room(granting, rule, candidate->wanted.points, &room, error);
    if (err) {
        return err;
    }
    loy_grant_note(granting, rule, &room);
    trace->reason = loy_reason_name(room.reason);
    trace->left = room.left;
    trace->granted = room.points;
    if (room.points > 0) {
        err = loy_grant_book(granting, rule, room.points, error);
        if (!err) {
            settle_group(d, at);
            err = allot(d, candidate, trace);
        }
    }
    return err;
}

static enum loy_err decide_one(struct loy_deciding *d, struct loy_granting *granting, uint32_t at,
                               struct loy_error *error)
{
    struct loy_candidate *candidate = &d->candidates[at];
    const struct loy_rule *rule = candidate->rule;
    struct loy_rule_trace *trace = &d->traces[at];
    enum loy_err err = LOY_OK;
    if (rule->group && rule->group->pick == LOY_PICK_BEST && is_first_of_group(d, at)) {
        err = choose_best(d, granting, at, error);
    }
    err = err || candidate->judged ? err : judge(d, granting, candidate, error);
    if (err) {
        return err;
    }
    const struct loy_wanted *wanted = &candidate->wanted;
    trace->rule = rule->number;
    trace->eligible_minor = wanted->eligible_minor;
    trace->detail = wanted->detail;
    trace->missing = wanted->missing;
    trace->multiplier = candidate->multiplied && d->multiplier != LOY_MULTIPLIER_ONE ? d->multiplier : 0;
    if (wanted->reason) {
        trace->reason = loy_reason_name(wanted->reason);
    } else {
        err = settle(d, granting, at, error);
    }
    bool counts = wanted->reason == LOY_REASON_BELOW_ONE_STEP || trace->granted > 0;
    if (!err && rule->reward.carry && counts) {
        loy_counter_set(granting->booking->account, loy_counter_key(rule->number, LOY_COUNTED_REST, 0), 0,
                        wanted->rest);
    }
    return err;
}

enum loy_err loy_rules_grant(struct loy_deciding *d, struct loy_granting *granting, struct loy_error *error)
{
    d->traces = LOY_NEW_ARRAY(d->arena, struct loy_rule_trace, d->count);
    d->bases = LOY_NEW_ARRAY(d->arena, struct loy_base, LOY_WALLETS_MAX);
    if (!d->traces || !d->bases) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no room for %u rules", d->count);
    }
    enum loy_err err = LOY_OK;
    for (uint32_t i = 0; !err && i < d->count; i++) {
        err = decide_one(d, granting, i, error);
    }
    return err;
}
