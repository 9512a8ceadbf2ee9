/* Rows lie one behind the other in a ring of bytes: nothing is allocated and freed an account, and no list is kept. An
 * index of 8 bytes a place leads to them, of which a place tells by its hash whether the way to the row is worth it.
 * Who comes to the end of the ring drops what is oldest, but what was asked for since it was written moves on once. */
#include "worker/account_cache.h"

#include "base/expect.h"
#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    TYPICAL_ENTRY = 256,
    UNIT = 16, /* bytes: entries begin at whole ones, so that a place counts up to 64 GiB in 32 bits */
    PLACES_MIN = 64,
    HEAD_NEAR = 2 * LOY_CPU_LINE,
    ROW_NEAR = 5 * LOY_CPU_LINE, /* of an entry of common size */
    MOVES_MAX = 32               /* entries that move on for the room of one */
};

/* One row, then its member id and state. */
struct entry {
    uint32_t hash;
    uint32_t units; /* with what is spare */
    int32_t k, n;
    int64_t seq, version;
    struct loy_digest digest;
    uint32_t id_len, state_len;
    bool dead;  /* nothing leads here */
    bool asked; /* for, since it was written or moved */
    char text[];
};

struct place {
    uint32_t hash;
    uint32_t at; /* 1 + the entry's unit in the ring; 0: nothing is here */
};

struct loy_account_cache {
    char *ring;
    size_t size; /* whole units */
    /* Entries from tail to head; or, when it went round, from tail to end and from 0 to head. */
    size_t tail, head, end;
    bool went_round;
    struct place *places;
    uint32_t mask, count, count_max;
};

struct loy_account_cache *loy_account_cache_new(size_t bytes_max)
{
    static_assert(sizeof(struct entry) % 8 == 0 && UNIT % _Alignof(struct entry) == 0, "entries lie at whole units");
    const size_t most = (size_t)UINT32_MAX * UNIT;
    struct loy_account_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->size = (bytes_max < most ? bytes_max : most) / UNIT * UNIT;
    uint32_t places = PLACES_MIN;
    while (places / 2 < cache->size / TYPICAL_ENTRY && places < UINT32_C(1) << 28) {
        places *= 2;
    }
    cache->mask = places - 1;
    cache->count_max = places / 4 * 3;
    cache->ring = malloc(cache->size + UNIT); /* costs memory only where it was written */
    cache->places = calloc(places, sizeof *cache->places);
    if (!cache->ring || !cache->places) {
        loy_account_cache_destroy(cache);
        return NULL;
    }
    return cache;
}

static struct entry *entry_of(const struct loy_account_cache *cache, const struct place *place)
{
    assert(place->at > 0);
    return (struct entry *)(void *)(cache->ring + (size_t)(place->at - 1) * UNIT);
}

static uint32_t at_of(size_t offset)
{
    return (uint32_t)(offset / UNIT) + 1;
}

/* The place of that member, or the empty one where it would be put. */
static uint32_t find(const struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash)
{
    for (uint32_t i = loy_hash_place(hash, cache->mask);; i = (i + 1) & cache->mask) {
        const struct place *place = &cache->places[i];
        if (place->at == 0) {
            return i;
        }
        if (place->hash == hash) {
            const struct entry *entry = entry_of(cache, place);
            if (loy_str_equal((struct loy_str){entry->text, entry->id_len}, member_id)) {
                return i;
            }
        }
    }
}

/* The place that leads to the entry. */
static uint32_t place_of(const struct loy_account_cache *cache, const struct entry *entry)
{
    uint32_t at = at_of((size_t)((const char *)entry - cache->ring));
    uint32_t i = loy_hash_place(entry->hash, cache->mask);
    while (cache->places[i].at != at) {
        assert(cache->places[i].at != 0);
        i = (i + 1) & cache->mask;
    }
    return i;
}

/* What follows without a gap moves up, unless that were before its own first place. */
static void clear_place(struct loy_account_cache *cache, uint32_t hole)
{
    entry_of(cache, &cache->places[hole])->dead = true;
    for (uint32_t i = (hole + 1) & cache->mask; cache->places[i].at != 0; i = (i + 1) & cache->mask) {
        uint32_t first = loy_hash_place(cache->places[i].hash, cache->mask);
        if (((i - first) & cache->mask) >= ((i - hole) & cache->mask)) {
            cache->places[hole] = cache->places[i];
            hole = i;
        }
    }
    cache->places[hole].at = 0;
    cache->count--;
}

/* --- the ring -------------------------------------------------------------------------------------------------------
 */

