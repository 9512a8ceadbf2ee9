/* What is read soon: asks the processor to bring it near while there is something else to do.
 *
 * Changes nothing, whatever the address: one that is not there is ignored. Pure; any thread. No test: only the clock
 * (`make bench`) sees a difference. */
#ifndef LOY_BASE_EXPECT_H
#define LOY_BASE_EXPECT_H

#include <stddef.h>
#include <stdint.h>

enum { LOY_CPU_LINE = 64 }; /* bytes that come at once */

/* All lines of the first `size` bytes from `at`. */
static inline void loy_expect(const void *at, size_t size)
{
    for (size_t from = 0; from < size; from += LOY_CPU_LINE) {
        __builtin_prefetch((const void *)((uintptr_t)at + from)); /* a sum of numbers: `at` may be NULL */
    }
}

#endif
