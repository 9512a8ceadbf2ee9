#include "adapters/pg/order.h"

#include <string.h>

enum { SHORT_RUN = 8 };

static bool is_before(const struct loy_pg_place *one, const struct loy_pg_place *other)
{
    return one->key != other->key ? one->key < other->key : one->tie < other->tie;
}

static void sort_short(struct loy_pg_place *places, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct loy_pg_place place = places[i];
        size_t at = i;
        for (; at > 0 && is_before(&place, &places[at - 1]); at--) {
            places[at] = places[at - 1];
        }
        places[at] = place;
    }
}

static size_t smaller(size_t one, size_t other)
{
    return one < other ? one : other;
}

/* Two runs that lie one behind the other, the second from `middle` on, into one. */
static void merge(const struct loy_pg_place *from, size_t middle, size_t end, struct loy_pg_place *to)
{
    size_t left = 0, right = middle;
    if (middle == end || !is_before(&from[middle], &from[middle - 1])) {
        memcpy(to, from, end * sizeof *from); /* records come partition by partition: whole runs are in order */
        return;
    }
    for (size_t i = 0; i < end; i++) {
        bool take_right = left == middle || (right < end && is_before(&from[right], &from[left]));
        to[i] = from[take_right ? right++ : left++];
    }
}

bool loy_pg_order(struct loy_pg_place *places, uint32_t count, struct loy_arena *arena)
{
    struct loy_pg_place *from = places;
    struct loy_pg_place *to = loy_arena_alloc(arena, count * sizeof *places);
    if (!to) {
        return false;
    }
    for (size_t at = 0; at < count; at += SHORT_RUN) {
        sort_short(places + at, smaller(SHORT_RUN, count - at));
    }
    for (size_t width = SHORT_RUN; width < count; width *= 2) {
        for (size_t at = 0; at < count; at += 2 * width) {
            merge(from + at, smaller(width, count - at), smaller(2 * width, count - at), to + at);
        }
        struct loy_pg_place *merged = to;
        to = from;
        from = merged;
    }
    if (from != places) {
        memcpy(places, from, count * sizeof *places);
    }
    return true;
}
