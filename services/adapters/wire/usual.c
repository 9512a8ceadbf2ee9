#include "adapters/wire/usual.h"

#include "adapters/wire/check.h"
#include "base/calendar.h"
#include "base/num.h"

/* Tags of one byte: field number and wire type. */
#define NUMBER_TAG(number) ((uint8_t)((number) << 3))
#define BYTES_TAG(number) ((uint8_t)((number) << 3 | 2))

enum {
    VARINT_BITS = 56, /* a usual number takes no more */
    LINES_MAX = 9,    /* whose places are one digit */
    PURCHASE_TAG_LOW = 0xA2,
    PURCHASE_TAG_HIGH = 0x01,
};

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

/* Fields are asked for in the order of their numbers: one that is not next is absent, and what nobody asked for is left
 * over at the end. */
static bool is_next(const struct cursor *in, uint8_t tag)
{
    return in->at < in->end && *in->at == tag;
}

/* In the shortest form only. */
static bool read_varint(struct cursor *in, uint64_t *ret_value)
{
    const uint8_t *at = in->at;
    uint64_t value = 0;
    unsigned shift = 0;
    for (; at < in->end && *at >= 0x80 && shift < VARINT_BITS; shift += 7) {
        value |= (uint64_t)(*at++ & 0x7F) << shift;
    }
    if (at == in->end || *at >= 0x80 || (*at == 0 && shift > 0)) {
        return false;
    }
    *ret_value = value | (uint64_t)*at << shift;
    in->at = at + 1;
    return true;
}

/* What is inside a field of bytes that begins behind its tag. */
static bool read_inner(struct cursor *in, struct cursor *ret_inner)
{
    uint64_t length;
    if (!read_varint(in, &length) || length > (uint64_t)(in->end - in->at)) {
        return false;
    }
    *ret_inner = (struct cursor){in->at, in->at + length};
    in->at += length;
    return true;
}

static bool open_field(struct cursor *in, uint8_t tag, struct cursor *ret_inner)
{
    if (!is_next(in, tag)) {
        return false;
    }
    in->at++;
    return read_inner(in, ret_inner);
}

/* Elements of a list that come now. */
static uint32_t count_elements(struct cursor in, uint8_t tag)
{
    struct cursor inner;
    uint32_t count = 0;
    while (open_field(&in, tag, &inner)) {
        count++;
    }
    return count;
}

/* Absent, or a text of 1 to max bytes of ASCII. */
static bool read_text(struct cursor *in, uint8_t tag, size_t max, struct loy_str *ret_text)
{
    if (!is_next(in, tag)) {
        return true;
    }
    struct cursor inner;
    if (!open_field(in, tag, &inner)) {
        return false;
    }
    struct loy_str text = {(const char *)inner.at, (size_t)(inner.end - inner.at)};
    *ret_text = text;
    return text.len > 0 && text.len <= max && loy_wire_is_plain(text);
}

/* Absent, or a number from `least` to `most`. */
static bool read_number(struct cursor *in, uint8_t tag, uint64_t least, uint64_t most, int64_t *ret_number)
{
    if (!is_next(in, tag)) {
        return true;
    }
    in->at++;
    uint64_t number = 0;
    bool read = read_varint(in, &number);
    *ret_number = (int64_t)number;
    return read && number >= least && number <= most;
}

static bool read_moment(struct cursor *in, uint8_t tag, int64_t *ret_moment_us)
{
    struct cursor inner;
    int64_t seconds = 0, nanos = 0;
    if (!open_field(in, tag, &inner) ||
        !read_number(&inner, NUMBER_TAG(1), 1, LOY_MOMENT_MAX / LOY_US_PER_SECOND, &seconds) ||
        !read_number(&inner, NUMBER_TAG(2), 1, 999999999, &nanos)) {
        return false;
    }
    *ret_moment_us = seconds * LOY_US_PER_SECOND + nanos / 1000;
    return inner.at == inner.end;
}

