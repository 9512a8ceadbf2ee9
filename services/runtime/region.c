#include "runtime/region.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) / page * page;
}

enum loy_err loy_region_map(size_t size, struct loy_region *ret_region, struct loy_error *error)
{
    size_t whole = whole_pages(size);
    void *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "cannot map %zu bytes: %s", whole, strerror(errno));
    }
    *ret_region = (struct loy_region){block, whole};
    return LOY_OK;
}

void loy_region_unmap(struct loy_region *region)
{
    if (region->block) {
        (void)munmap(region->block, region->size);
    }
    *region = (struct loy_region){0};
}

void loy_region_arena(const struct loy_region *region, struct loy_arena *ret_arena)
{
    loy_arena_init(ret_arena, region->block, region->size);
}

void loy_region_reset(const struct loy_region *region, struct loy_arena *arena, size_t keep)
{
    loy_arena_reset(arena);
    if (arena->peak <= keep) {
        return; /* mostly, and some times an event */
    }
    size_t kept = whole_pages(keep);
    if (arena->peak <= kept || kept >= region->size) {
        return;
    }
    /* Cannot fail for our own mapping; if it did, the memory would only stay with us. */
    (void)madvise((char *)region->block + kept, region->size - kept, MADV_DONTNEED);
    arena->peak = 0;
}
