#include "base/num.h"
#include "engine/facts_fill.h"
#include "engine/history.h"
#include "engine/traits.h"

/* What is filled together; the bits of loy_facts.filled. */
enum group {
    G_EVENT,
    G_LOCAL,
    G_ATTRIBUTES,
    G_STORE,
    G_PURCHASE,
    G_LINES,
    G_TENDERS,
    G_ACTIVITY,
    G_FEEDBACK,
    G_MEMBER,
    G_BALANCES,
    G_MONTHS,
    G_TRAITS,
    G_SEGMENTS
};

enum { EXPLANATION_BYTES = 128, EXPLANATION_BYTES_MAX = 400 };

static struct loy_cel_value text_or_absent(struct loy_str text)
{
    return text.len ? loy_cel_string(text) : loy_cel_absent();
}

static struct loy_cel_value *absent_slots(struct loy_facts *facts, size_t count)
{
    static const struct loy_cel_value absent = {.kind = LOY_CEL_ABSENT};
    struct loy_cel_value *slots = loy_arena_alloc(facts->arena, count * sizeof *slots);
    if (!slots) {
        facts->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        slots[i] = absent;
    }
    return slots;
}

/* A record for each variable, all of its fields absent: one block, since most conditions look at several. */
static bool open_records(struct loy_facts *facts)
{
    enum {
        EVENT_AT = LOY_FACTS_VARIABLE_COUNT,
        STORE_AT = EVENT_AT + LOY_FACT_EVENT_COUNT,
        PURCHASE_AT = STORE_AT + LOY_FACT_STORE_COUNT,
        ACTIVITY_AT = PURCHASE_AT + LOY_FACT_PURCHASE_COUNT,
        FEEDBACK_AT = ACTIVITY_AT + LOY_FACT_ACTIVITY_COUNT,
        MEMBER_AT = FEEDBACK_AT + LOY_FACT_FEEDBACK_COUNT,
    };
    const uint32_t *ids = facts->programme->facts->records;
    if (facts->variables) {
        return true;
    }
    struct loy_cel_value *v =
        absent_slots(facts, MEMBER_AT + LOY_FACT_MEMBER_COUNT + facts->programme->fact_window_count);
    if (!v) {
        return false;
    }
    facts->variables = v;
    facts->event_slots = v + EVENT_AT;
    facts->store_slots = v + STORE_AT;
    facts->purchase_slots = v + PURCHASE_AT;
    facts->activity_slots = v + ACTIVITY_AT;
    facts->feedback_slots = v + FEEDBACK_AT;
    facts->member_slots = v + MEMBER_AT;
    v[LOY_FACTS_VARIABLE_EVENT] = loy_cel_record(ids[LOY_FACTS_RECORD_EVENT], facts->event_slots);
    v[LOY_FACTS_VARIABLE_STORE] = loy_cel_record(ids[LOY_FACTS_RECORD_STORE], facts->store_slots);
    v[LOY_FACTS_VARIABLE_PURCHASE] = loy_cel_record(ids[LOY_FACTS_RECORD_PURCHASE], facts->purchase_slots);
    v[LOY_FACTS_VARIABLE_ACTIVITY] = loy_cel_record(ids[LOY_FACTS_RECORD_ACTIVITY], facts->activity_slots);
    v[LOY_FACTS_VARIABLE_FEEDBACK] = loy_cel_record(ids[LOY_FACTS_RECORD_FEEDBACK], facts->feedback_slots);
    v[LOY_FACTS_VARIABLE_MEMBER] = loy_cel_record(ids[LOY_FACTS_RECORD_MEMBER], facts->member_slots);
    return true;
}

/* --- event and store --------------------------------------------------------------------------------------------- */

static void fill_event(struct loy_facts *facts)
{
    const struct loy_event *event = facts->event;
    struct loy_cel_value *slots = facts->event_slots;
    slots[LOY_FACT_EVENT_ID] = text_or_absent(event->event_id);
    slots[LOY_FACT_EVENT_SOURCE] = text_or_absent(event->source);
    slots[LOY_FACT_EVENT_KIND] = loy_cel_string(loy_str(loy_event_kind_name(event->kind)));
    slots[LOY_FACT_EVENT_CHANNEL] = text_or_absent(event->channel);
    slots[LOY_FACT_EVENT_PARTNER] = text_or_absent(event->partner);
    slots[LOY_FACT_EVENT_AT] = loy_cel_timestamp(facts->at_us);
}

