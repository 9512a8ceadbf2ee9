#include "adapters/wire/fill.h"

#include "adapters/wire/path.h"
#include "base/calendar.h"
#include "base/num.h"
#include "base/table.h"

#include <assert.h>
#include <inttypes.h>

struct filler {
    struct loy_arena *arena;
    struct loy_error *error;
    struct loy_event *event;
};

/* Kinds are numbered alike from here on. */
enum { KIND_BEFORE_FIRST = LOYALTY__V1__EVENT__KIND_PURCHASE - LOY_EVENT_PURCHASE };
static_assert(LOYALTY__V1__EVENT__KIND_TRANSFER - KIND_BEFORE_FIRST == LOY_EVENT_TRANSFER, "kinds in the same order");

static enum loy_err fail(struct filler *filler, enum loy_err code, const char *field, const char *what)
{
    return loy_error_set(filler->error, code, "%s: %s", field, what);
}

static enum loy_err no_memory(struct filler *filler)
{
    return loy_error_set(filler->error, LOY_ERR_NO_MEMORY, "the arena is full");
}

static int64_t moment_of(const Google__Protobuf__Timestamp *moment)
{
    return moment->seconds * LOY_US_PER_SECOND + moment->nanos / 1000;
}

/* An absent line id is the line's place, from 1. */
static struct loy_str line_id_of(struct filler *filler, const char *line_id, size_t index)
{
    if (line_id && *line_id) {
        return loy_str(line_id);
    }
    static const char digits[] = "123456789";
    if (index < sizeof digits - 1) {
        return (struct loy_str){digits + index, 1};
    }
    char text[LOY_DECIMAL_TEXT_MAX];
    size_t length = loy_decimal_format((int64_t)index + 1, 0, text);
    return loy_str_copy(filler->arena, (struct loy_str){text, length});
}

static enum loy_err fill_texts(struct filler *filler, char *const *from, size_t count, const struct loy_str **ret_texts,
                               uint32_t *ret_count)
{
    if (count == 0) {
        return LOY_OK;
    }
    struct loy_str *texts = LOY_NEW_ARRAY(filler->arena, struct loy_str, count);
    if (!texts) {
        return no_memory(filler);
    }
    for (size_t i = 0; i < count; i++) {
        texts[i] = loy_str(from[i]);
    }
    *ret_texts = texts;
    *ret_count = (uint32_t)count;
    return LOY_OK;
}

static enum loy_err fill_line(struct filler *filler, const Loyalty__V1__Line *from, size_t index, struct loy_line *line)
{
    *line = (struct loy_line){
        .line_id = line_id_of(filler, from->line_id, index),
        .sku = loy_str(from->sku),
        .category = loy_str(from->category),
        .brand = loy_str(from->brand),
        .kind = from->has_kind ? (enum loy_line_kind)from->kind : LOY_LINE_GOODS,
        .quantity_milli = from->has_quantity_milli ? from->quantity_milli : 1000,
        .amount_minor = from->amount_minor,
        .discount_minor = from->discount_minor,
        .tax_minor = from->tax_minor,
        .cost_minor = from->cost_minor,
        .has_cost = from->has_cost_minor,
    };
    return line->line_id.at ? fill_texts(filler, from->labels, from->n_labels, &line->labels, &line->label_count)
                            : no_memory(filler);
}

static enum loy_err same_line_id(struct filler *filler, size_t line, size_t first)
{
    return loy_error_set(filler->error, LOY_ERR_INVALID_VALUE, "purchase.lines[%zu].line_id: is that of line %zu too",
                         line, first);
}

/* Few lines are compared with each other: that is less than a table for them takes. */
static enum loy_err check_few_line_ids(struct filler *filler, const struct loy_line *lines, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t first = 0; first < i; first++) {
            if (loy_str_equal(lines[i].line_id, lines[first].line_id)) {
                return same_line_id(filler, i, first);
            }
        }
    }
    return LOY_OK;
}

