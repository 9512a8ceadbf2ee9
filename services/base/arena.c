#include "base/arena.h"

#include <assert.h>
#include <string.h>

enum { ALIGN = 16 };

/* AddressSanitizer takes the whole block for one object. So that it sees a write past an allocation, or a read of what
 * was given back, a build with it leaves a poisoned gap behind each allocation and poisons what a reset frees. Memory
 * that was never allocated stays as it is: the block may serve its owner for something else later. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
enum { GAP = 0 };
#endif

void loy_arena_init(struct loy_arena *arena, void *block, size_t size)
{
    assert(block || size == 0);
    uintptr_t at = (uintptr_t)block;
    size_t skip = (ALIGN - at % ALIGN) % ALIGN;
    ASAN_UNPOISON_MEMORY_REGION(block, size);
    *arena = (struct loy_arena){.base = block}; /* an empty one too gives a pointer for nothing */
    if (size > skip) {
        arena->base = (uint8_t *)block + skip;
        arena->size = size - skip;
    }
}

/* What `size` bytes take where `left` are left: whole steps, so that the next ones are aligned. */
static size_t step_of(size_t size, size_t left)
{
    size_t step = ((size + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + GAP;
    return step < left ? step : left;
}

/* `size` bytes at place `from` are the latest allocation. */
static void take(struct loy_arena *arena, size_t from, size_t size)
{
    size_t step = step_of(size, arena->size - from);
    ASAN_UNPOISON_MEMORY_REGION(arena->base + from, size);
    ASAN_POISON_MEMORY_REGION(arena->base + from + size, step - size);
    arena->used = from + step;
    if (arena->used > arena->peak) {
        arena->peak = arena->used;
    }
}

void *loy_arena_alloc(struct loy_arena *arena, size_t size)
{
    if (size > arena->size - arena->used) {
        return NULL;
    }
    void *at = arena->base + arena->used;
    take(arena, arena->used, size);
    return at;
}

bool loy_arena_resize(struct loy_arena *arena, const void *at, size_t old_size, size_t new_size)
{
    size_t from = (size_t)((const uint8_t *)at - arena->base);
    size_t end = arena->used;
    if (from + step_of(old_size, arena->size - from) != end || new_size > arena->size - from) {
        return false;
    }
    take(arena, from, new_size);
    if (arena->used < end) {
        ASAN_POISON_MEMORY_REGION(arena->base + arena->used, end - arena->used);
    }
    return true;
}

void *loy_arena_calloc(struct loy_arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    void *at = loy_arena_alloc(arena, total);
    return at && total ? memset(at, 0, total) : at;
}

void *loy_arena_copy(struct loy_arena *arena, const void *bytes, size_t size)
{
    void *at = loy_arena_alloc(arena, size);
    return at && size ? memcpy(at, bytes, size) : at;
}

struct loy_arena_mark loy_arena_mark(const struct loy_arena *arena)
{
    return (struct loy_arena_mark){arena->used};
}

void loy_arena_reset_to(struct loy_arena *arena, struct loy_arena_mark mark)
{
    assert(mark.used <= arena->used);
    ASAN_POISON_MEMORY_REGION(arena->base + mark.used, arena->used - mark.used);
    arena->used = mark.used;
}

void loy_arena_reset(struct loy_arena *arena)
{
    loy_arena_reset_to(arena, (struct loy_arena_mark){0});
}
