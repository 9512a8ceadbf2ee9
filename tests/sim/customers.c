#include "sim/customers.h"

#include "base/calendar.h"
#include "base/hash.h"
#include "loyalty/v1/event.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

#define SECONDS(n) ((n)*LOY_US_PER_SECOND)

/* --- programmes --- */

static const struct loy_wallet held_wallets[] = {
    {.id = {"points", 6}, .pending.us = SECONDS(20), .expiry.after.us = SECONDS(90)},
    {.id = {"stamps", 6}, .expiry.after.us = SECONDS(75)},
    {.id = {"status", 6}, .pending.us = 1500000},
};

static const struct loy_str not_earning[] = {{"tobacco", 7}, {"gift_card", 9}};
static const struct loy_str no_bags[] = {{"bag", 3}};
static const struct loy_str imports[] = {{"import", 6}};

/* What all members together may be granted: the last of it cut or refused. Some are used up early, others late. */
static const struct loy_budget large[] = {{1, {"feast", 5}, 60000, true}, {2, {"gifts", 5}, 40000, false}};
static const struct loy_budget small[] = {{1, {"feast", 5}, 900, true}, {2, {"gifts", 5}, 600, false}};
enum { BUDGETS = 2 };

#define STAMP                                                                                                          \
    {                                                                                                                  \
        .number = 2, .id = {"stamp", 5}, .trigger = LOY_EVENT_PURCHASE, .lines = {.except_skus = {no_bags, 1}},        \
        .reward = {                                                                                                    \
            .kind = LOY_REWARD_PER_AMOUNT,                                                                             \
            .wallet = 1,                                                                                               \
            .points = 1,                                                                                               \
            .per = 30000                                                                                               \
        }                                                                                                              \
    }
#define BASE                                                                                                           \
    {                                                                                                                  \
        .number = 1, .id = {"base", 4}, .trigger = LOY_EVENT_PURCHASE,                                                 \
        .lines = {.except_categories = {not_earning, 2}}, .minimum_minor = 5000, .reward = {                           \
            .kind = LOY_REWARD_PER_AMOUNT,                                                                             \
            .points = 10,                                                                                              \
            .per = 10000                                                                                               \
        }                                                                                                              \
    }
#define STATUS                                                                                                         \
    {                                                                                                                  \
        .number = 3, .id = {"status", 6}, .trigger = LOY_EVENT_PURCHASE, .reward = {                                   \
            .kind = LOY_REWARD_PER_AMOUNT,                                                                             \
            .wallet = 2,                                                                                               \
            .points = 7,                                                                                               \
            .per = 1300,                                                                                               \
            .prorata = true,                                                                                           \
            .rounding = LOY_ROUND_HALF_EVEN                                                                            \
        }                                                                                                              \
    }
/* Bonus points: for big baskets all or nothing, and for every purchase whatever is left. */
#define FEAST(budget_)                                                                                                 \
    {                                                                                                                  \
        .number = 4, .id = {"feast", 5}, .is_campaign = true, .trigger = LOY_EVENT_PURCHASE, .minimum_minor = 40000,   \
        .reward = {.kind = LOY_REWARD_PER_AMOUNT, .points = 13, .per = 20000}, .budget = budget_                       \
    }
#define GIFT(budget_)                                                                                                  \
    {                                                                                                                  \
        .number = 5, .id = {"gift", 4}, .is_campaign = true, .trigger = LOY_EVENT_PURCHASE,                            \
        .reward = {.kind = LOY_REWARD_PER_AMOUNT, .wallet = 1, .points = 3, .per = 10000}, .budget = budget_           \
    }

static const struct loy_rule all_rules[] = {BASE, STAMP, STATUS, FEAST(&large[0]), GIFT(&large[1])};
static const struct loy_rule some_rules[] = {BASE, STAMP, FEAST(&small[0]), GIFT(&small[1])};
static const struct loy_rule one_rule[] = {BASE};