static enum loy_err check_line_ids(struct filler *filler, const struct loy_line *lines, size_t count)
{
    enum { FEW = 12 };
    if (count <= FEW) {
        return check_few_line_ids(filler, lines, count);
    }
    struct loy_arena_mark mark = loy_arena_mark(filler->arena);
    struct loy_table ids;
    if (!loy_table_init(&ids, filler->arena, (uint32_t)count)) {
        return no_memory(filler);
    }
    for (size_t i = 0; i < count; i++) {
        int32_t first = loy_table_put(&ids, lines[i].line_id, (int32_t)i);
        if (first != (int32_t)i) {
            return same_line_id(filler, i, (size_t)first);
        }
    }
    loy_arena_reset_to(filler->arena, mark);
    return LOY_OK;
}

static enum loy_err fill_lines(struct filler *filler, const Loyalty__V1__Purchase *from, struct loy_purchase *purchase)
{
    struct loy_line *lines = LOY_NEW_ARRAY(filler->arena, struct loy_line, from->n_lines);
    if (!lines) {
        return no_memory(filler);
    }
    int64_t sum = 0;
    for (size_t i = 0; i < from->n_lines; i++) {
        enum loy_err err = fill_line(filler, from->lines[i], i, &lines[i]);
        if (err) {
            return err;
        }
        if (!loy_i64_add(sum, lines[i].amount_minor, &sum)) {
            return fail(filler, LOY_ERR_OVERFLOW, "purchase.lines", "their sum does not fit 64 bits");
        }
    }
    if (from->has_total_minor && from->total_minor != sum) {
        return loy_error_set(filler->error, LOY_ERR_TOTAL_DIFFERS,
                             "purchase.total_minor: states %" PRId64 ", the lines sum to %" PRId64, from->total_minor,
                             sum);
    }
    purchase->lines = lines;
    purchase->line_count = (uint32_t)from->n_lines;
    purchase->total_minor = sum;
    return check_line_ids(filler, lines, from->n_lines);
}

static enum loy_err fill_tenders(struct filler *filler, const Loyalty__V1__Purchase *from,
                                 struct loy_purchase *purchase)
{
    struct loy_tender *tenders = LOY_NEW_ARRAY(filler->arena, struct loy_tender, from->n_tenders);
    if (!tenders) {
        return no_memory(filler);
    }
    for (size_t i = 0; i < from->n_tenders; i++) {
        const Loyalty__V1__Tender *tender = from->tenders[i];
        tenders[i] =
            (struct loy_tender){loy_str(tender->kind), tender->amount_minor, tender->points, loy_str(tender->wallet)};
    }
    purchase->tenders = tenders;
    purchase->tender_count = (uint32_t)from->n_tenders;
    return LOY_OK;
}

static enum loy_err fill_purchase(struct filler *filler, const Loyalty__V1__Purchase *from)
{
    struct loy_purchase *purchase = &filler->event->purchase;
    *purchase = (struct loy_purchase){
        .order_id = loy_str(from->order_id),
        .order_version = from->has_order_version ? from->order_version : 1,
        .status = from->has_status ? (int32_t)from->status : 0,
        .currency = loy_str(from->currency),
        .cashier = loy_str(from->cashier),
    };
    enum loy_err err = fill_lines(filler, from, purchase);
    return err ? err : fill_tenders(filler, from, purchase);
}

static enum loy_err check_return(struct filler *filler, const Loyalty__V1__Return *from)
{
    if (from->n_lines && from->has_amount_minor) {
        return fail(filler, LOY_ERR_INVALID_VALUE, "return", "has lines and an amount: one of them");
    }
    bool has_order = from->order_id && *from->order_id;
    if (!has_order && !from->has_amount_minor) {
        return fail(filler, LOY_ERR_MISSING_FIELD, "return.amount_minor", "is absent, and so is the order");
    }
    return LOY_OK;
}

