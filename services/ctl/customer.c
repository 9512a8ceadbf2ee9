#include "ctl/customer.h"

#include "base/calendar.h"
#include "ctl/shop.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MAX = 160 };

/* What an event is being made of. */
struct making {
    struct loy_customers *customers;
    struct loy_rng *rng;
    struct loy_arena *arena;
    Loyalty__V1__Event *event;
    uint64_t member;
};

/* There is room: make() has seen to that. */
static void *new_message(struct making *m, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = loy_arena_alloc(m->arena, descriptor->sizeof_message);
    assert(message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

static void *new_list(struct making *m, size_t count)
{
    void *list = loy_arena_calloc(m->arena, count, sizeof(void *));
    assert(list);
    return list;
}

LOY_PRINTF(2, 3) static char *text(struct making *m, const char *format, ...)
{
    char buffer[TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    char *copy = loy_str_dup_z(m->arena, loy_str(buffer));
    assert(copy);
    return copy;
}

/* Some buy often and most seldom: the product of two shares, which gives the keenest customer some ten times the
 * average. Numbers are scattered, so that frequent customers are not those with the lowest ids; the factor is a prime
 * above any number of members, so every member has one number. */
static uint64_t pick_member(const struct loy_customers *customers, struct loy_rng *rng)
{
    uint64_t share = (loy_rng_next(rng) >> 32) * (loy_rng_next(rng) >> 32);
    uint64_t rank = (uint64_t)(((unsigned __int128)share * customers->options->members) >> 64);
    return (uint64_t)((unsigned __int128)rank * UINT64_C(18446744073709551557) % customers->options->members) + 1;
}

static char *member_id(struct making *m, uint64_t member)
{
    return text(m, "%s%06llu", m->customers->options->member_prefix, (unsigned long long)member);
}

static char *order_id(struct making *m, uint64_t number)
{
    return text(m, "o%llu-%llu", (unsigned long long)m->customers->options->seed, (unsigned long long)number);
}

static void set_store(struct making *m)
{
    const struct loy_shop_store *at = loy_shop_pick_store(m->rng);
    Loyalty__V1__Store *store = new_message(m, &loyalty__v1__store__descriptor);
    store->id = text(m, "%s", at->id);
    store->kind = text(m, "%s", at->kind);
    store->city = text(m, "%s", at->city);
    store->region = text(m, "%s", at->region);
    m->event->store = store;
}

static Loyalty__V1__Line *new_line(struct making *m, uint32_t number, struct loy_recent_order *order)
{
    struct loy_shop_article article = loy_shop_pick_article(m->rng);
    const struct loy_shop_category *category = article.category;
    Loyalty__V1__Line *line = new_message(m, &loyalty__v1__line__descriptor);
    int64_t quantity = category->weighed ? loy_rng_between(m->rng, 150, 2500)
                                         : 1000 * (1 + (int64_t)loy_rng_below(m->rng, 1 + loy_rng_below(m->rng, 4)));
    int64_t gross = article.price_minor * quantity / 1000;
    int64_t discount = 0;
    if (!category->gift_card && loy_rng_chance(m->rng, 180000)) {
        discount = gross * loy_rng_between(m->rng, 1, 6) / 20;
    }
    line->line_id = text(m, "%u", number);
    line->sku = text(m, "%s-%03u", category->sku_prefix, article.number);
    line->category = text(m, "%s", category->id);
    line->brand = article.brand ? text(m, "%s", article.brand) : NULL;
    if (category->label) {
        line->labels = new_list(m, 1);
        line->n_labels = 1;
        line->labels[0] = text(m, "%s", category->label);
    }
    line->has_kind = category->gift_card;
    line->kind = LOYALTY__V1__LINE__KIND__GIFT_CARD;
    line->has_quantity_milli = line->has_amount_minor = line->has_unit_price_minor = true;
    line->quantity_milli = quantity;
    line->amount_minor = gross - discount;
    line->unit_price_minor = article.price_minor;
    line->has_discount_minor = discount > 0;
    line->discount_minor = discount;
    line->has_tax_minor = line->has_cost_minor = !category->gift_card;
    line->tax_minor = line->amount_minor / 6;
    line->cost_minor = gross * 62 / 100;
    order->quantity_milli[number - 1] = quantity;
    (void)snprintf(order->sku[number - 1], sizeof order->sku[0], "%s-%03u", category->sku_prefix, article.number);
    return line;
}

static Loyalty__V1__Line *new_delivery(struct making *m)
{
    Loyalty__V1__Line *line = new_message(m, &loyalty__v1__line__descriptor);
    line->line_id = text(m, "delivery");
    line->has_kind = line->has_amount_minor = true;
    line->kind = LOYALTY__V1__LINE__KIND__DELIVERY;
    line->amount_minor = 19900;
    return line;
}

static void add_tender(struct making *m, Loyalty__V1__Purchase *purchase)
{
    static const char *const kinds[] = {"card", "card", "card", "cash", "sbp"};
    Loyalty__V1__Tender *tender = new_message(m, &loyalty__v1__tender__descriptor);
    tender->kind = text(m, "%s", kinds[loy_rng_below(m->rng, 5)]);
    tender->has_amount_minor = true;
    tender->amount_minor = purchase->total_minor;
    purchase->tenders = new_list(m, 1);
    purchase->n_tenders = 1;
    purchase->tenders[0] = tender;
}

static Loyalty__V1__Purchase *new_basket(struct making *m, struct loy_recent_order *order, bool delivery)
{
    /* One to eight lines, fewer more often. */
    order->line_count = 1 + (uint32_t)loy_rng_below(m->rng, 1 + loy_rng_below(m->rng, LOY_BASKET_MAX));
    Loyalty__V1__Purchase *purchase = new_message(m, &loyalty__v1__purchase__descriptor);
    purchase->lines = new_list(m, order->line_count + 1);
    for (uint32_t i = 1; i <= order->line_count; i++) {
        purchase->lines[purchase->n_lines] = new_line(m, i, order);
        purchase->total_minor += purchase->lines[purchase->n_lines++]->amount_minor;
    }
    if (delivery) {
        purchase->lines[purchase->n_lines] = new_delivery(m);
        purchase->total_minor += purchase->lines[purchase->n_lines++]->amount_minor;
    }
    purchase->has_total_minor = true;
    return purchase;
}

static void make_purchase(struct making *m)
{
    struct loy_customers *customers = m->customers;
    struct loy_recent_order *order = &customers->recent[customers->order_count++ % LOY_RECENT_ORDERS];
    *order = (struct loy_recent_order){.number = customers->serial, .member = m->member};
    order->online = loy_rng_chance(m->rng, 300000);
    Loyalty__V1__Purchase *purchase = new_basket(m, order, order->online && loy_rng_chance(m->rng, 400000));
    purchase->order_id = order_id(m, order->number);
    purchase->has_status = true;
    purchase->status = order->online ? LOYALTY__V1__ORDER_STATE__PAID : LOYALTY__V1__ORDER_STATE__CLOSED;
    add_tender(m, purchase);
    if (order->online) {
        m->event->channel = text(m, "%s", loy_rng_chance(m->rng, 550000) ? "app" : "web");
    } else {
        m->event->channel = text(m, "pos");
        purchase->cashier = text(m, "c%02u", (unsigned)loy_rng_between(m->rng, 1, 40));
        set_store(m);
    }
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_PURCHASE;
    m->event->purchase = purchase;
}

/* An order of the last few thousand, now this event's member too; NULL when there is none yet that is not over. */
static struct loy_recent_order *recall(struct making *m)
{
    uint64_t known = m->customers->order_count < LOY_RECENT_ORDERS ? m->customers->order_count : LOY_RECENT_ORDERS;
    for (int attempt = 0; known > 0 && attempt < 8; attempt++) {
        struct loy_recent_order *order = &m->customers->recent[loy_rng_below(m->rng, known)];
        if (!order->over) {
            m->member = order->member;
            return order;
        }
    }
    return NULL;
}

static bool make_return(struct making *m)
{
    struct loy_recent_order *order = recall(m);
    uint32_t line = order ? (uint32_t)loy_rng_below(m->rng, order->line_count) : 0;
    if (!order || (order->returned >> line & 1) != 0) {
        return false;
    }
    order->returned |= 1U << line;
    Loyalty__V1__Return *back = new_message(m, &loyalty__v1__return__descriptor);
    Loyalty__V1__ReturnedLine *returned = new_message(m, &loyalty__v1__returned_line__descriptor);
    returned->line_id = text(m, "%u", line + 1);
    returned->has_quantity_milli = true;
    returned->quantity_milli = order->quantity_milli[line];
    back->order_id = order_id(m, order->number);
    back->lines = new_list(m, 1);
    back->n_lines = 1;
    back->lines[0] = returned;
    m->event->channel = text(m, "%s", order->online ? "web" : "pos");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_RETURN;
    m->event->return_ = back;
    return true;
}

static bool make_cancellation(struct making *m)
{
    struct loy_recent_order *order = recall(m);
    if (!order || !order->online || order->returned != 0) {
        return false;
    }
    order->over = true;
    Loyalty__V1__Cancellation *cancellation = new_message(m, &loyalty__v1__cancellation__descriptor);
    cancellation->order_id = order_id(m, order->number);
    m->event->channel = text(m, "web");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_CANCELLATION;
    m->event->cancellation = cancellation;
    return true;
}

static bool make_order_status(struct making *m)
{
    struct loy_recent_order *order = recall(m);
    if (!order || !order->online) {
        return false;
    }
    order->over = loy_rng_chance(m->rng, 400000);
    Loyalty__V1__OrderStatus *status = new_message(m, &loyalty__v1__order_status__descriptor);
    status->order_id = order_id(m, order->number);
    status->has_status = true;
    status->status = order->over ? LOYALTY__V1__ORDER_STATE__CLOSED : LOYALTY__V1__ORDER_STATE__DELIVERED;
    m->event->channel = text(m, "web");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_ORDER_STATUS;
    m->event->order_status = status;
    return true;
}

static bool make_feedback(struct making *m)
{
    struct loy_recent_order *order = recall(m);
    if (!order) {
        return false;
    }
    Loyalty__V1__Feedback *feedback = new_message(m, &loyalty__v1__feedback__descriptor);
    bool review = loy_rng_chance(m->rng, 600000);
    feedback->has_kind = feedback->has_score = true;
    feedback->kind = review ? LOYALTY__V1__FEEDBACK__KIND__REVIEW : LOYALTY__V1__FEEDBACK__KIND__NPS;
    feedback->score = (int32_t)(review ? loy_rng_between(m->rng, 1, 5) : loy_rng_between(m->rng, 0, 10));
    feedback->order_id = order_id(m, order->number);
    if (review) {
        feedback->sku = text(m, "%s", order->sku[loy_rng_below(m->rng, order->line_count)]);
        feedback->has_verified_buyer = feedback->has_photo = feedback->has_text_length = true;
        feedback->has_moderation = true;
        feedback->verified_buyer = true;
        feedback->photo = loy_rng_chance(m->rng, 250000);
        feedback->text_length = (uint32_t)loy_rng_between(m->rng, 12, 900);
        feedback->moderation = loy_rng_chance(m->rng, 900000) ? LOYALTY__V1__FEEDBACK__MODERATION__APPROVED
                                                              : LOYALTY__V1__FEEDBACK__MODERATION__REJECTED;
    }
    m->event->channel = text(m, "app");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_FEEDBACK;
    m->event->feedback = feedback;
    return true;
}

static bool make_activity(struct making *m)
{
    Loyalty__V1__Activity *activity = new_message(m, &loyalty__v1__activity__descriptor);
    activity->name = text(m, "%s", loy_shop_pick_activity(m->rng));
    m->event->channel = text(m, "app");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_ACTIVITY;
    m->event->activity = activity;
    return true;
}

static bool make_referral(struct making *m)
{
    uint64_t referrer = pick_member(m->customers, m->rng);
    if (referrer == m->member) {
        return false;
    }
    Loyalty__V1__Referral *referral = new_message(m, &loyalty__v1__referral__descriptor);
    referral->referrer_id = member_id(m, referrer);
    referral->code = text(m, "FRIEND%llu", (unsigned long long)referrer);
    m->event->channel = text(m, "app");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_REFERRAL;
    m->event->referral = referral;
    return true;
}

static bool make_member_change(struct making *m)
{
    Loyalty__V1__MemberChange *change = new_message(m, &loyalty__v1__member_change__descriptor);
    if (loy_rng_chance(m->rng, 400000)) {
        change->change_case = LOYALTY__V1__MEMBER_CHANGE__CHANGE_JOINED;
        change->joined = new_message(m, &loyalty__v1__joined__descriptor);
    } else {
        Loyalty__V1__Profile *profile = new_message(m, &loyalty__v1__profile__descriptor);
        profile->birth_date = text(m, "%04u-%02u-%02u", (unsigned)loy_rng_between(m->rng, 1945, 2006),
                                   (unsigned)loy_rng_between(m->rng, 1, 12), (unsigned)loy_rng_between(m->rng, 1, 28));
        profile->city = text(m, "%s", loy_shop_city(m->member));
        profile->language = text(m, "ru");
        change->change_case = LOYALTY__V1__MEMBER_CHANGE__CHANGE_PROFILE;
        change->profile = profile;
    }
    m->event->channel = text(m, "app");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_MEMBER_CHANGE;
    m->event->member_change = change;
    return true;
}

static bool make_redemption(struct making *m)
{
    Loyalty__V1__Redemption *redemption = new_message(m, &loyalty__v1__redemption__descriptor);
    redemption->redemption_id = text(m, "r%llu-%llu", (unsigned long long)m->customers->options->seed,
                                     (unsigned long long)m->customers->serial);
    redemption->has_action = redemption->has_points = true;
    redemption->action = loy_rng_chance(m->rng, 500000) ? LOYALTY__V1__REDEMPTION__ACTION__QUOTE
                                                        : LOYALTY__V1__REDEMPTION__ACTION__RESERVE;
    redemption->wallet = text(m, "points");
    redemption->points = 100 * loy_rng_between(m->rng, 1, 20);
    m->event->channel = text(m, "pos");
    m->event->correlation_id = text(m, "%s", redemption->redemption_id);
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_REDEMPTION;
    m->event->redemption = redemption;
    return true;
}

static bool make_entitlement_use(struct making *m)
{
    Loyalty__V1__EntitlementUse *use = new_message(m, &loyalty__v1__entitlement_use__descriptor);
    use->entitlement_id = text(m, "ent-%llu", (unsigned long long)m->customers->serial);
    m->event->channel = text(m, "pos");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_ENTITLEMENT_USE;
    m->event->entitlement_use = use;
    return true;
}

static bool make_adjustment(struct making *m)
{
    Loyalty__V1__Adjustment *adjustment = new_message(m, &loyalty__v1__adjustment__descriptor);
    adjustment->wallet = text(m, "points");
    adjustment->has_points = true;
    adjustment->points = 50 * loy_rng_between(m->rng, 1, 10);
    adjustment->operator_ = text(m, "op%u", (unsigned)loy_rng_between(m->rng, 1, 9));
    adjustment->reason = text(m, "apology");
    m->event->channel = text(m, "call_centre");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_ADJUSTMENT;
    m->event->adjustment = adjustment;
    return true;
}

static bool make_transfer(struct making *m)
{
    uint64_t to = pick_member(m->customers, m->rng);
    if (to == m->member) {
        return false;
    }
    Loyalty__V1__Transfer *transfer = new_message(m, &loyalty__v1__transfer__descriptor);
    transfer->to_member_id = member_id(m, to);
    transfer->wallet = text(m, "points");
    transfer->has_points = true;
    transfer->points = 10 * loy_rng_between(m->rng, 1, 50);
    m->event->channel = text(m, "app");
    m->event->kind_case = LOYALTY__V1__EVENT__KIND_TRANSFER;
    m->event->transfer = transfer;
    return true;
}

/* Out of 1,000 events; what is missing to that are purchases, and so is what a maker has no occasion for. */
static const struct {
    uint32_t weight;
    bool (*make)(struct making *m);
} mix[] = {
    {60, make_order_status},   {50, make_activity},    {45, make_feedback},  {30, make_return},
    {20, make_member_change},  {7, make_cancellation}, {6, make_redemption}, {5, make_referral},
    {3, make_entitlement_use}, {2, make_adjustment},   {2, make_transfer},
};

static bool make_other(struct making *m)
{
    uint32_t at = (uint32_t)loy_rng_below(m->rng, 1000);
    for (size_t i = 0; i < sizeof mix / sizeof mix[0]; i++) {
        if (at < mix[i].weight) {
            return mix[i].make(m);
        }
        at -= mix[i].weight;
    }
    return false;
}

static Loyalty__V1__Event *make(struct loy_customers *customers, int64_t moment_us, struct loy_arena *arena,
                                bool purchase)
{
    struct making m = {.customers = customers, .rng = &customers->rng, .arena = arena};
    if (arena->size - arena->used < LOY_EVENT_ROOM) {
        return NULL;
    }
    customers->serial++;
    m.event = new_message(&m, &loyalty__v1__event__descriptor);
    Google__Protobuf__Timestamp *at = new_message(&m, &google__protobuf__timestamp__descriptor);
    int64_t seconds = moment_us / LOY_US_PER_SECOND - (moment_us % LOY_US_PER_SECOND < 0);
    at->seconds = seconds;
    at->nanos = (int32_t)(moment_us - seconds * LOY_US_PER_SECOND) * 1000;
    m.event->occurred_at = at;
    m.event->event_id =
        text(&m, "e%llu-%llu", (unsigned long long)customers->options->seed, (unsigned long long)customers->serial);
    m.event->source = text(&m, "%s", customers->options->source);
    m.member = pick_member(customers, m.rng);
    if (purchase || !make_other(&m)) {
        make_purchase(&m);
    }
    m.event->member_id = member_id(&m, m.member);
    return m.event;
}

Loyalty__V1__Event *loy_customers_event(struct loy_customers *customers, int64_t moment_us, struct loy_arena *arena)
{
    return make(customers, moment_us, arena, false);
}

Loyalty__V1__Event *loy_customers_purchase(struct loy_customers *customers, int64_t moment_us, struct loy_arena *arena)
{
    return make(customers, moment_us, arena, true);
}
