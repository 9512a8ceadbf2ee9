#include "engine/event.h"

const char *loy_event_kind_name(enum loy_event_kind kind)
{
    switch (kind) {
#define NAME_CASE(symbol, number, name)                                                                                \
    case LOY_EVENT_##symbol:                                                                                           \
        return name;
        LOY_EVENT_KINDS(NAME_CASE)
#undef NAME_CASE
    case LOY_EVENT_NONE:
    case LOY_EVENT_KIND_COUNT:
        break;
    }
    return "none";
}

const char *loy_change_name(enum loy_change change)
{
    static const char *const names[] = {
#define CHANGE_NAME(symbol, name) [LOY_CHANGE_##symbol] = name,
        LOY_CHANGES(CHANGE_NAME)
#undef CHANGE_NAME
    };
    return names[change];
}

/* The identity as its parts; their number is returned. number is a place for the bytes of a number. */
static size_t identity_of(const struct loy_event *event, struct loy_str parts[3], uint8_t number[8])
{
    uint64_t value = event->kind == LOY_EVENT_TICK ? (uint64_t)event->tick_due_at_us : event->purchase.order_version;
    for (int i = 0; i < 8; i++) {
        number[i] = (uint8_t)(value >> (8 * i));
    }
    struct loy_str number_text = {(const char *)number, 8};
    switch (event->kind) {
    case LOY_EVENT_PURCHASE:
        parts[0] = LOY_STR("purchase");
        parts[1] = event->purchase.order_id;
        parts[2] = number_text;
        return 3;
    case LOY_EVENT_TICK:
        parts[0] = LOY_STR("tick");
        parts[1] = number_text;
        return 2;
    default:
        parts[0] = LOY_STR("event");
        parts[1] = event->source;
        parts[2] = event->event_id;
        return 3;
    }
}

struct loy_digest loy_event_key(const struct loy_event *event)
{
    struct loy_str parts[3];
    uint8_t number[8];
    uint8_t sha256[32];
    struct loy_digest key;
    size_t count = identity_of(event, parts, number);
    loy_sha256_parts(parts, count, sha256);
    if (event->order_id.len == 0) {
        memcpy(key.bytes, sha256, sizeof key.bytes);
        return key;
    }
    memcpy(key.bytes + 8, sha256, 8);
    loy_sha256_parts(&event->order_id, 1, sha256);
    memcpy(key.bytes, sha256, 8);
    return key;
}