static enum loy_err fill_feedback(struct filler *filler, const Loyalty__V1__Feedback *from)
{
    struct loy_feedback *feedback = LOY_NEW(filler->arena, struct loy_feedback);
    if (!feedback) {
        return no_memory(filler);
    }
    static const char *const kinds[] = {"", "review", "rating", "nps", "csat", "survey"};
    static const char *const states[] = {"", "submitted", "approved", "rejected", "removed"};
    *feedback = (struct loy_feedback){
        .kind = loy_str(kinds[from->has_kind ? from->kind : 0]),
        .moderation = loy_str(states[from->has_moderation ? from->moderation : 0]),
        .sku = loy_str(from->sku),
        .store_id = loy_str(from->store_id),
        .has_score = from->has_score,
        .score = from->score,
        .has_verified_buyer = from->has_verified_buyer,
        .verified_buyer = from->verified_buyer,
        .has_photo = from->has_photo,
        .photo = from->photo,
        .has_video = from->has_video,
        .video = from->video,
        .has_text_length = from->has_text_length,
        .text_length = from->text_length,
    };
    filler->event->feedback = feedback;
    filler->event->order_id = loy_str(from->order_id);
    if (from->kind == LOYALTY__V1__FEEDBACK__KIND__NPS && from->has_score && (from->score < 0 || from->score > 10)) {
        return loy_error_set(filler->error, LOY_ERR_INVALID_VALUE, "feedback.score: is %" PRId32 ", of an nps 0 to 10",
                             from->score);
    }
    return LOY_OK;
}

static enum loy_err fill_attributes(struct filler *filler, const Loyalty__V1__Event *from)
{
    if (from->n_attributes == 0) {
        return LOY_OK;
    }
    struct loy_attribute *attributes = LOY_NEW_ARRAY(filler->arena, struct loy_attribute, from->n_attributes);
    if (!attributes) {
        return no_memory(filler);
    }
    for (size_t i = 0; i < from->n_attributes; i++) {
        attributes[i] = (struct loy_attribute){loy_str(from->attributes[i]->key), loy_str(from->attributes[i]->value)};
    }
    filler->event->attributes = attributes;
    filler->event->attribute_count = (uint32_t)from->n_attributes;
    return LOY_OK;
}

static enum loy_err fill_profile(struct filler *filler, const Loyalty__V1__Profile *from,
                                 struct loy_member_change *change)
{
    change->birth_date = loy_str(from->birth_date);
    change->gender = loy_str(from->gender);
    change->city = loy_str(from->city);
    change->language = loy_str(from->language);
    change->preferred_contact = loy_str(from->preferred_contact);
    return fill_texts(filler, from->consents, from->n_consents, &change->consents, &change->consent_count);
}

static enum loy_err fill_segments(struct filler *filler, const Loyalty__V1__Segments *from,
                                  struct loy_member_change *change)
{
    struct loy_attribute *attributes = LOY_NEW_ARRAY(filler->arena, struct loy_attribute, from->n_attributes);
    if (!attributes) {
        return no_memory(filler);
    }
    for (size_t i = 0; i < from->n_attributes; i++) {
        attributes[i] = (struct loy_attribute){loy_str(from->attributes[i]->key), loy_str(from->attributes[i]->value)};
    }
    change->attributes = attributes;
    change->attribute_count = (uint32_t)from->n_attributes;
    enum loy_err err = fill_texts(filler, from->enter, from->n_enter, &change->enter, &change->enter_count);
    return err ? err : fill_texts(filler, from->leave, from->n_leave, &change->leave, &change->leave_count);
}

/* Numbered alike, from 1 in the message and from 0 in the engine. */
static_assert((int)LOYALTY__V1__MEMBER_CHANGE__CHANGE_JOINED == LOY_CHANGE_JOINED + 1 &&
                  (int)LOYALTY__V1__MEMBER_CHANGE__CHANGE_ERASE == LOY_CHANGE_ERASE + 1,
              "changes in the same order");

static enum loy_err fill_change(struct filler *filler, const Loyalty__V1__MemberChange *from)
{
    if (from->change_case == LOYALTY__V1__MEMBER_CHANGE__CHANGE__NOT_SET) {
        return fail(filler, LOY_ERR_UNKNOWN_KIND, "member_change", "names no change that this version knows");
    }
    struct loy_member_change *change = LOY_NEW(filler->arena, struct loy_member_change);
    if (!change) {
        return no_memory(filler);
    }
    change->what = (enum loy_change)((int)from->change_case - 1);
    filler->event->change = change;
    filler->event->activity_name = loy_str(loy_change_name(change->what));
    switch (from->change_case) {
    case LOYALTY__V1__MEMBER_CHANGE__CHANGE_PROFILE:
        return fill_profile(filler, from->profile, change);
    case LOYALTY__V1__MEMBER_CHANGE__CHANGE_SEGMENTS:
        return fill_segments(filler, from->segments, change);
    case LOYALTY__V1__MEMBER_CHANGE__CHANGE_LEVEL_CHANGE:
        change->level = loy_str(from->level_change->level);
        return LOY_OK;
    default:
        return LOY_OK;
    }
}