#define PROGRAMME(wallets_, wallet_count_, rules_, budgets_, budget_count_)                                            \
    {                                                                                                                  \
        .id = {"simulated", 9}, .revision = 1, .from_us = INT64_MIN, .currency = {"RUB", 3}, .currency_digits = 2,     \
        .wallets = wallets_, .wallet_count = wallet_count_, .rules = rules_,                                           \
        .rule_count = sizeof rules_ / sizeof *rules_, .budgets = budgets_, .budget_count = budget_count_,              \
        .historical_sources = imports, .historical_source_count = 1, .late.us = SECONDS(30), .early.us = SECONDS(5)    \
    }

static const struct loy_programme programmes[] = {
    PROGRAMME(held_wallets, 3, all_rules, large, BUDGETS),
    PROGRAMME(held_wallets, 2, some_rules, small, BUDGETS),
    PROGRAMME(held_wallets + 1, 1, one_rule, NULL, 0),
};

const struct loy_programme *sim_programme(uint32_t i)
{
    return &programmes[i % 3];
}

const struct loy_programme *sim_next_programme(struct sim_world *world, const struct loy_programme *before)
{
    static const struct loy_rule status = STATUS;
    struct loy_programme *next = sim_alloc(&world->pool, sizeof *next);
    struct loy_rule *changed = sim_alloc(&world->pool, (before->rule_count + 1) * sizeof *changed);
    /* Never a wallet less: members may hold its points. */
    bool wider = before->wallets == held_wallets && before->wallet_count == 2 && sim_chance(world, 300);
    *next = *before;
    next->wallet_count += wider;
    next->rule_count = 0;
    for (uint32_t i = 0; i < before->rule_count; i++) {
        if (i == 2 && wider) {
            changed[next->rule_count++] = status; /* before the campaigns */
        }
        changed[next->rule_count] = before->rules[i];
        changed[next->rule_count++].reward.points += sim_between(world, 0, 9);
    }
    next->rules = changed;
    next->revision++;
    next->late = (struct loy_period){.us = SECONDS(sim_between(world, 5, 60))};
    next->early = (struct loy_period){.us = SECONDS(sim_between(world, 1, 10))};
    next->from_us = world->now_us + (sim_chance(world, 500) ? SECONDS(sim_between(world, -20, 20)) : 0);
    return next;
}

/* --- records --- */

void sim_customers_init(struct sim_customers *customers, struct sim_world *world, struct fake_broker *broker,
                        const struct loy_programme *programme, uint16_t customer_topics)
{
    *customers = (struct sim_customers){.world = world,
                                        .broker = broker,
                                        .programme = programme,
                                        .customer_topics = customer_topics,
                                        .member_count = (uint32_t)sim_between(world, 3, 20)};
}

void sim_customers_fini(struct sim_customers *customers)
{
    free(customers->records);
    sim_map_fini(&customers->positions);
}

/* No padding: its bytes are a key. */
struct position_bytes {
    int64_t offset;
    int32_t partition;
    int32_t topic;
};

const struct sim_record *sim_customers_at(const struct sim_customers *customers, struct loy_position at)
{
    struct position_bytes bytes = {at.offset, at.partition, at.topic};
    int32_t i = sim_map_find(&customers->positions, (struct loy_str){(const char *)&bytes, sizeof bytes});
    return i < 0 ? NULL : &customers->records[i];
}

static const char *text(struct sim_customers *customers, const char *format, unsigned number)
{
    char *at = sim_alloc(&customers->world->pool, 32);
    snprintf(at, 32, format, number);
    return at;
}

static struct loy_str member_name(struct sim_customers *customers, uint64_t number)
{
    return loy_str(text(customers, "member-%02u", (unsigned)number));
}

