#include "engine/facts_fill.h"
#include "engine/history.h"
#include "engine/traits.h"

/* --- member ------------------------------------------------------------------------------------------------------ */

static int64_t months_between(const struct loy_zone *zone, int64_t earlier_us, int64_t later_us)
{
    struct loy_civil from = loy_civil_from_moment(zone, earlier_us), to = loy_civil_from_moment(zone, later_us);
    int32_t months = (to.date.year - from.date.year) * 12 + to.date.month - from.date.month;
    int64_t due_day = loy_days_from_date(loy_date_add_months(from.date, months));
    int64_t day = loy_days_from_date(to.date);
    int64_t from_time = ((from.hour * 60 + from.minute) * 60 + from.second) * LOY_US_PER_SECOND + from.microsecond;
    int64_t to_time = ((to.hour * 60 + to.minute) * 60 + to.second) * LOY_US_PER_SECOND + to.microsecond;
    bool whole = day > due_day || (day == due_day && to_time >= from_time);
    return whole ? months : months - 1;
}

static void fill_window(struct loy_facts *facts, uint32_t at)
{
    struct loy_cel_value *slots = loy_facts_slots(facts, LOY_FACT_WINDOW_COUNT);
    int64_t purchases, spend;
    if (!slots) {
        return;
    }
    loy_history_window(facts->account, loy_local_day(facts->programme->zone, facts->at_us),
                       facts->programme->fact_days[at], &purchases, &spend);
    slots[LOY_FACT_WINDOW_PURCHASES] = loy_cel_int(purchases);
    slots[LOY_FACT_WINDOW_SPEND] = loy_cel_int(spend);
    if (purchases > 0) {
        slots[LOY_FACT_WINDOW_AVERAGE] = loy_cel_int(spend / purchases);
    }
    facts->member_slots[LOY_FACT_MEMBER_COUNT + at] =
        loy_cel_record(facts->programme->facts->records[LOY_FACTS_RECORD_WINDOW], slots);
}

static void fill_history(struct loy_facts *facts)
{
    const struct loy_account *account = facts->account;
    struct loy_cel_value *slots = facts->member_slots;
    slots[LOY_FACT_MEMBER_PURCHASES] = loy_cel_int(account->purchases);
    slots[LOY_FACT_MEMBER_SPEND] = loy_cel_int(account->spend_minor);
    if (account->purchases == 0) {
        return;
    }
    int64_t last_us = account->last_purchase_us;
    bool later = facts->at_us >= last_us; /* else it came late, and nothing has passed since */
    slots[LOY_FACT_MEMBER_AVERAGE] = loy_cel_int(account->spend_minor / account->purchases);
    slots[LOY_FACT_MEMBER_FIRST] = loy_cel_timestamp(account->first_purchase_us);
    slots[LOY_FACT_MEMBER_LAST] = loy_cel_timestamp(last_us);
    slots[LOY_FACT_MEMBER_DAYS_SINCE] = loy_cel_int(later ? (facts->at_us - last_us) / LOY_US_PER_DAY : 0);
}

static void fill_months_since(struct loy_facts *facts)
{
    int64_t last_us = facts->account->last_purchase_us;
    bool later = facts->at_us >= last_us;
    if (facts->account->purchases) {
        facts->member_slots[LOY_FACT_MEMBER_MONTHS_SINCE] =
            loy_cel_int(later ? months_between(facts->programme->zone, last_us, facts->at_us) : 0);
    }
}

static void fill_balances(struct loy_facts *facts)
{
    const struct loy_programme *programme = facts->programme;
    uint32_t balance_id = programme->facts->records[LOY_FACTS_RECORD_BALANCE];
    struct loy_cel_value *available = loy_facts_slots(facts, programme->wallet_count);
    struct loy_cel_value *pending = loy_facts_slots(facts, programme->wallet_count);
    if (facts->failed) {
        return;
    }
    for (uint16_t i = 0; i < programme->wallet_count; i++) {
        available[i] = loy_cel_int(facts->account->balances[i].available);
        pending[i] = loy_cel_int(facts->account->balances[i].pending);
    }
    facts->member_slots[LOY_FACT_MEMBER_BALANCE] = loy_cel_record(balance_id, available);
    facts->member_slots[LOY_FACT_MEMBER_PENDING] = loy_cel_record(balance_id, pending);
}

static void fill_member(struct loy_facts *facts)
{
    const struct loy_programme *programme = facts->programme;
    struct loy_cel_value *slots = facts->member_slots;
    slots[LOY_FACT_MEMBER_ID] = loy_facts_text(facts->account->member_id);
    for (uint32_t i = 0; i < programme->level_count; i++) {
        if (programme->levels[i].number == facts->account->level) {
            slots[LOY_FACT_MEMBER_LEVEL] = loy_cel_string(programme->levels[i].id);
        }
    }
    if (programme->history) {
        fill_history(facts);
    }
}

static void fill_birth(struct loy_facts *facts, struct loy_str text, struct loy_cel_value *slots)
{
    int64_t year, month, day;
    if (text.len != 10 || !loy_str_to_i64((struct loy_str){text.at, 4}, &year) ||
        !loy_str_to_i64((struct loy_str){text.at + 5, 2}, &month) ||
        !loy_str_to_i64((struct loy_str){text.at + 8, 2}, &day)) {
        return;
    }
    struct loy_date today = loy_facts_civil(facts)->date;
    bool before_birthday = today.month < month || (today.month == month && today.day < day);
    slots[LOY_FACT_PROFILE_BIRTH_DATE] = loy_cel_string(text);
    slots[LOY_FACT_PROFILE_BIRTH_MONTH] = loy_cel_int(month);
    slots[LOY_FACT_PROFILE_BIRTH_DAY] = loy_cel_int(day);
    slots[LOY_FACT_PROFILE_AGE] = loy_cel_int(today.year - year - before_birthday);
}