const struct loy_civil *loy_facts_civil(struct loy_facts *facts)
{
    if (!(facts->filled & 1u << G_LOCAL)) {
        facts->civil = loy_civil_from_moment(facts->programme->zone, facts->at_us);
        facts->filled |= 1u << G_LOCAL;
    }
    return &facts->civil;
}

static void fill_local(struct loy_facts *facts)
{
    const struct loy_civil *civil = loy_facts_civil(facts);
    struct loy_cel_value *slots = facts->event_slots;
    slots[LOY_FACT_EVENT_YEAR] = loy_cel_int(civil->date.year);
    slots[LOY_FACT_EVENT_MONTH] = loy_cel_int(civil->date.month);
    slots[LOY_FACT_EVENT_DAY] = loy_cel_int(civil->date.day);
    slots[LOY_FACT_EVENT_WEEKDAY] = loy_cel_int(civil->weekday + 1);
    slots[LOY_FACT_EVENT_HOUR] = loy_cel_int(civil->hour);
    slots[LOY_FACT_EVENT_MINUTE] = loy_cel_int(civil->minute);
}

static void fill_attributes(struct loy_facts *facts)
{
    const struct loy_event *event = facts->event;
    struct loy_cel_entry *entries = LOY_NEW_ARRAY(facts->arena, struct loy_cel_entry, event->attribute_count);
    facts->failed = facts->failed || !entries;
    for (uint32_t i = 0; entries && i < event->attribute_count; i++) {
        entries[i].key = loy_cel_string(event->attributes[i].key);
        entries[i].value = loy_cel_string(event->attributes[i].value);
    }
    facts->event_slots[LOY_FACT_EVENT_ATTRIBUTES] = loy_cel_map(entries, entries ? event->attribute_count : 0);
}

static void fill_store(struct loy_facts *facts)
{
    const struct loy_event *event = facts->event;
    facts->store_slots[LOY_FACT_STORE_ID] = text_or_absent(event->store_id);
    facts->store_slots[LOY_FACT_STORE_KIND] = text_or_absent(event->store_kind);
    facts->store_slots[LOY_FACT_STORE_CITY] = text_or_absent(event->store_city);
    facts->store_slots[LOY_FACT_STORE_REGION] = text_or_absent(event->store_region);
}

/* --- purchase ---------------------------------------------------------------------------------------------------- */

static struct loy_cel_value line_kind(enum loy_line_kind kind)
{
    switch (kind) {
    case LOY_LINE_DELIVERY:
        return loy_cel_string(LOY_STR("delivery"));
    case LOY_LINE_GIFT_CARD:
        return loy_cel_string(LOY_STR("gift_card"));
    case LOY_LINE_DEPOSIT:
        return loy_cel_string(LOY_STR("deposit"));
    case LOY_LINE_GOODS:
        break;
    }
    return loy_cel_string(LOY_STR("goods"));
}

/* A sum that does not fit is a fact that is not known. */
static struct loy_cel_value sum_or_absent(bool fits, int64_t sum)
{
    return fits ? loy_cel_int(sum) : loy_cel_absent();
}

static void fill_purchase(struct loy_facts *facts)
{
    const struct loy_purchase *purchase = &facts->event->purchase;
    struct loy_cel_value *slots = facts->purchase_slots;
    int64_t discount = 0, quantity = 0, points = 0;
    bool discount_fits = true, quantity_fits = true, points_fits = true;
    if (facts->event->kind != LOY_EVENT_PURCHASE) {
        return;
    }
    for (uint32_t i = 0; i < purchase->line_count; i++) {
        discount_fits = discount_fits && loy_i64_add(discount, purchase->lines[i].discount_minor, &discount);
        quantity_fits = quantity_fits && loy_i64_add(quantity, purchase->lines[i].quantity_milli, &quantity);
    }
    for (uint32_t i = 0; i < purchase->tender_count; i++) {
        const struct loy_tender *tender = &purchase->tenders[i];
        bool is_points = tender->points > 0 || loy_str_equal(tender->kind, LOY_STR("points"));
        points_fits = points_fits && (!is_points || loy_i64_add(points, tender->amount_minor, &points));
    }
    slots[LOY_FACT_PURCHASE_ORDER] = text_or_absent(purchase->order_id);
    slots[LOY_FACT_PURCHASE_VERSION] = loy_cel_int(purchase->order_version);
    slots[LOY_FACT_PURCHASE_CURRENCY] =
        loy_cel_string(purchase->currency.len ? purchase->currency : facts->programme->currency);
    slots[LOY_FACT_PURCHASE_TOTAL] = loy_cel_int(purchase->total_minor);
    slots[LOY_FACT_PURCHASE_DISCOUNT] = sum_or_absent(discount_fits, discount);
    slots[LOY_FACT_PURCHASE_PAID_WITH_POINTS] = sum_or_absent(points_fits, points);
    slots[LOY_FACT_PURCHASE_QUANTITY] = sum_or_absent(quantity_fits, quantity);
    slots[LOY_FACT_PURCHASE_CASHIER] = text_or_absent(purchase->cashier);
}