/* Puts a finished record into its log and remembers it. */
static void append(struct sim_customers *customers, struct sim_record *record)
{
    struct sim_world *world = customers->world;
    record->timestamp_us = world->now_us;
    record->at = fake_broker_append(customers->broker, &record->message, record->timestamp_us);
    /* The log has a copy that lives as long as the world. */
    record->message =
        customers->broker->topics[record->at.topic].logs[record->at.partition].entries[record->at.offset].message;
    if (customers->record_count == customers->record_capacity) {
        customers->record_capacity = customers->record_capacity * 2 + 256;
        customers->records = sim_grow(customers->records, customers->record_capacity, sizeof *customers->records);
    }
    customers->records[customers->record_count] = *record;
    struct position_bytes bytes = {record->at.offset, record->at.partition, record->at.topic};
    sim_map_put(&customers->positions, sim_copy(&world->pool, (struct loy_str){(const char *)&bytes, sizeof bytes}),
                (int32_t)customers->record_count++);
    sim_say(world, "customer", "publishes %d/%d@%lld class %d member %.*s event %s order %s", record->at.topic,
            record->at.partition, (long long)record->at.offset, (int)record->class, LOY_STR_ARG(record->member_id),
            record->event_id ? record->event_id : "-", record->order_id ? record->order_id : "-");
}

/* What is wrong with a broken record. */
enum flaw {
    FLAW_NONE,
    FLAW_CUT,
    FLAW_GARBAGE,
    FLAW_TOTAL,
    FLAW_NO_EVENT_ID,
    FLAW_TILDE,
    FLAW_NO_KIND,
    FLAW_NO_TIME,
    FLAW_OVERFLOW,
    FLAW_COUNT
};

struct encoding {
    const char *currency;
    const char *channel;
    bool preview, has_member;
    enum flaw flaw;
};

static void put_purchase(const struct sim_record *record, const struct encoding *how, Loyalty__V1__Purchase *purchase,
                         Loyalty__V1__Line *lines, Loyalty__V1__Line **list)
{
    loyalty__v1__purchase__init(purchase);
    purchase->order_id = (char *)record->order_id;
    purchase->currency = (char *)how->currency;
    int64_t total = 0;
    for (uint32_t i = 0; i < record->line_count; i++) {
        loyalty__v1__line__init(&lines[i]);
        lines[i].sku = (char *)record->lines[i].sku;
        lines[i].category = (char *)record->lines[i].category;
        lines[i].has_amount_minor = true;
        lines[i].amount_minor = how->flaw == FLAW_OVERFLOW ? INT64_MAX / 2 + 7 : record->lines[i].amount_minor;
        total += record->lines[i].amount_minor;
        list[i] = &lines[i];
    }
    purchase->n_lines = record->line_count;
    purchase->lines = list;
    purchase->has_total_minor = how->flaw == FLAW_TOTAL || record->line_count % 2 == 0;
    purchase->total_minor = total + (how->flaw == FLAW_TOTAL);
}