static bool read_store(struct cursor *in, struct loy_event *event)
{
    struct cursor inner;
    if (!is_next(in, BYTES_TAG(7))) {
        return true;
    }
    return open_field(in, BYTES_TAG(7), &inner) && read_text(&inner, BYTES_TAG(1), LOY_NAME_MAX, &event->store_id) &&
           read_text(&inner, BYTES_TAG(2), LOY_LABEL_MAX, &event->store_kind) &&
           read_text(&inner, BYTES_TAG(3), LOY_NAME_MAX, &event->store_city) &&
           read_text(&inner, BYTES_TAG(4), LOY_NAME_MAX, &event->store_region) && inner.at == inner.end;
}

static bool read_labels(struct cursor *in, struct loy_arena *arena, struct loy_line *line)
{
    uint32_t count = count_elements(*in, BYTES_TAG(5));
    if (count == 0) {
        return true;
    }
    struct loy_str *labels = count <= LOY_LABELS_MAX ? LOY_NEW_ARRAY(arena, struct loy_str, count) : NULL;
    for (uint32_t i = 0; labels && i < count; i++) {
        if (!read_text(in, BYTES_TAG(5), LOY_LABEL_MAX, &labels[i])) {
            return false;
        }
    }
    line->labels = labels;
    line->label_count = count;
    return labels != NULL;
}

static bool read_line(struct cursor *in, struct loy_arena *arena, uint32_t index, struct loy_line *line)
{
    static const char places[] = "123456789";
    struct cursor inner;
    int64_t kind = LOY_LINE_GOODS, unit_price_minor;
    *line =
        (struct loy_line){.line_id = {places + index, 1}, .quantity_milli = 1000, .amount_minor = -1, .cost_minor = -1};
    if (!open_field(in, BYTES_TAG(5), &inner) || !read_text(&inner, BYTES_TAG(1), LOY_LABEL_MAX, &line->line_id) ||
        !read_text(&inner, BYTES_TAG(2), LOY_NAME_MAX, &line->sku) ||
        !read_text(&inner, BYTES_TAG(3), LOY_NAME_MAX, &line->category) ||
        !read_text(&inner, BYTES_TAG(4), LOY_NAME_MAX, &line->brand) || !read_labels(&inner, arena, line) ||
        !read_number(&inner, NUMBER_TAG(6), LOY_LINE_GOODS, LOY_LINE_DEPOSIT, &kind) ||
        !read_number(&inner, NUMBER_TAG(7), 0, INT64_MAX, &line->quantity_milli) ||
        !read_number(&inner, NUMBER_TAG(8), 0, INT64_MAX, &line->amount_minor) ||
        !read_number(&inner, NUMBER_TAG(9), 0, INT64_MAX, &unit_price_minor) ||
        !read_number(&inner, NUMBER_TAG(10), 0, INT64_MAX, &line->discount_minor) ||
        !read_number(&inner, NUMBER_TAG(11), 0, INT64_MAX, &line->tax_minor) ||
        !read_number(&inner, NUMBER_TAG(12), 0, INT64_MAX, &line->cost_minor)) {
        return false;
    }
    line->kind = (enum loy_line_kind)kind;
    line->has_cost = line->cost_minor >= 0;
    line->cost_minor = line->has_cost ? line->cost_minor : 0;
    return line->amount_minor >= 0 && inner.at == inner.end;
}

/* An absent id is the line's place, which may be another one's id. */
static bool has_one_of_each(const struct loy_line *lines, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t first = 0; first < i; first++) {
            if (loy_str_equal(lines[i].line_id, lines[first].line_id)) {
                return false;
            }
        }
    }
    return true;
}

static bool read_lines(struct cursor *in, struct loy_arena *arena, struct loy_purchase *purchase)
{
    uint32_t count = count_elements(*in, BYTES_TAG(5));
    if (count < 1 || count > LINES_MAX) {
        return false;
    }
    struct loy_line *lines = loy_arena_alloc(arena, count * sizeof *lines);
    if (!lines) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!read_line(in, arena, i, &lines[i]) ||
            !loy_i64_add(purchase->total_minor, lines[i].amount_minor, &purchase->total_minor)) {
            return false;
        }
    }
    purchase->lines = lines;
    purchase->line_count = count;
    return has_one_of_each(lines, count);
}