static void fill_line(struct loy_facts *facts, const struct loy_line *line, struct loy_cel_value *slots)
{
    struct loy_cel_value *labels = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, line->label_count);
    facts->failed = facts->failed || !labels;
    for (uint32_t i = 0; labels && i < line->label_count; i++) {
        labels[i] = loy_cel_string(line->labels[i]);
    }
    slots[LOY_FACT_LINE_ID] = text_or_absent(line->line_id);
    slots[LOY_FACT_LINE_SKU] = text_or_absent(line->sku);
    slots[LOY_FACT_LINE_CATEGORY] = text_or_absent(line->category);
    slots[LOY_FACT_LINE_BRAND] = text_or_absent(line->brand);
    slots[LOY_FACT_LINE_LABELS] = loy_cel_list(labels, labels ? line->label_count : 0);
    slots[LOY_FACT_LINE_KIND] = line_kind(line->kind);
    slots[LOY_FACT_LINE_QUANTITY] = loy_cel_int(line->quantity_milli);
    slots[LOY_FACT_LINE_AMOUNT] = loy_cel_int(line->amount_minor);
    slots[LOY_FACT_LINE_DISCOUNT] = loy_cel_int(line->discount_minor);
    slots[LOY_FACT_LINE_TAX] = loy_cel_int(line->tax_minor);
}

static void fill_lines(struct loy_facts *facts)
{
    const struct loy_purchase *purchase = &facts->event->purchase;
    uint32_t count = facts->event->kind == LOY_EVENT_PURCHASE ? purchase->line_count : 0;
    struct loy_cel_value *lines = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, count);
    struct loy_cel_value *slots =
        LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, (size_t)count * LOY_FACT_LINE_COUNT);
    facts->failed = facts->failed || !lines || !slots;
    for (uint32_t i = 0; lines && slots && i < count; i++) {
        fill_line(facts, &purchase->lines[i], &slots[(size_t)i * LOY_FACT_LINE_COUNT]);
        lines[i] = loy_cel_record(facts->programme->facts->records[LOY_FACTS_RECORD_LINE],
                                  &slots[(size_t)i * LOY_FACT_LINE_COUNT]);
    }
    if (facts->event->kind == LOY_EVENT_PURCHASE) {
        facts->purchase_slots[LOY_FACT_PURCHASE_LINES] = loy_cel_list(lines, lines ? count : 0);
    }
}

static void fill_tenders(struct loy_facts *facts)
{
    const struct loy_purchase *purchase = &facts->event->purchase;
    if (facts->event->kind != LOY_EVENT_PURCHASE) {
        return;
    }
    struct loy_cel_value *kinds = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, purchase->tender_count);
    facts->failed = facts->failed || !kinds;
    for (uint32_t i = 0; kinds && i < purchase->tender_count; i++) {
        kinds[i] = loy_cel_string(purchase->tenders[i].kind);
    }
    facts->purchase_slots[LOY_FACT_PURCHASE_TENDERS] = loy_cel_list(kinds, kinds ? purchase->tender_count : 0);
}

