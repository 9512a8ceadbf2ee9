#include "adapters/wire/field.h"
#include "adapters/wire/json.h"
#include "adapters/wire/proto.h"
#include "adapters/wire/wire.h"
#include "base/calendar.h"

#include <inttypes.h>
#include <stdio.h>

#include "loyalty/v1/event.pb-c.h"
#include "loyalty/v1/trace.pb-c.h"
#include "loyalty/v1/update.pb-c.h"

/* What a message is built with: the first thing that does not fit stays remembered. */
struct maker {
    struct loy_arena *arena;
    bool failed;
};

static void *make(struct maker *maker, size_t count, size_t size)
{
    void *at = loy_arena_calloc(maker->arena, count, size);
    maker->failed = maker->failed || !at;
    return at;
}

/* One message in the arena, with its defaults; NULL when it does not fit. */
static void *make_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = loy_wire_message_new(descriptor, maker->arena);
    maker->failed = maker->failed || !message;
    return message;
}

/* A text for protobuf-c; NULL, which is absent, for the empty one. */
static char *text_of(struct maker *maker, struct loy_str text)
{
    if (text.len == 0) {
        return NULL;
    }
    char *copy = loy_str_dup_z(maker->arena, text);
    maker->failed = maker->failed || !copy;
    return copy;
}

/* Ours, and constant: protobuf-c's structs just do not say const. */
static char *constant(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Google__Protobuf__Timestamp *moment_of(struct maker *maker, int64_t moment_us)
{
    Google__Protobuf__Timestamp *moment = make_message(maker, &google__protobuf__timestamp__descriptor);
    if (!moment) {
        return NULL;
    }
    moment_us = moment_us < LOY_MOMENT_MIN ? LOY_MOMENT_MIN : moment_us > LOY_MOMENT_MAX ? LOY_MOMENT_MAX : moment_us;
    int64_t part = moment_us % LOY_US_PER_SECOND;
    part += part < 0 ? LOY_US_PER_SECOND : 0;
    moment->seconds = (moment_us - part) / LOY_US_PER_SECOND;
    moment->nanos = (int32_t)part * 1000;
    return moment;
}

static enum loy_err put(struct maker *maker, const ProtobufCMessage *message, bool json, struct loy_str *ret_bytes)
{
    if (maker->failed) {
        return LOY_ERR_NO_MEMORY;
    }
    if (!json) {
        return loy_wire_proto_write(message, maker->arena, ret_bytes);
    }
    struct loy_buf buf;
    loy_buf_init(&buf, maker->arena, 1024);
    loy_wire_json_write(message, LOY_WIRE_PROTO_NAMES, &buf);
    if (buf.failed) {
        return LOY_ERR_NO_MEMORY;
    }
    *ret_bytes = loy_buf_str(&buf);
    return LOY_OK;
}

/* An account that a newer revision touched may hold a wallet that the revision of this event does not know. */
static struct loy_str wallet_id(const struct loy_wire_update *update, uint16_t wallet)
{
    const struct loy_programme *programme =
        wallet < update->programme->wallet_count || !update->newest ? update->programme : update->newest;
    return wallet < programme->wallet_count ? programme->wallets[wallet].id : (struct loy_str){0};
}

static const struct loy_rule *find_rule(const struct loy_programme *programme, int32_t number)
{
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        if (programme->rules[i].number == number) {
            return &programme->rules[i];
        }
    }
    return NULL;
}

static Loyalty__V1__Change *make_change(struct maker *maker, const struct loy_wire_update *update,
                                        const struct loy_entry *entry)
{
    Loyalty__V1__Change *change = make_message(maker, &loyalty__v1__change__descriptor);
    if (!change) {
        return NULL;
    }
    change->entry = constant(loy_entry_kind_name(entry->kind));
    change->wallet = text_of(maker, wallet_id(update, entry->wallet));
    change->has_amount = true;
    change->amount = entry->amount;
    const struct loy_rule *rule = find_rule(update->programme, entry->rule);
    if (rule) {
        change->rule = text_of(maker, rule->id);
        change->title = text_of(maker, rule->title);
    }
    bool earns = entry->kind == LOY_ENTRY_EARN || entry->kind == LOY_ENTRY_EARN_PENDING;
    if (entry->kind == LOY_ENTRY_EARN_PENDING) {
        change->available_from = moment_of(maker, entry->available_from_us);
    }
    if (earns && entry->expires_at_us != LOY_NEVER) {
        change->expires_at = moment_of(maker, entry->expires_at_us);
    }
    return change;
}

