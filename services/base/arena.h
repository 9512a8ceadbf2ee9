/* Arena: memory for a batch or an event, given back all at once.
 *
 * A bump allocator over one block that its owner hands in (runtime/region.h maps a large one that costs memory only
 * where it is touched). Allocation fails with NULL when the block is full: the block's size is the hard cap. No heap.
 * Pure; one thread at a time. Test: tests/unit/test_arena.c. */
#ifndef LOY_BASE_ARENA_H
#define LOY_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* AddressSanitizer takes the whole block for one object. So that it sees a write past an allocation, or a read of what
 * was given back, a build with it leaves a poisoned gap behind each allocation and poisons what a reset frees. Memory
 * that was never allocated stays as it is: the block may serve its owner for something else later. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define LOY_WITH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define LOY_WITH_ASAN
#endif
#ifdef LOY_WITH_ASAN
#include <sanitizer/asan_interface.h>
#define LOY_POISON(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define LOY_UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
enum { LOY_ARENA_ALIGN = 16, LOY_ARENA_GAP = 16 };
#else
#define LOY_POISON(at, size) ((void)(at), (void)(size))
#define LOY_UNPOISON(at, size) ((void)(at), (void)(size))
enum { LOY_ARENA_ALIGN = 16, LOY_ARENA_GAP = 0 };
#endif

struct loy_arena {
    uint8_t *base; /* borrowed from whoever called init */
    size_t size;
    size_t used;
    size_t peak; /* highest `used` since init; for metrics and for giving pages back */
};

/* A place in the arena to return to. */
struct loy_arena_mark {
    size_t used;
};

/* Borrows block[0..size) until the arena is no longer used. */
void loy_arena_init(struct loy_arena *arena, void *block, size_t size);

/* What `size` bytes take where `left` are left: whole steps, so that the next ones are aligned. For this file only, as
 * is the next function. */
static inline size_t loy_arena_step(size_t size, size_t left)
{
    size_t step = ((size + LOY_ARENA_ALIGN - 1) & ~(size_t)(LOY_ARENA_ALIGN - 1)) + LOY_ARENA_GAP;
    return step < left ? step : left;
}

/* `size` bytes at place `from` are the latest allocation. */
static inline void loy_arena_take(struct loy_arena *arena, size_t from, size_t size)
{
    size_t step = loy_arena_step(size, arena->size - from);
    LOY_UNPOISON(arena->base + from, size);
    LOY_POISON(arena->base + from + size, step - size);
    arena->used = from + step;
    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }
}

/* size bytes aligned to 16, not cleared; NULL when they do not fit. size 0 gives a valid pointer. */
static inline void *loy_arena_alloc(struct loy_arena *arena, size_t size)
{
    if (size > arena->size - arena->used) {
        return NULL;
    }
    void *at = arena->base + arena->used;
    loy_arena_take(arena, arena->used, size);
    return at;
}

/* count × size bytes, cleared; NULL when they do not fit or the product overflows. */
static inline void *loy_arena_calloc(struct loy_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    void *at = loy_arena_alloc(arena, total);
    return at && total ? memset(at, 0, total) : at;
}

/* Makes the allocation of old_size bytes at `at` larger or smaller where it stands, when it is the latest one and there
 * is room; false: nothing changed. */
bool loy_arena_resize(struct loy_arena *arena, const void *at, size_t old_size, size_t new_size);

/* A copy of bytes[0..size); NULL when it does not fit. */
static inline void *loy_arena_copy(struct loy_arena *arena, const void *bytes, size_t size)
{
    void *at = loy_arena_alloc(arena, size);
    return at && size ? memcpy(at, bytes, size) : at;
}

/* Frees everything allocated since the mark. */
struct loy_arena_mark loy_arena_mark(const struct loy_arena *arena);
void loy_arena_reset_to(struct loy_arena *arena, struct loy_arena_mark mark);
void loy_arena_reset(struct loy_arena *arena);

/* One, or count, cleared objects of a type. */
#define LOY_NEW(arena, type) ((type *)loy_arena_calloc((arena), 1, sizeof(type)))
#define LOY_NEW_ARRAY(arena, type, count) ((type *)loy_arena_calloc((arena), (count), sizeof(type)))

#endif
