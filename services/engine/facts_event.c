#include "base/num.h"
#include "engine/facts_fill.h"

/* --- event and store --------------------------------------------------------------------------------------------- */

static void fill_event(struct loy_facts *facts)
{
    const struct loy_event *event = facts->event;
    struct loy_cel_value *slots = facts->event_slots;
    slots[LOY_FACT_EVENT_ID] = loy_facts_text(event->event_id);
    slots[LOY_FACT_EVENT_SOURCE] = loy_facts_text(event->source);
    slots[LOY_FACT_EVENT_KIND] = loy_cel_string(loy_str(loy_event_kind_name(event->kind)));
    slots[LOY_FACT_EVENT_CHANNEL] = loy_facts_text(event->channel);
    slots[LOY_FACT_EVENT_PARTNER] = loy_facts_text(event->partner);
    slots[LOY_FACT_EVENT_AT] = loy_cel_timestamp(facts->at_us);
}

const struct loy_civil *loy_facts_civil(struct loy_facts *facts)
{
    if (!(facts->filled & 1u << LOY_FACTS_LOCAL)) {
        facts->civil = loy_civil_from_moment(facts->programme->zone, facts->at_us);
        facts->filled |= 1u << LOY_FACTS_LOCAL;
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
    facts->store_slots[LOY_FACT_STORE_ID] = loy_facts_text(event->store_id);
    facts->store_slots[LOY_FACT_STORE_KIND] = loy_facts_text(event->store_kind);
    facts->store_slots[LOY_FACT_STORE_CITY] = loy_facts_text(event->store_city);
    facts->store_slots[LOY_FACT_STORE_REGION] = loy_facts_text(event->store_region);
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
    if (facts->event->kind != LOY_EVENT_PURCHASE) {
        return;
    }
    slots[LOY_FACT_PURCHASE_ORDER] = loy_facts_text(purchase->order_id);
    slots[LOY_FACT_PURCHASE_VERSION] = loy_cel_int(purchase->order_version);
    slots[LOY_FACT_PURCHASE_CURRENCY] =
        loy_cel_string(purchase->currency.len ? purchase->currency : facts->programme->currency);
    slots[LOY_FACT_PURCHASE_TOTAL] = loy_cel_int(purchase->total_minor);
    slots[LOY_FACT_PURCHASE_CASHIER] = loy_facts_text(purchase->cashier);
}

/* Sums over lines and tenders. */
static void fill_sums(struct loy_facts *facts)
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
    slots[LOY_FACT_PURCHASE_DISCOUNT] = sum_or_absent(discount_fits, discount);
    slots[LOY_FACT_PURCHASE_PAID_WITH_POINTS] = sum_or_absent(points_fits, points);
    slots[LOY_FACT_PURCHASE_QUANTITY] = sum_or_absent(quantity_fits, quantity);
}

static void fill_line(struct loy_facts *facts, const struct loy_line *line, struct loy_cel_value *slots)
{
    struct loy_cel_value *labels = LOY_NEW_ARRAY(facts->arena, struct loy_cel_value, line->label_count);
    facts->failed = facts->failed || !labels;
    for (uint32_t i = 0; labels && i < line->label_count; i++) {
        labels[i] = loy_cel_string(line->labels[i]);
    }
    slots[LOY_FACT_LINE_ID] = loy_facts_text(line->line_id);
    slots[LOY_FACT_LINE_SKU] = loy_facts_text(line->sku);
    slots[LOY_FACT_LINE_CATEGORY] = loy_facts_text(line->category);
    slots[LOY_FACT_LINE_BRAND] = loy_facts_text(line->brand);
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
    slots[LOY_FACT_FEEDBACK_KIND] = loy_facts_text(feedback->kind);
    slots[LOY_FACT_FEEDBACK_SCORE] = feedback->has_score ? loy_cel_int(feedback->score) : absent;
    slots[LOY_FACT_FEEDBACK_ORDER] = loy_facts_text(facts->event->order_id);
    slots[LOY_FACT_FEEDBACK_SKU] = loy_facts_text(feedback->sku);
    slots[LOY_FACT_FEEDBACK_STORE] = loy_facts_text(feedback->store_id);
    slots[LOY_FACT_FEEDBACK_VERIFIED_BUYER] =
        feedback->has_verified_buyer ? loy_cel_bool(feedback->verified_buyer) : absent;
    slots[LOY_FACT_FEEDBACK_PHOTO] = feedback->has_photo ? loy_cel_bool(feedback->photo) : absent;
    slots[LOY_FACT_FEEDBACK_VIDEO] = feedback->has_video ? loy_cel_bool(feedback->video) : absent;
    slots[LOY_FACT_FEEDBACK_TEXT_LENGTH] = feedback->has_text_length ? loy_cel_int(feedback->text_length) : absent;
    slots[LOY_FACT_FEEDBACK_MODERATION] = loy_facts_text(feedback->moderation);
}

/* --- as far as it is needed --------------------------------------------------------------------------------------- */

void loy_facts_fill_purchase(struct loy_facts *facts, int32_t field)
{
    loy_facts_fill_once(facts, LOY_FACTS_PURCHASE, fill_purchase);
    if (field == LOY_FACT_PURCHASE_DISCOUNT || field == LOY_FACT_PURCHASE_QUANTITY ||
        field == LOY_FACT_PURCHASE_PAID_WITH_POINTS || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_SUMS, fill_sums);
    }
    if (field == LOY_FACT_PURCHASE_LINES || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_LINES, fill_lines);
    }
    if (field == LOY_FACT_PURCHASE_TENDERS || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_TENDERS, fill_tenders);
    }
}

void loy_facts_fill_event(struct loy_facts *facts, int32_t field)
{
    loy_facts_fill_once(facts, LOY_FACTS_EVENT, fill_event);
    if (field == LOY_FACT_EVENT_ATTRIBUTES || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_ATTRIBUTES, fill_attributes);
    }
    if (field >= LOY_FACT_EVENT_YEAR || field < 0) {
        loy_facts_fill_once(facts, LOY_FACTS_LOCAL, fill_local);
    }
}

void loy_facts_fill_store(struct loy_facts *facts)
{
    loy_facts_fill_once(facts, LOY_FACTS_STORE, fill_store);
}

void loy_facts_fill_activity(struct loy_facts *facts)
{
    if (facts->event->kind == LOY_EVENT_ACTIVITY) {
        facts->activity_slots[LOY_FACT_ACTIVITY_NAME] = loy_facts_text(facts->event->activity_name);
    }
}

void loy_facts_fill_feedback(struct loy_facts *facts)
{
    loy_facts_fill_once(facts, LOY_FACTS_FEEDBACK, fill_feedback);
}
