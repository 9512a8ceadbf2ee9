#include "sim/world.h"

#include "base/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *sim_happening_name(enum sim_happening happening)
{
    static const char *const names[] = {
#define SIM_HAPPENING_NAME(symbol, name) [SIM_##symbol] = name,
        SIM_HAPPENINGS(SIM_HAPPENING_NAME)
#undef SIM_HAPPENING_NAME
    };
    return names[happening];
}

/* --- memory --- */

enum { CHUNK_BYTES = 1 << 16 };

struct sim_chunk {
    struct sim_chunk *next;
    size_t used;
    size_t size;
    _Alignas(16) char bytes[];
};

void *sim_alloc(struct sim_pool *pool, size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;
    if (!pool->chunk || pool->chunk->size - pool->chunk->used < need) {
        size_t room = need > CHUNK_BYTES ? need : CHUNK_BYTES;
        struct sim_chunk *chunk = calloc(1, sizeof *chunk + room);
        if (!chunk) {
            abort();
        }
        chunk->size = room;
        chunk->next = pool->chunk;
        pool->chunk = chunk;
    }
    void *at = pool->chunk->bytes + pool->chunk->used;
    pool->chunk->used += need;
    return at;
}

struct loy_str sim_copy(struct sim_pool *pool, struct loy_str text)
{
    char *at = sim_alloc(pool, text.len + 1);
    if (text.len > 0) {
        memcpy(at, text.at, text.len);
    }
    return (struct loy_str){at, text.len};
}

void sim_pool_fini(struct sim_pool *pool)
{
    while (pool->chunk) {
        struct sim_chunk *next = pool->chunk->next;
        free(pool->chunk);
        pool->chunk = next;
    }
}

void *sim_grow(void *at, size_t count, size_t size)
{
    void *moved = realloc(at, count > 0 ? count * size : 1);
    if (!moved) {
        abort();
    }
    return moved;
}

/* --- index --- */

struct sim_map_slot {
    struct loy_str key;
    int32_t value; /* + 1; 0: empty */
};

static struct sim_map_slot *slot_of(const struct sim_map *map, struct loy_str key)
{
    uint32_t at = loy_murmur2(key) & map->mask;
    while (map->slots[at].value != 0 && !loy_str_equal(map->slots[at].key, key)) {
        at = (at + 1) & map->mask;
    }
    return &map->slots[at];
}

int32_t sim_map_find(const struct sim_map *map, struct loy_str key)
{
    return map->slots ? slot_of(map, key)->value - 1 : -1;
}

static void map_double(struct sim_map *map)
{
    struct sim_map bigger = {.mask = map->slots ? map->mask * 2 + 1 : 63};
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (!bigger.slots) {
        abort();
    }
    for (uint32_t i = 0; map->slots && i <= map->mask; i++) {
        if (map->slots[i].value != 0) {
            *slot_of(&bigger, map->slots[i].key) = map->slots[i];
        }
    }
    bigger.used = map->used;
    free(map->slots);
    *map = bigger;
}

void sim_map_put(struct sim_map *map, struct loy_str key, int32_t value)
{
    if (!map->slots || map->used * 2 > map->mask) {
        map_double(map);
    }
    struct sim_map_slot *slot = slot_of(map, key);
    if (slot->value == 0) {
        map->used++;
        slot->key = key;
    }
    slot->value = value + 1;
}

void sim_map_fini(struct sim_map *map)
{
    free(map->slots);
    *map = (struct sim_map){0};
}

/* --- the world --- */

void sim_world_init(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){.seed = seed, .rng_state = seed * 0x9e3779b97f4a7c15U + 1};
    world->now_us = (int64_t)1800000000 * 1000000; /* 15 January 2027 */
}

void sim_world_fini(struct sim_world *world)
{
    sim_pool_fini(&world->pool);
}

/* splitmix64 (Steele, Lea, Flood 2014): small, and good enough to choose faults with. */
uint64_t sim_random(struct sim_world *world)
{
    uint64_t z = world->rng_state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim_world *world, uint64_t bound)
{
    return bound > 1 ? sim_random(world) % bound : 0;
}

int64_t sim_between(struct sim_world *world, int64_t low, int64_t high)
{
    return low + (int64_t)sim_below(world, (uint64_t)(high - low) + 1);
}

bool sim_chance(struct sim_world *world, uint32_t per_mille)
{
    return per_mille > 0 && sim_random(world) % 1000 < per_mille;
}

int64_t sim_soon(struct sim_world *world)
{
    return world->now_us + (int64_t)sim_below(world, (uint64_t)world->wire_us);
}

void sim_touch(struct sim_world *world)
{
    if (world->fuse > 0 && --world->fuse == 0) {
        longjmp(world->on_death, 1);
    }
}

void sim_happened(struct sim_world *world, enum sim_happening happening)
{
    world->counts[happening]++;
}

void sim_say(struct sim_world *world, const char *who, const char *format, ...)
{
    if (!world->trace) {
        return;
    }
    printf("%12.6f %-8s ", (double)(world->now_us % ((int64_t)1000000 * 1000000)) / 1e6, who);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* --- clock --- */

static int64_t clock_monotonic_us(void *self)
{
    return ((struct sim_clock *)self)->world->now_us;
}

static int64_t clock_wall_us(void *self)
{
    struct sim_clock *clock = self;
    return clock->world->now_us + clock->wall_offset_us;
}

struct loy_clock sim_clock_port(struct sim_clock *clock)
{
    return (struct loy_clock){.monotonic_us = clock_monotonic_us, .wall_us = clock_wall_us, .self = clock};
}