static struct loy_str encode(struct sim_customers *customers, const struct sim_record *record,
                             const struct encoding *how)
{
    Loyalty__V1__Event event = LOYALTY__V1__EVENT__INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Loyalty__V1__Purchase purchase;
    Loyalty__V1__Activity activity = LOYALTY__V1__ACTIVITY__INIT;
    Loyalty__V1__Line lines[SIM_LINES_MAX];
    Loyalty__V1__Line *list[SIM_LINES_MAX];
    at.seconds = record->occurred_at_us / LOY_US_PER_SECOND;
    at.nanos = (int32_t)(record->occurred_at_us % LOY_US_PER_SECOND * 1000);
    event.event_id = how->flaw == FLAW_NO_EVENT_ID ? NULL : (char *)record->event_id;
    event.source = (char *)record->source;
    event.member_id = how->has_member ? (char *)record->member_id.at : NULL;
    event.member_id = how->flaw == FLAW_TILDE ? (char *)"~someone" : event.member_id;
    event.occurred_at = how->flaw == FLAW_NO_TIME ? NULL : &at;
    event.channel = (char *)how->channel;
    event.has_preview = event.preview = how->preview;
    if (how->flaw == FLAW_NO_KIND) {
        event.kind_case = LOYALTY__V1__EVENT__KIND__NOT_SET;
    } else if (record->is_purchase) {
        put_purchase(record, how, &purchase, lines, list);
        event.kind_case = LOYALTY__V1__EVENT__KIND_PURCHASE;
        event.purchase = &purchase;
    } else {
        activity.name = (char *)"check_in";
        event.kind_case = LOYALTY__V1__EVENT__KIND_ACTIVITY;
        event.activity = &activity;
    }
    size_t len = loyalty__v1__event__get_packed_size(&event);
    uint8_t *bytes = sim_alloc(&customers->world->pool, len + 1);
    loyalty__v1__event__pack(&event, bytes);
    len -= how->flaw == FLAW_CUT;
    if (how->flaw == FLAW_GARBAGE) {
        bytes[0] = 0xff; /* a field of wire type 7, which there is not */
    }
    return (struct loy_str){(const char *)bytes, len};
}

static void choose_lines(struct sim_customers *customers, struct sim_record *record)
{
    static const char *const categories[] = {"coffee", "tobacco", "gift_card", "bakery", "toys"};
    static const char *const skus[] = {"bag", "bread", "beans", "train"};
    struct sim_world *world = customers->world;
    record->line_count = (uint32_t)sim_between(world, 1, SIM_LINES_MAX);
    for (uint32_t i = 0; i < record->line_count; i++) {
        record->lines[i] = (struct sim_line){skus[sim_below(world, 4)], categories[sim_below(world, 5)],
                                             sim_between(world, 0, sim_chance(world, 100) ? 9000000 : 40000)};
    }
}

static void choose_times(struct sim_customers *customers, struct sim_record *record)
{
    struct sim_world *world = customers->world;
    int64_t ago_us = sim_between(world, 0, SECONDS(4));
    if (sim_chance(world, 100)) {
        ago_us = sim_between(world, SECONDS(-10), SECONDS(60));
        sim_happened(world, SIM_RECORD_LATE);
    }
    record->occurred_at_us = world->now_us - ago_us;
    record->is_historical = sim_chance(world, 50);
    record->source = record->is_historical ? "import" : sim_chance(world, 500) ? "pos" : "web";
    if (record->is_historical) {
        record->occurred_at_us = world->now_us - sim_between(world, 0, SECONDS(40));
    }
}

static void choose_event(struct sim_customers *customers, struct sim_record *record)
{
    struct sim_world *world = customers->world;
    record->member_id = member_name(customers, sim_below(world, customers->member_count));
    record->home = loy_partition_of(record->member_id, customers->broker->partitions);
    record->event_id = text(customers, "e-%u", customers->next_id);
    record->is_purchase = !sim_chance(world, 150);
    if (record->is_purchase) {
        record->order_id = text(customers, "o-%u", customers->next_id);
        choose_lines(customers, record);
    }
    customers->next_id++;
    choose_times(customers, record);
}

static void choose_place(struct sim_customers *customers, struct sim_record *record, struct loy_str value)
{
    struct sim_world *world = customers->world;
    bool has_home = record->member_id.len > 0;
    uint64_t topic = sim_below(world, customers->customer_topics);
    record->message = (struct loy_bus_message){.topic = customers->broker->topics[topic].name,
                                               .partition = record->home,
                                               .has_key = has_home,
                                               .key = record->member_id,
                                               .has_value = true,
                                               .value = value};
    if (!has_home || (customers->misbehave && sim_chance(world, 60))) {
        record->message.partition = (int32_t)sim_below(world, (uint64_t)customers->broker->partitions);
        if (has_home && record->message.partition != record->home) {
            sim_happened(world, SIM_RECORD_MISPLACED);
        }
    }
    if (customers->misbehave && sim_chance(world, 50)) {
        record->message.key = LOY_STR("some other key");
    }
}

