/* RE2 as C sees it. Inside the room only. Any thread. Test: tests/unit/test_regex.c. */
#ifndef LOY_ADAPTERS_REGEX_RE2_H
#define LOY_ADAPTERS_REGEX_RE2_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* NULL with a NUL-terminated reason when the pattern is none, or needs more than max_memory bytes. */
void *loy_re2_new(const char *pattern, size_t len, int64_t max_memory, char *ret_reason, size_t reason_size);
void loy_re2_delete(void *re2);
/* 1: found somewhere in the text, 0: not. */
int loy_re2_search(const void *re2, const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