static void fill_feedback(struct loy_facts *facts)
{
    const struct loy_feedback *feedback = facts->event->feedback;
    struct loy_cel_value *slots = facts->feedback_slots;
    if (!feedback) {
        return;
    }
    const struct loy_cel_value absent = loy_cel_absent();
    slots[LOY_FACT_FEEDBACK_KIND] = text_or_absent(feedback->kind);
    slots[LOY_FACT_FEEDBACK_SCORE] = feedback->has_score ? loy_cel_int(feedback->score) : absent;
    slots[LOY_FACT_FEEDBACK_ORDER] = text_or_absent(facts->event->order_id);
    slots[LOY_FACT_FEEDBACK_SKU] = text_or_absent(feedback->sku);
    slots[LOY_FACT_FEEDBACK_STORE] = text_or_absent(feedback->store_id);
    slots[LOY_FACT_FEEDBACK_VERIFIED_BUYER] =
        feedback->has_verified_buyer ? loy_cel_bool(feedback->verified_buyer) : absent;
    slots[LOY_FACT_FEEDBACK_PHOTO] = feedback->has_photo ? loy_cel_bool(feedback->photo) : absent;
    slots[LOY_FACT_FEEDBACK_VIDEO] = feedback->has_video ? loy_cel_bool(feedback->video) : absent;
    slots[LOY_FACT_FEEDBACK_TEXT_LENGTH] = feedback->has_text_length ? loy_cel_int(feedback->text_length) : absent;
    slots[LOY_FACT_FEEDBACK_MODERATION] = text_or_absent(feedback->moderation);
}

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
    struct loy_cel_value *slots = absent_slots(facts, LOY_FACT_WINDOW_COUNT);
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
    struct loy_cel_value *available = absent_slots(facts, programme->wallet_count);
    struct loy_cel_value *pending = absent_slots(facts, programme->wallet_count);
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
    slots[LOY_FACT_MEMBER_ID] = text_or_absent(facts->account->member_id);
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

static void fill_traits(struct loy_facts *facts)
{
    struct loy_str traits = facts->account->traits;
    struct loy_cel_value *slots = absent_slots(facts, LOY_FACT_PROFILE_COUNT);
    struct loy_cel_value *consents = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, traits.len);
    struct loy_cel_entry *attributes = LOY_NEW_ARRAY(facts->arena, struct loy_cel_entry, traits.len);
    size_t consent_count = 0, attribute_count = 0;
    struct loy_trait trait;
    facts->failed = facts->failed || !consents || !attributes;
    if (facts->failed) {
        return;
    }
    fill_birth(facts, loy_traits_text(traits, LOY_TRAIT_BIRTH_DATE), slots);
    slots[LOY_FACT_PROFILE_GENDER] = text_or_absent(loy_traits_text(traits, LOY_TRAIT_GENDER));
    slots[LOY_FACT_PROFILE_CITY] = text_or_absent(loy_traits_text(traits, LOY_TRAIT_CITY));
    slots[LOY_FACT_PROFILE_LANGUAGE] = text_or_absent(loy_traits_text(traits, LOY_TRAIT_LANGUAGE));
    slots[LOY_FACT_PROFILE_CONTACT] = text_or_absent(loy_traits_text(traits, LOY_TRAIT_CONTACT));
    for (size_t at = 0; loy_traits_next(traits, &at, &trait);) {
        if (trait.kind == LOY_TRAIT_CONSENT) {
            consents[consent_count++] = loy_cel_string(trait.text);
        } else if (trait.kind == LOY_TRAIT_ATTRIBUTE) {
            attributes[attribute_count].key = loy_cel_string(trait.text);
            attributes[attribute_count++].value = loy_cel_string(trait.value);
        }
    }
    slots[LOY_FACT_PROFILE_CONSENTS] = loy_cel_list(consents, consent_count);
    facts->member_slots[LOY_FACT_MEMBER_PROFILE] =
        loy_cel_record(facts->programme->facts->records[LOY_FACTS_RECORD_PROFILE], slots);
    facts->member_slots[LOY_FACT_MEMBER_ATTRIBUTES] = loy_cel_map(attributes, attribute_count);
}