/* The oldest entry leaves, or moves to the head: the room between does not change by that, it only moves on. */
static void drop_oldest(struct loy_account_cache *cache, uint32_t *moves)
{
    struct entry *entry = (struct entry *)(void *)(cache->ring + cache->tail);
    size_t bytes = (size_t)entry->units * UNIT;
    if (!entry->dead && entry->asked && cache->went_round && *moves > 0) {
        (*moves)--;
        entry->asked = false;
        cache->places[place_of(cache, entry)].at = at_of(cache->head);
        memmove(cache->ring + cache->head, entry, bytes);
        cache->head += bytes;
    } else if (!entry->dead) {
        clear_place(cache, place_of(cache, entry));
    }
    cache->tail += bytes;
    if (cache->went_round && cache->tail == cache->end) {
        cache->tail = 0;
        cache->went_round = false;
    }
    if (!cache->went_round && cache->tail == cache->head) {
        cache->tail = cache->head = 0;
    }
}

/* So many bytes, in one piece, at the head; they are no more than the ring has. */
static void make_room(struct loy_account_cache *cache, size_t bytes)
{
    uint32_t moves = MOVES_MAX;
    for (;;) {
        bool fits = (cache->went_round ? cache->tail : cache->size) - cache->head >= bytes;
        if (fits && cache->count < cache->count_max) {
            return;
        }
        if (fits || cache->went_round) {
            drop_oldest(cache, &moves);
        } else {
            cache->end = cache->head;
            cache->head = 0;
            cache->went_round = true;
        }
    }
}

/* --- rows -----------------------------------------------------------------------------------------------------------
 */

void loy_account_cache_expect(const struct loy_account_cache *cache, uint32_t hash, int step)
{
    uint32_t i = loy_hash_place(hash, cache->mask);
    if (step == 0) {
        __builtin_prefetch(&cache->places[i]);
        return;
    }
    while (cache->places[i].at != 0 && cache->places[i].hash != hash) {
        i = (i + 1) & cache->mask;
    }
    if (cache->places[i].at != 0) {
        const char *entry = (const char *)entry_of(cache, &cache->places[i]);
        if (step == 1) {
            loy_expect(entry, HEAD_NEAR);
        } else {
            loy_expect(entry + HEAD_NEAR, ROW_NEAR - HEAD_NEAR);
        }
    }
}

bool loy_account_cache_get(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash,
                           struct loy_member_row *ret_row)
{
    const struct place *place = &cache->places[find(cache, member_id, hash)];
    if (place->at == 0) {
        return false;
    }
    struct entry *entry = entry_of(cache, place);
    entry->asked = true;
    *ret_row = (struct loy_member_row){.k = entry->k,
                                       .n = entry->n,
                                       .member_id = {entry->text, entry->id_len},
                                       .seq = entry->seq,
                                       .version = entry->version,
                                       .digest = entry->digest,
                                       .state = {entry->text + entry->id_len, entry->state_len}};
    return true;
}

/* A new entry for that member, which has none. NULL: it is larger than all of the cache. */
static struct entry *append(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash, size_t text_len)
{
    size_t spare = text_len / 8; /* a state grows slowly */
    size_t bytes = (sizeof(struct entry) + text_len + spare + UNIT - 1) / UNIT * UNIT;
    if (text_len > cache->size || bytes > cache->size) {
        return NULL;
    }
    make_room(cache, bytes);
    cache->places[find(cache, member_id, hash)] = (struct place){hash, at_of(cache->head)};
    struct entry *entry = (struct entry *)(void *)(cache->ring + cache->head);
    *entry = (struct entry){.hash = hash, .units = (uint32_t)(bytes / UNIT)};
    cache->head += bytes;
    cache->count++;
    return entry;
}

void loy_account_cache_put(struct loy_account_cache *cache, const struct loy_member_row *row, uint32_t hash)
{
    size_t text_len = row->member_id.len + row->state.len;
    uint32_t i = find(cache, row->member_id, hash);
    struct entry *entry = cache->places[i].at ? entry_of(cache, &cache->places[i]) : NULL;
    if (entry && (size_t)entry->units * UNIT < sizeof *entry + text_len) {
        clear_place(cache, i);
        entry = NULL;
    }
    if (!entry && !(entry = append(cache, row->member_id, hash, text_len))) {
        return; /* a cache may lose anything */
    }
    entry->k = row->k;
    entry->n = row->n;
    entry->seq = row->seq;
    entry->version = row->version;
    entry->digest = row->digest;
    entry->id_len = (uint32_t)row->member_id.len;
    entry->state_len = (uint32_t)row->state.len;
    memcpy(entry->text, row->member_id.at, row->member_id.len);
    memcpy(entry->text + row->member_id.len, row->state.at, row->state.len);
}

void loy_account_cache_drop(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash)
{
    uint32_t i = find(cache, member_id, hash);
    if (cache->places[i].at != 0) {
        clear_place(cache, i);
    }
}

void loy_account_cache_drop_all(struct loy_account_cache *cache)
{
    memset(cache->places, 0, ((size_t)cache->mask + 1) * sizeof *cache->places);
    cache->count = 0;
    cache->tail = cache->head = 0;
    cache->went_round = false;
}

void loy_account_cache_destroy(struct loy_account_cache *cache)
{
    if (!cache) {
        return;
    }
    free(cache->ring);
    free(cache->places);
    free(cache);
}