static void publish_event(struct sim_customers *customers)
{
    struct sim_record record = {0};
    choose_event(customers, &record);
    struct encoding how = {.currency = sim_chance(customers->world, 300) ? "RUB" : NULL, .has_member = true};
    choose_place(customers, &record, encode(customers, &record, &how));
    append(customers, &record);
}

/* --- what goes wrong at the publishers --- */

/* Some record that was an event, published not long ago; NULL when the first draws find none. */
static const struct sim_record *some_event(struct sim_customers *customers)
{
    for (int tries = 0; tries < 8 && customers->record_count > 0; tries++) {
        uint32_t last = customers->record_count < 60 ? customers->record_count : 60;
        const struct sim_record *record =
            &customers->records[customers->record_count - 1 - sim_below(customers->world, last)];
        if (record->class == SIM_EVENT && !record->is_correction) {
            return record;
        }
    }
    return NULL;
}

static void publish_repeat(struct sim_customers *customers)
{
    struct sim_world *world = customers->world;
    const struct sim_record *first = some_event(customers);
    if (!first) {
        return;
    }
    struct sim_record record = *first;
    struct loy_str value = record.message.value;
    struct encoding how = {.has_member = true};
    switch (first->is_purchase ? sim_below(world, 3) : 2 * sim_below(world, 2)) {
    case 0:
        sim_happened(world, SIM_RECORD_DUPLICATE);
        break;
    case 1: /* the same order from another channel, under an event id of its own */
        record.event_id = text(customers, "e-%u", customers->next_id++);
        value = encode(customers, &record, &how);
        sim_happened(world, SIM_RECORD_DUPLICATE_ORDER);
        break;
    default: /* the same event id for something else */
        record.occurred_at_us -= SECONDS(1);
        value = encode(customers, &record, &how);
        sim_happened(world, SIM_RECORD_ID_REUSED);
        break;
    }
    choose_place(customers, &record, value);
    append(customers, &record);
}

static void publish_broken(struct sim_customers *customers)
{
    struct sim_record record = {.class = SIM_BROKEN};
    choose_event(customers, &record);
    struct encoding how = {.has_member = true};
    how.flaw = (enum flaw)sim_between(customers->world, FLAW_CUT, FLAW_COUNT - 1);
    if (how.flaw == FLAW_TOTAL || how.flaw == FLAW_OVERFLOW) {
        record.is_purchase = true;
        record.order_id = record.event_id;
        record.line_count = 2;
        record.lines[0] = record.lines[1] = (struct sim_line){"bread", "bakery", 100};
    }
    sim_happened(customers->world, SIM_RECORD_BROKEN);
    choose_place(customers, &record, encode(customers, &record, &how));
    append(customers, &record);
}

static void publish_refused(struct sim_customers *customers, enum sim_class class)
{
    struct sim_record record = {.class = class};
    choose_event(customers, &record);
    struct encoding how = {.has_member = true};
    if (class == SIM_POISONOUS) {
        how.channel = SIM_POISON;
        sim_happened(customers->world, SIM_RECORD_POISON);
    } else {
        record.is_purchase = true;
        record.order_id = record.event_id;
        choose_lines(customers, &record);
        how.currency = "XTS";
    }
    choose_place(customers, &record, encode(customers, &record, &how));
    append(customers, &record);
    if (class == SIM_REFUSED && sim_chance(customers->world, 700)) {
        /* Corrected by its publisher: what was rejected is no repeat. */
        record.class = SIM_EVENT;
        record.is_correction = true; /* not repeated: whether its order or its currency is found wrong first is open */
        how.currency = NULL;
        choose_place(customers, &record, encode(customers, &record, &how));
        append(customers, &record);
        sim_happened(customers->world, SIM_RECORD_CORRECTED);
    }
}