static bool is_empty(const char *text)
{
    return !text || !*text;
}

static enum loy_err fill_kind(struct filler *filler, const Loyalty__V1__Event *from)
{
    struct loy_event *event = filler->event;
    switch (from->kind_case) {
    case LOYALTY__V1__EVENT__KIND_PURCHASE:
        event->order_id = loy_str(from->purchase->order_id);
        return fill_purchase(filler, from->purchase);
    case LOYALTY__V1__EVENT__KIND_RETURN:
        event->order_id = loy_str(from->return_->order_id);
        return check_return(filler, from->return_);
    case LOYALTY__V1__EVENT__KIND_CANCELLATION:
        event->order_id = loy_str(from->cancellation->order_id);
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_ORDER_STATUS:
        event->order_id = loy_str(from->order_status->order_id);
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_REFERRAL:
        if (is_empty(from->referral->referrer_id) && is_empty(from->referral->code)) {
            return fail(filler, LOY_ERR_MISSING_FIELD, "referral.referrer_id", "is absent, and so is the code");
        }
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_FEEDBACK:
        return fill_feedback(filler, from->feedback);
    case LOYALTY__V1__EVENT__KIND_ACTIVITY:
        event->activity_name = loy_str(from->activity->name);
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_MEMBER_CHANGE:
        return fill_change(filler, from->member_change);
    case LOYALTY__V1__EVENT__KIND_REDEMPTION:
        event->order_id = loy_str(from->redemption->basket ? from->redemption->basket->order_id : NULL);
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_ENTITLEMENT_USE:
        event->order_id = loy_str(from->entitlement_use->order_id);
        return LOY_OK;
    case LOYALTY__V1__EVENT__KIND_TRANSFER:
        if (is_empty(from->transfer->to_member_id) == is_empty(from->transfer->cause)) {
            return fail(filler, LOY_ERR_INVALID_VALUE, "transfer", "needs a to_member_id or a cause, not both");
        }
        return LOY_OK;
    default:
        return LOY_OK;
    }
}

static void fill_header(struct filler *filler, const Loyalty__V1__Event *from)
{
    struct loy_event *event = filler->event;
    *event = (struct loy_event){
        .kind = from->tick ? LOY_EVENT_TICK : (enum loy_event_kind)((int)from->kind_case - KIND_BEFORE_FIRST),
        .event_id = loy_str(from->event_id),
        .source = loy_str(from->source),
        .member_id = loy_str(from->member_id),
        .occurred_at_us = moment_of(from->occurred_at),
        .channel = loy_str(from->channel),
        .partner = loy_str(from->partner),
        .preview = from->has_preview && from->preview,
        .correlation_id = loy_str(from->correlation_id),
        .tick_due_at_us = from->tick ? moment_of(from->tick->due_at) : 0,
    };
    if (from->identifier) {
        event->identifier_value = loy_str(from->identifier->value);
        event->identifier_kind = (int32_t)from->identifier->kind;
    }
    if (from->store) {
        event->store_id = loy_str(from->store->id);
        event->store_kind = loy_str(from->store->kind);
        event->store_city = loy_str(from->store->city);
        event->store_region = loy_str(from->store->region);
    }
}

enum loy_err loy_wire_fill(const Loyalty__V1__Event *message, struct loy_arena *arena, struct loy_event *ret_event,
                           struct loy_error *error)
{
    assert(message->occurred_at && (message->tick || message->kind_case != LOYALTY__V1__EVENT__KIND__NOT_SET));
    struct loy_event event;
    struct filler filler = {arena, error, &event};
    fill_header(&filler, message);
    enum loy_err err = fill_attributes(&filler, message);
    if (!err) {
        err = fill_kind(&filler, message);
    }
    if (err) {
        return err;
    }
    *ret_event = event;
    return LOY_OK;
}
