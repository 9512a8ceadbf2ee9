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

/* size bytes aligned to 16, not cleared; NULL when they do not fit. size 0 gives a valid pointer. */
void *loy_arena_alloc(struct loy_arena *arena, size_t size);

/* count × size bytes, cleared; NULL when they do not fit or the product overflows. */
void *loy_arena_calloc(struct loy_arena *arena, size_t count, size_t size);

/* Makes the allocation of old_size bytes at `at` larger or smaller where it stands, when it is the latest one and there
 * is room; false: nothing changed. */
bool loy_arena_resize(struct loy_arena *arena, const void *at, size_t old_size, size_t new_size);

/* A copy of bytes[0..size); NULL when it does not fit. */
void *loy_arena_copy(struct loy_arena *arena, const void *bytes, size_t size);

/* Frees everything allocated since the mark. */
struct loy_arena_mark loy_arena_mark(const struct loy_arena *arena);
void loy_arena_reset_to(struct loy_arena *arena, struct loy_arena_mark mark);
void loy_arena_reset(struct loy_arena *arena);

/* One, or count, cleared objects of a type. */
#define LOY_NEW(arena, type) ((type *)loy_arena_calloc((arena), 1, sizeof(type)))
#define LOY_NEW_ARRAY(arena, type, count) ((type *)loy_arena_calloc((arena), (count), sizeof(type)))

#endif