static void fill_segments(struct loy_facts *facts)
{
    const struct loy_programme *programme = facts->programme;
    struct loy_cel_value *names = absent_slots(facts, programme->segment_count);
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

/* --- what a program needs ---------------------------------------------------------------------------------------- */

typedef void fill_fn(struct loy_facts *facts);

static void fill_once(struct loy_facts *facts, enum group group, fill_fn *fill)
{
    if (!(facts->filled & 1u << (group + 16))) { /* the lower half tells what C code has computed */
        facts->filled |= 1u << (group + 16);
        fill(facts);
    }
}

static void fill_purchase_field(struct loy_facts *facts, int32_t field)
{
    fill_once(facts, G_PURCHASE, fill_purchase);
    if (field == LOY_FACT_PURCHASE_LINES || field < 0) {
        fill_once(facts, G_LINES, fill_lines);
    }
    if (field == LOY_FACT_PURCHASE_TENDERS || field < 0) {
        fill_once(facts, G_TENDERS, fill_tenders);
    }
}

static void fill_event_field(struct loy_facts *facts, int32_t field)
{
    fill_once(facts, G_EVENT, fill_event);
    if (field == LOY_FACT_EVENT_ATTRIBUTES || field < 0) {
        fill_once(facts, G_ATTRIBUTES, fill_attributes);
    }
    if (field >= LOY_FACT_EVENT_YEAR || field < 0) {
        fill_once(facts, G_LOCAL, fill_local);
    }
}

static void fill_member_field(struct loy_facts *facts, int32_t field)
{
    const struct loy_programme *programme = facts->programme;
    fill_once(facts, G_MEMBER, fill_member);
    if (field == LOY_FACT_MEMBER_BALANCE || field == LOY_FACT_MEMBER_PENDING || field < 0) {
        fill_once(facts, G_BALANCES, fill_balances);
    }
    if (field == LOY_FACT_MEMBER_PROFILE || field == LOY_FACT_MEMBER_ATTRIBUTES || field < 0) {
        fill_once(facts, G_TRAITS, fill_traits);
    }
    if ((field == LOY_FACT_MEMBER_SEGMENTS || field < 0) && programme->segment_count) {
        fill_once(facts, G_SEGMENTS, fill_segments);
    }
    if ((field == LOY_FACT_MEMBER_MONTHS_SINCE || field < 0) && programme->history) {
        fill_once(facts, G_MONTHS, fill_months_since);
    }
    for (uint32_t i = 0; programme->history && i < programme->fact_window_count; i++) {
        int32_t window = LOY_FACT_MEMBER_COUNT + (int32_t)i;
        if ((field == window || field < 0) && facts->member_slots[window].kind == LOY_CEL_ABSENT) {
            fill_window(facts, i);
        }
    }
}

static enum loy_err fill_needs(struct loy_facts *facts, const struct loy_cel_program *program)
{
    size_t count;
    const struct loy_cel_need *needs = loy_cel_program_needs(program, &count);
    if (!open_records(facts)) {
        return LOY_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        int32_t field = needs[i].record < 0 ? -1 : needs[i].field;
        switch (needs[i].variable) {
        case LOY_FACTS_VARIABLE_EVENT:
            fill_event_field(facts, field);
            break;
        case LOY_FACTS_VARIABLE_STORE:
            fill_once(facts, G_STORE, fill_store);
            break;
        case LOY_FACTS_VARIABLE_PURCHASE:
            fill_purchase_field(facts, field);
            break;
        case LOY_FACTS_VARIABLE_ACTIVITY:
            if (facts->event->kind == LOY_EVENT_ACTIVITY) {
                facts->activity_slots[LOY_FACT_ACTIVITY_NAME] = text_or_absent(facts->event->activity_name);
            }
            break;
        case LOY_FACTS_VARIABLE_FEEDBACK:
            fill_once(facts, G_FEEDBACK, fill_feedback);
            break;
        case LOY_FACTS_VARIABLE_MEMBER:
            fill_member_field(facts, field);
            break;
        default: /* fields of records inside records come with them */
            break;
        }
    }
    return facts->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

/* --- evaluation -------------------------------------------------------------------------------------------------- */

/* An event's own text may be long: an explanation is cut, at the end of a code point. */
static enum loy_err take_text(struct loy_buf *buf, struct loy_str *ret_detail)
{
    struct loy_str text = loy_buf_str(buf);
    if (text.len > EXPLANATION_BYTES_MAX) {
        text.len = EXPLANATION_BYTES_MAX;
        while (text.len > 0 && (text.at[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    *ret_detail = text;
    return buf->failed ? LOY_ERR_NO_MEMORY : LOY_OK;
}

/* Out of fuel is the condition's fault, out of memory the machine's: that must not decide anything. */
static bool out_of_memory(struct loy_cel_value value, uint64_t fuel)
{
    return value.kind == LOY_CEL_ERROR && value.fault == LOY_CEL_FAULT_BUDGET && fuel > 0;
}

static enum loy_err say_error(const struct loy_facts *facts, const struct loy_cel_program *program,
                              struct loy_cel_value value, enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    struct loy_buf buf;
    loy_buf_init(&buf, facts->arena, EXPLANATION_BYTES);
    loy_cel_error_print(program, value, &buf);
    *ret_reason = value.fault == LOY_CEL_FAULT_ABSENT ? LOY_REASON_UNKNOWN_FACT : LOY_REASON_CONDITION_ERROR;
    return take_text(&buf, ret_detail);
}

enum loy_err loy_facts_condition(struct loy_facts *facts, const struct loy_cel_program *when,
                                 enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    struct loy_cel_trace trace;
    struct loy_buf buf;
    uint64_t fuel = LOY_FACTS_FUEL;
    enum loy_err err = fill_needs(facts, when);
    if (err) {
        return err;
    }
    trace.evaluated = 0;
    struct loy_cel_value value = loy_cel_eval_traced(when, facts->variables, facts->arena, &fuel, &trace);
    if (out_of_memory(value, fuel)) {
        return LOY_ERR_NO_MEMORY;
    }
    if (value.kind != LOY_CEL_BOOL) {
        return say_error(facts, when, value, ret_reason, ret_detail);
    }
    *ret_reason = value.as.i ? LOY_REASON_NONE : LOY_REASON_CONDITION;
    loy_buf_init(&buf, facts->arena, EXPLANATION_BYTES);
    loy_cel_explain(when, value, &trace, &buf);
    return take_text(&buf, ret_detail);
}

enum loy_err loy_facts_formula(struct loy_facts *facts, const struct loy_cel_program *amount, int64_t *ret_amount,
                               enum loy_reason *ret_reason, struct loy_str *ret_detail)
{
    uint64_t fuel = LOY_FACTS_FUEL;
    enum loy_err err = fill_needs(facts, amount);
    if (err) {
        return err;
    }
    struct loy_cel_value value = loy_cel_eval(amount, facts->variables, facts->arena, &fuel);
    if (out_of_memory(value, fuel)) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_reason = LOY_REASON_NONE;
    *ret_amount = value.kind == LOY_CEL_INT ? value.as.i : 0;
    return value.kind == LOY_CEL_INT ? LOY_OK : say_error(facts, amount, value, ret_reason, ret_detail);
}

enum loy_err loy_facts_segments(struct loy_facts *facts, uint64_t *ret_segments)
{
    const struct loy_programme *programme = facts->programme;
    for (uint32_t i = 0; !facts->segments_known && i < programme->segment_count; i++) {
        uint64_t fuel = LOY_FACTS_FUEL;
        if (!programme->segments[i].when) {
            bool in_it = loy_traits_have(facts->account->traits, LOY_TRAIT_SEGMENT, programme->segments[i].id);
            facts->segments |= (uint64_t)in_it << i;
            continue;
        }
        enum loy_err err = fill_needs(facts, programme->segments[i].when);
        if (err) {
            return err;
        }
        struct loy_cel_value value = loy_cel_eval(programme->segments[i].when, facts->variables, facts->arena, &fuel);
        if (out_of_memory(value, fuel)) {
            return LOY_ERR_NO_MEMORY;
        }
        facts->segments |= (uint64_t)(value.kind == LOY_CEL_BOOL && value.as.i) << i;
    }
    facts->segments_known = true;
    *ret_segments = facts->segments;
    return LOY_OK;
}

enum loy_err loy_facts_tell_segment(struct loy_facts *facts, uint32_t segment, struct loy_buf *buf)
{
    const struct loy_segment *row = &facts->programme->segments[segment];
    enum loy_reason ignored;
    struct loy_str words;
    loy_buf_append(buf, row->id);
    if (!row->when || facts->segments_told & UINT64_C(1) << segment || buf->len > EXPLANATION_BYTES_MAX) {
        return LOY_OK;
    }
    facts->segments_told |= UINT64_C(1) << segment;
    enum loy_err err = loy_facts_condition(facts, row->when, &ignored, &words);
    loy_buf_append(buf, err || !words.len ? (struct loy_str){0} : LOY_STR(": "));
    loy_buf_append(buf, err ? (struct loy_str){0} : words);
    return err;
}