static bool read_tenders(struct cursor *in, struct loy_arena *arena, struct loy_purchase *purchase)
{
    uint32_t count = count_elements(*in, BYTES_TAG(7));
    struct loy_tender *tenders = count <= LOY_TENDERS_MAX ? LOY_NEW_ARRAY(arena, struct loy_tender, count) : NULL;
    for (uint32_t i = 0; tenders && i < count; i++) {
        struct cursor inner;
        if (!open_field(in, BYTES_TAG(7), &inner) ||
            !read_text(&inner, BYTES_TAG(1), LOY_LABEL_MAX, &tenders[i].kind) ||
            !read_number(&inner, NUMBER_TAG(2), 0, INT64_MAX, &tenders[i].amount_minor) ||
            !read_number(&inner, NUMBER_TAG(3), 0, INT64_MAX, &tenders[i].points) ||
            !read_text(&inner, BYTES_TAG(4), LOY_NAME_MAX, &tenders[i].wallet) || inner.at != inner.end) {
            return false;
        }
    }
    purchase->tenders = tenders;
    purchase->tender_count = count;
    return tenders != NULL;
}

static bool is_currency(struct loy_str text)
{
    bool is_capital = true;
    for (size_t i = 0; i < text.len; i++) {
        is_capital = is_capital && text.at[i] >= 'A' && text.at[i] <= 'Z';
    }
    return is_capital && (text.len == 0 || text.len == 3);
}

static bool read_purchase(struct cursor *in, struct loy_arena *arena, struct loy_purchase *purchase)
{
    enum { STATUS_LAST = 4 };
    int64_t version = 1, status = 0, total_minor = -1;
    if (!read_text(in, BYTES_TAG(1), LOY_ORDER_ID_MAX, &purchase->order_id) || purchase->order_id.len == 0 ||
        !read_number(in, NUMBER_TAG(2), 1, INT32_MAX, &version) ||
        !read_number(in, NUMBER_TAG(3), 1, STATUS_LAST, &status) ||
        !read_text(in, BYTES_TAG(4), 3, &purchase->currency) || !is_currency(purchase->currency) ||
        !read_lines(in, arena, purchase) || !read_number(in, NUMBER_TAG(6), 0, INT64_MAX, &total_minor) ||
        (total_minor >= 0 && total_minor != purchase->total_minor) || !read_tenders(in, arena, purchase) ||
        !read_text(in, BYTES_TAG(10), LOY_NAME_MAX, &purchase->cashier)) {
        return false;
    }
    purchase->order_version = (uint32_t)version;
    purchase->status = (int32_t)status;
    return in->at == in->end;
}

static bool read_event(struct cursor *in, struct loy_arena *arena, struct loy_event *event)
{
    struct cursor purchase;
    *event = (struct loy_event){.kind = LOY_EVENT_PURCHASE};
    if (!read_text(in, BYTES_TAG(1), LOY_EVENT_ID_MAX, &event->event_id) || event->event_id.len == 0 ||
        !read_text(in, BYTES_TAG(2), LOY_SOURCE_MAX, &event->source) || event->source.len == 0 ||
        !read_text(in, BYTES_TAG(3), LOY_MEMBER_ID_MAX, &event->member_id) || event->member_id.len == 0 ||
        event->member_id.at[0] == '~' || !read_moment(in, BYTES_TAG(5), &event->occurred_at_us) ||
        !read_text(in, BYTES_TAG(6), LOY_LABEL_MAX, &event->channel) || !read_store(in, event) ||
        !read_text(in, BYTES_TAG(8), LOY_NAME_MAX, &event->partner)) {
        return false;
    }
    if (in->end - in->at < 2 || in->at[0] != PURCHASE_TAG_LOW || in->at[1] != PURCHASE_TAG_HIGH) {
        return false;
    }
    in->at += 2;
    if (!read_inner(in, &purchase) || !read_purchase(&purchase, arena, &event->purchase)) {
        return false;
    }
    event->order_id = event->purchase.order_id;
    return in->at == in->end;
}

bool loy_wire_usual_read(struct loy_str bytes, struct loy_arena *arena, struct loy_event *ret_event)
{
    struct loy_arena_mark mark = loy_arena_mark(arena);
    struct cursor in = {(const uint8_t *)bytes.at, (const uint8_t *)bytes.at + bytes.len};
    if (!read_event(&in, arena, ret_event)) {
        loy_arena_reset_to(arena, mark);
        return false;
    }
    ret_event->encoded = bytes;
    return true;
}
