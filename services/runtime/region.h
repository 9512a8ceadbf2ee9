/* Region: a large block of addresses for an arena, which costs memory only where it was touched.
 *
 * Impure (mmap). One thread at a time. Test: tests/unit/test_runtime_region.c. */
#ifndef LOY_RUNTIME_REGION_H
#define LOY_RUNTIME_REGION_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

struct loy_region {
    void *block;
    size_t size;
};

/* size is rounded up to whole pages. LOY_ERR_NO_MEMORY when the addresses are not to be had. */
LOY_MUST_USE enum loy_err loy_region_map(size_t size, struct loy_region *ret_region, struct loy_error *error);
/* Takes a zeroed struct too. */
void loy_region_unmap(struct loy_region *region);

/* An arena over the whole region. */
void loy_region_arena(const struct loy_region *region, struct loy_arena *ret_arena);
/* Empties the arena; when more than keep bytes of it were used, gives the pages above them back to the system. */
void loy_region_reset(const struct loy_region *region, struct loy_arena *arena, size_t keep);

#endif