static void put_changes(struct maker *maker, const struct loy_wire_update *update, Loyalty__V1__BalanceUpdate *balance)
{
    uint32_t count = update->effects->entry_count;
    balance->changes = make(maker, count, sizeof(void *));
    balance->n_changes = balance->changes ? count : 0;
    for (uint32_t i = 0; i < balance->n_changes; i++) {
        balance->changes[i] = make_change(maker, update, &update->effects->entries[i]);
    }
}

static void put_wallets(struct maker *maker, const struct loy_wire_update *update, Loyalty__V1__BalanceUpdate *balance)
{
    uint16_t known = update->programme->wallet_count, held = update->account->wallet_count;
    uint16_t count = held > known ? held : known;
    balance->wallets = make(maker, count, sizeof(void *));
    balance->n_wallets = balance->wallets ? count : 0;
    for (uint16_t i = 0; i < balance->n_wallets; i++) {
        Loyalty__V1__WalletBalance *wallet = make_message(maker, &loyalty__v1__wallet_balance__descriptor);
        balance->wallets[i] = wallet;
        if (!wallet) {
            return;
        }
        struct loy_balance amounts = {0};
        if (i < held) {
            amounts = update->account->balances[i];
        }
        wallet->wallet = text_of(maker, wallet_id(update, i));
        wallet->has_available = wallet->has_pending = wallet->has_reserved = true;
        wallet->available = amounts.available;
        wallet->pending = amounts.pending;
        wallet->reserved = amounts.reserved;
    }
}

/* The earliest expiry over all wallets, and what of the first such wallet then expires. */
static void put_next_expiry(struct maker *maker, const struct loy_wire_update *update,
                            Loyalty__V1__BalanceUpdate *balance)
{
    const struct loy_account *account = update->account;
    const struct loy_lot *next = NULL;
    int64_t amount = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct loy_lot *lot = &account->lots[i];
        if (lot->expires_at_us == LOY_NEVER) {
            continue;
        }
        bool sooner = !next || lot->expires_at_us < next->expires_at_us ||
                      (lot->expires_at_us == next->expires_at_us && lot->wallet < next->wallet);
        if (sooner) {
            next = lot;
            amount = lot->points;
        } else if (lot->expires_at_us == next->expires_at_us && lot->wallet == next->wallet) {
            amount += lot->points; /* parts of one balance, which fits */
        }
    }
    if (!next) {
        return;
    }
    Loyalty__V1__NextExpiry *expiry = make_message(maker, &loyalty__v1__next_expiry__descriptor);
    if (expiry) {
        expiry->wallet = text_of(maker, wallet_id(update, next->wallet));
        expiry->has_amount = true;
        expiry->amount = amount;
        expiry->at = moment_of(maker, next->expires_at_us);
    }
    balance->next_expiry = expiry;
}

static Loyalty__V1__Cause *make_cause(struct maker *maker, const struct loy_event *event)
{
    Loyalty__V1__Cause *cause = make_message(maker, &loyalty__v1__cause__descriptor);
    if (cause) {
        cause->source = text_of(maker, event->source);
        cause->event_id = text_of(maker, event->event_id);
        cause->kind = constant(loy_event_kind_name(event->kind));
        cause->order_id = text_of(maker, event->order_id);
        cause->occurred_at = moment_of(maker, event->occurred_at_us);
    }
    return cause;
}

