#include "worker/account_cache.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

/* One row: the entry, then its member id and state. */
struct entry {
    struct entry *chain; /* same bucket */
    struct entry *newer, *older;
    struct loy_member_row row;
    uint32_t hash;
    size_t capacity; /* of text */
    char text[];
};

struct loy_account_cache {
    struct entry **buckets;
    uint32_t mask;
    struct entry *newest, *oldest;
    size_t bytes, bytes_max;
};

enum { TYPICAL_ENTRY = 512, CPU_LINE = 64 };

struct loy_account_cache *loy_account_cache_new(size_t bytes_max)
{
    struct loy_account_cache *cache = calloc(1, sizeof *cache);
    uint32_t buckets = 64;
    while (buckets < bytes_max / TYPICAL_ENTRY && buckets < UINT32_C(1) << 24) {
        buckets *= 2;
    }
    if (!cache || !(cache->buckets = calloc(buckets, sizeof(struct entry *)))) {
        free(cache);
        return NULL;
    }
    cache->mask = buckets - 1;
    cache->bytes_max = bytes_max;
    return cache;
}

static void unlink_from_list(struct loy_account_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct loy_account_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

/* Where the pointer to the entry of that member stands, or the end of its bucket. */
static struct entry **find(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash)
{
    struct entry **at = &cache->buckets[loy_hash_place(hash, cache->mask)];
    while (*at && !((*at)->hash == hash && loy_str_equal((*at)->row.member_id, member_id))) {
        at = &(*at)->chain;
    }
    return at;
}

void loy_account_cache_expect(const struct loy_account_cache *cache, uint32_t hash, int step)
{
    struct entry *const *bucket = &cache->buckets[loy_hash_place(hash, cache->mask)];
    if (step == 0) {
        __builtin_prefetch(bucket);
        return;
    }
    const struct entry *entry = *bucket;
    if (entry && step == 1) {
        __builtin_prefetch(entry);
        __builtin_prefetch(entry->text);
    } else if (entry) {
        __builtin_prefetch(entry->newer);
        __builtin_prefetch(entry->older);
        __builtin_prefetch(entry->text + CPU_LINE);
        __builtin_prefetch(entry->text + 2 * CPU_LINE);
    }
}

static void drop_at(struct loy_account_cache *cache, struct entry **at)
{
    struct entry *entry = *at;
    assert(entry); /* the caller found it */
    *at = entry->chain;
    unlink_from_list(cache, entry);
    cache->bytes -= sizeof *entry + entry->capacity;
    free(entry);
}

bool loy_account_cache_get(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash,
                           struct loy_member_row *ret_row)
{
    struct entry *entry = *find(cache, member_id, hash);
    if (!entry) {
        return false;
    }
    unlink_from_list(cache, entry);
    link_newest(cache, entry);
    *ret_row = entry->row;
    return true;
}

/* An entry with room for the row's text: the one at *at when it is large enough, a new one in its place otherwise. */
static struct entry *entry_for(struct loy_account_cache *cache, struct entry **at, size_t text_len)
{
    if (*at && (*at)->capacity >= text_len) {
        return *at; /* where it stands in the list: the get before moved it to the front */
    }
    if (*at) {
        drop_at(cache, at);
    }
    size_t capacity = (text_len + text_len / 8 + 31) & ~(size_t)31; /* a state grows slowly */
    struct entry *entry = malloc(sizeof *entry + capacity);
    if (!entry) {
        return NULL;
    }
    entry->capacity = capacity;
    entry->chain = *at;
    *at = entry;
    cache->bytes += sizeof *entry + capacity;
    link_newest(cache, entry);
    return entry;
}

void loy_account_cache_put(struct loy_account_cache *cache, const struct loy_member_row *row, uint32_t hash)
{
    struct entry **at = find(cache, row->member_id, hash);
    struct entry *entry = entry_for(cache, at, row->member_id.len + row->state.len);
    if (!entry) {
        return; /* a cache may lose anything */
    }
    memcpy(entry->text, row->member_id.at, row->member_id.len);
    memcpy(entry->text + row->member_id.len, row->state.at, row->state.len);
    entry->hash = hash;
    entry->row = *row;
    entry->row.member_id.at = entry->text;
    entry->row.state.at = entry->text + row->member_id.len;
    while (cache->bytes > cache->bytes_max && cache->oldest) {
        drop_at(cache, find(cache, cache->oldest->row.member_id, cache->oldest->hash));
    }
}

void loy_account_cache_drop(struct loy_account_cache *cache, struct loy_str member_id, uint32_t hash)
{
    struct entry **at = find(cache, member_id, hash);
    if (*at) {
        drop_at(cache, at);
    }
}

void loy_account_cache_drop_all(struct loy_account_cache *cache)
{
    while (cache->oldest) {
        drop_at(cache, find(cache, cache->oldest->row.member_id, cache->oldest->hash));
    }
}

void loy_account_cache_destroy(struct loy_account_cache *cache)
{
    if (!cache) {
        return;
    }
    loy_account_cache_drop_all(cache);
    free(cache->buckets);
    free(cache);
}