/* In event time: what was bought after an event that came late is not known to it. */
static struct loy_cel_value bought_at(const struct loy_facts *facts, const struct loy_trait *trait)
{
    int64_t moment_us = loy_trait_moment_us(trait);
    return moment_us <= facts->at_us ? loy_cel_timestamp(moment_us) : loy_cel_absent();
}

static void fill_traits(struct loy_facts *facts)
{
    enum { MAPS = LOY_TRAIT_SKU - LOY_TRAIT_ATTRIBUTE + 1 };
    _Static_assert(LOY_FACT_MEMBER_LAST_BOUGHT_SKU == LOY_FACT_MEMBER_ATTRIBUTES + MAPS - 1, "in the traits' order");
    struct loy_str traits = facts->account->traits;
    struct loy_cel_value *slots = loy_facts_slots(facts, LOY_FACT_PROFILE_COUNT);
    struct loy_cel_value *consents = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, traits.len);
    /* by kind: attributes, categories, SKUs */
    struct loy_cel_entry *maps = LOY_NEW_ARRAY(facts->arena, struct loy_cel_entry, MAPS * traits.len);
    size_t consent_count = 0, counts[MAPS] = {0};
    struct loy_trait trait;
    facts->failed = facts->failed || !consents || !maps;
    if (facts->failed) {
        return;
    }
    fill_birth(facts, loy_traits_text(traits, LOY_TRAIT_BIRTH_DATE), slots);
    slots[LOY_FACT_PROFILE_GENDER] = loy_facts_text(loy_traits_text(traits, LOY_TRAIT_GENDER));
    slots[LOY_FACT_PROFILE_CITY] = loy_facts_text(loy_traits_text(traits, LOY_TRAIT_CITY));
    slots[LOY_FACT_PROFILE_LANGUAGE] = loy_facts_text(loy_traits_text(traits, LOY_TRAIT_LANGUAGE));
    slots[LOY_FACT_PROFILE_CONTACT] = loy_facts_text(loy_traits_text(traits, LOY_TRAIT_CONTACT));
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        if (trait.kind == LOY_TRAIT_CONSENT) {
            consents[consent_count++] = loy_cel_string(trait.text);
        } else if (trait.kind >= LOY_TRAIT_ATTRIBUTE) {
            size_t map = trait.kind - LOY_TRAIT_ATTRIBUTE;
            struct loy_cel_value value = map == 0 ? loy_cel_string(trait.value) : bought_at(facts, &trait);
            if (value.kind != LOY_CEL_ABSENT) {
                maps[map * traits.len + counts[map]++] = (struct loy_cel_entry){loy_cel_string(trait.text), value};
            }
        }
    }
    slots[LOY_FACT_PROFILE_CONSENTS] = loy_cel_list(consents, consent_count);
    facts->member_slots[LOY_FACT_MEMBER_PROFILE] =
        loy_cel_record(facts->programme->facts->records[LOY_FACTS_RECORD_PROFILE], slots);
    for (size_t i = 0; i < MAPS; i++) {
        facts->member_slots[LOY_FACT_MEMBER_ATTRIBUTES + i] = loy_cel_map(maps + i * traits.len, counts[i]);
    }
}

static void fill_segments(struct loy_facts *facts)
{
    const struct loy_programme *programme = facts->programme;
    struct loy_cel_value *names = loy_facts_slots(facts, programme->segment_count);
    uint64_t bits = 0;
    uint32_t count = 0;
    if (loy_facts_segments(facts, &bits)) {
        facts->failed = true;
    }
    for (uint32_t i = 0; !facts->failed && i < programme->segment_count; i++) {
        if (bits & UINT64_C(1) << i) {
            names[count++] = loy_cel_string(programme->segments[i].id);
        }
    }
    facts->member_slots[LOY_FACT_MEMBER_SEGMENTS] = loy_cel_list(names, count);
}

/* --- as far as it is needed --------------------------------------------------------------------------------------- */

void loy_facts_fill_member(struct loy_facts *facts, int32_t field)
{
    const struct loy_programme *programme = facts->programme;
    loy_facts_fill_once(facts, LOY_FACTS_MEMBER, fill_member);
    if (field == LOY_FACT_MEMBER_BALANCE || field == LOY_FACT_MEMBER_PENDING || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_BALANCES, fill_balances);
    }
    if ((field >= LOY_FACT_MEMBER_PROFILE && field <= LOY_FACT_MEMBER_LAST_BOUGHT_SKU) || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_TRAITS, fill_traits);
    }
    if ((field == LOY_FACT_MEMBER_SEGMENTS || field < 0) && programme->segment_count) {
        loy_facts_fill_once(facts, LOY_FACTS_SEGMENTS, fill_segments);
    }
    if ((field == LOY_FACT_MEMBER_MONTHS_SINCE || field < 0) && programme->history) {
        loy_facts_fill_once(facts, LOY_FACTS_MONTHS, fill_months_since);
    }
    for (uint32_t i = 0; programme->history && i < programme->fact_window_count; i++) {
        int32_t window = LOY_FACT_MEMBER_COUNT + (int32_t)i;
        if ((field == window || field < 0) && facts->member_slots[window].kind == LOY_CEL_ABSENT) {
            fill_window(facts, i);
        }
    }
}