static void publish_ignored(struct sim_customers *customers)
{
    struct sim_world *world = customers->world;
    struct sim_record record = {0};
    struct encoding how = {.has_member = true};
    choose_event(customers, &record);
    switch (sim_below(world, 3)) {
    case 0:
        record.class = SIM_TOMBSTONE;
        sim_happened(world, SIM_RECORD_TOMBSTONE);
        break;
    case 1:
        record.class = SIM_NO_MEMBER;
        how.has_member = false;
        sim_happened(world, SIM_RECORD_NO_MEMBER);
        break;
    default:
        record.class = SIM_PREVIEW;
        how.preview = true;
        break;
    }
    choose_place(customers, &record, encode(customers, &record, &how));
    if (record.class == SIM_TOMBSTONE) {
        record.message.has_value = false;
        record.message.value = (struct loy_str){0};
    }
    append(customers, &record);
}

void sim_customers_publish(struct sim_customers *customers)
{
    struct sim_world *world = customers->world;
    uint64_t draw = customers->misbehave ? sim_below(world, 1000) : 999;
    if (draw < 120) {
        publish_repeat(customers);
    } else if (draw < 150) {
        publish_broken(customers);
    } else if (draw < 160) {
        publish_refused(customers, SIM_POISONOUS);
    } else if (draw < 180) {
        publish_refused(customers, SIM_REFUSED);
    } else if (draw < 220) {
        publish_ignored(customers);
    } else if (draw < 250) {
        sim_happened(world, SIM_RECORD_GAP);
        fake_broker_append_gap(customers->broker, (uint16_t)sim_below(world, customers->customer_topics),
                               (int32_t)sim_below(world, (uint64_t)customers->broker->partitions));
    } else {
        publish_event(customers);
    }
}

/* --- the scheduler --- */

static void publish_tick(struct sim_customers *customers, struct loy_str member_id, int64_t due_us)
{
    struct sim_record record = {.class = SIM_TICK, .member_id = member_id, .tick_due_us = due_us};
    record.home = loy_partition_of(member_id, customers->broker->partitions);
    Loyalty__V1__Event event = LOYALTY__V1__EVENT__INIT;
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Loyalty__V1__Tick tick = LOYALTY__V1__TICK__INIT;
    at.seconds = due_us / LOY_US_PER_SECOND;
    at.nanos = (int32_t)(due_us % LOY_US_PER_SECOND * 1000);
    tick.due_at = &at;
    event.event_id = (char *)text(customers, "tick-%u", (unsigned)(due_us / LOY_US_PER_SECOND));
    event.source = (char *)"loyald";
    event.member_id = (char *)member_id.at;
    event.occurred_at = &at;
    event.tick = &tick;
    uint8_t *bytes = sim_alloc(&customers->world->pool, loyalty__v1__event__get_packed_size(&event) + 1);
    size_t len = loyalty__v1__event__pack(&event, bytes);
    record.source = event.source;
    record.event_id = event.event_id;
    record.message = (struct loy_bus_message){.topic = customers->broker->topics[customers->customer_topics + 1].name,
                                              .partition = record.home,
                                              .has_key = true,
                                              .key = member_id,
                                              .has_value = true,
                                              .value = {(const char *)bytes, len}};
    sim_happened(customers->world, SIM_RECORD_TICK);
    append(customers, &record);
}

void sim_customers_tick(struct sim_customers *customers, const struct fake_db *db, bool all)
{
    struct sim_world *world = customers->world;
    for (uint32_t i = 0; i < db->member_count; i++) {
        const struct fake_member *member = &db->members[i];
        /* The scheduler's clock may go before the broker's. */
        int64_t clock_us = world->now_us + (all ? 0 : sim_between(world, 0, SECONDS(1)));
        if (member->due_at_us <= clock_us && (all || sim_chance(world, 700))) {
            publish_tick(customers, member->write.row.member_id, member->due_at_us);
        }
    }
}