enum loy_err loy_wire_encode_update(const struct loy_wire_update *update, bool json, struct loy_arena *arena,
                                    struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Update message = LOYALTY__V1__UPDATE__INIT;
    Loyalty__V1__BalanceUpdate balance = LOYALTY__V1__BALANCE_UPDATE__INIT;
    message.member_id = text_of(&maker, update->account->member_id);
    message.has_incarnation = message.has_version = true;
    message.incarnation = update->incarnation;
    message.version = update->account->version;
    message.moment = moment_of(&maker, update->effects->moment_us);
    message.cause = make_cause(&maker, update->event);
    message.kind_case = LOYALTY__V1__UPDATE__KIND_BALANCE;
    message.balance = &balance;
    put_wallets(&maker, update, &balance);
    put_changes(&maker, update, &balance);
    put_next_expiry(&maker, update, &balance);
    return put(&maker, &message.base, json, ret_bytes);
}

enum loy_err loy_wire_encode_outcome(const struct loy_wire_outcome *outcome, bool json, struct loy_arena *arena,
                                     struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Outcome message = LOYALTY__V1__OUTCOME__INIT;
    message.topic = text_of(&maker, outcome->topic);
    message.has_partition = message.has_offset = true;
    message.partition = outcome->partition;
    message.offset = outcome->offset;
    message.outcome = text_of(&maker, outcome->outcome);
    message.detail = text_of(&maker, outcome->detail);
    message.source = text_of(&maker, outcome->source);
    message.event_id = text_of(&maker, outcome->event_id);
    return put(&maker, &message.base, json, ret_bytes);
}

enum loy_err loy_wire_encode_tick(struct loy_str member_id, int64_t due_at_us, struct loy_arena *arena,
                                  struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Event message = LOYALTY__V1__EVENT__INIT;
    Loyalty__V1__Tick tick = LOYALTY__V1__TICK__INIT;
    char event_id[32];
    snprintf(event_id, sizeof event_id, "tick-%" PRId64, due_at_us);
    message.event_id = event_id;
    message.source = constant("loyald");
    message.member_id = text_of(&maker, member_id);
    message.occurred_at = tick.due_at = moment_of(&maker, due_at_us);
    message.tick = &tick;
    return put(&maker, &message.base, false, ret_bytes);
}

static Loyalty__V1__RuleTrace *make_rule(struct maker *maker, const struct loy_rule_trace *from)
{
    Loyalty__V1__RuleTrace *rule = make_message(maker, &loyalty__v1__rule_trace__descriptor);
    if (!rule) {
        return NULL;
    }
    rule->has_rule = rule->has_wanted = rule->has_granted = rule->has_eligible_minor = true;
    rule->rule = from->rule;
    rule->wanted = from->wanted;
    rule->granted = from->granted;
    rule->eligible_minor = from->eligible_minor;
    rule->reason = constant(from->reason);
    rule->lines = (int64_t *)(uintptr_t)from->lines; /* only read */
    rule->n_lines = from->lines ? from->line_count : 0;
    rule->detail = from->detail.len ? text_of(maker, from->detail) : NULL;
    rule->has_missing = from->missing != 0;
    rule->missing = from->missing;
    rule->has_left = from->left != 0;
    rule->left = from->left;
    rule->has_multiplier = from->multiplier != 0;
    rule->multiplier = from->multiplier;
    return rule;
}

enum loy_err loy_wire_encode_trace(const struct loy_effects *effects, bool enrolled, struct loy_arena *arena,
                                   struct loy_str *ret_bytes)
{
    struct maker maker = {arena, false};
    Loyalty__V1__Trace message = LOYALTY__V1__TRACE__INIT;
    message.rules = make(&maker, effects->rule_count, sizeof(void *));
    message.n_rules = message.rules ? effects->rule_count : 0;
    for (uint32_t i = 0; i < message.n_rules; i++) {
        message.rules[i] = make_rule(&maker, &effects->rules[i]);
    }
    message.has_advanced = effects->advanced > 0;
    message.advanced = effects->advanced;
    message.has_late = message.late = effects->late;
    message.has_enrolled = message.enrolled = enrolled;
    return put(&maker, &message.base, false, ret_bytes);
}
