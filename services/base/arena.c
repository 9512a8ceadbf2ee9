#include "base/arena.h"

#include <assert.h>

void loy_arena_init(struct loy_arena *arena, void *block, size_t size)
{
    assert(block || size == 0);
    uintptr_t at = (uintptr_t)block;
    size_t skip = (LOY_ARENA_ALIGN - at % LOY_ARENA_ALIGN) % LOY_ARENA_ALIGN;
    LOY_UNPOISON(block, size);
    *arena = (struct loy_arena){.base = block}; /* an empty one too gives a pointer for nothing */
    if (size > skip) {
        arena->base = (uint8_t *)block + skip;
        arena->size = size - skip;
    }
}

bool loy_arena_resize(struct loy_arena *arena, const void *at, size_t old_size, size_t new_size)
{
    size_t from = (size_t)((const uint8_t *)at - arena->base);
    size_t end = arena->used;
    if (from + loy_arena_step(old_size, arena->size - from) != end || new_size > arena->size - from) {
        return false;
    }
    loy_arena_take(arena, from, new_size);
    if (arena->used < end) {
        LOY_POISON(arena->base + arena->used, end - arena->used);
    }
    return true;
}

struct loy_arena_mark loy_arena_mark(const struct loy_arena *arena)
{
    return (struct loy_arena_mark){arena->used};
}

void loy_arena_reset_to(struct loy_arena *arena, struct loy_arena_mark mark)
{
    assert(mark.used <= arena->used);
    LOY_POISON(arena->base + mark.used, arena->used - mark.used);
    arena->used = mark.used;
}

void loy_arena_reset(struct loy_arena *arena)
{
    loy_arena_reset_to(arena, (struct loy_arena_mark){0});
}
