#include "adapters/regex/regex.h"

#include "adapters/regex/re2.h"

#include <stdio.h>
#include <stdlib.h>

/* Every pattern that was compiled, to be freed with the matcher. */
struct pattern {
    struct pattern *next;
    void *re2;
};

struct loy_regex {
    struct loy_cel_matcher matcher;
    struct pattern *patterns;
};

static const void *compile(void *context, struct loy_str text, char *ret_reason, size_t reason_size)
{
    struct loy_regex *regex = context;
    if (text.len > LOY_REGEX_MAX_PATTERN) {
        (void)snprintf(ret_reason, reason_size, "longer than %d bytes", LOY_REGEX_MAX_PATTERN);
        return NULL;
    }
    struct pattern *pattern = calloc(1, sizeof *pattern);
    if (!pattern) {
        (void)snprintf(ret_reason, reason_size, "out of memory");
        return NULL;
    }
    pattern->re2 = loy_re2_new(text.at, text.len, LOY_REGEX_MEMORY, ret_reason, reason_size);
    if (!pattern->re2) {
        free(pattern);
        return NULL;
    }
    pattern->next = regex->patterns;
    regex->patterns = pattern;
    return pattern->re2;
}

static bool search(const void *compiled, struct loy_str text)
{
    return loy_re2_search(compiled, text.at, text.len) == 1;
}

static int search_once(void *context, struct loy_str pattern, struct loy_str text)
{
    (void)context;
    char reason[64];
    if (pattern.len > LOY_REGEX_MAX_PATTERN) {
        return -1;
    }
    void *re2 = loy_re2_new(pattern.at, pattern.len, LOY_REGEX_MEMORY, reason, sizeof reason);
    if (!re2) {
        return -1;
    }
    int found = loy_re2_search(re2, text.at, text.len);
    loy_re2_delete(re2);
    return found;
}

struct loy_regex *loy_regex_new(void)
{
    struct loy_regex *regex = calloc(1, sizeof *regex);
    if (regex) {
        regex->matcher = (struct loy_cel_matcher){regex, compile, search, search_once};
    }
    return regex;
}

void loy_regex_destroy(struct loy_regex *regex)
{
    while (regex && regex->patterns) {
        struct pattern *pattern = regex->patterns;
        regex->patterns = pattern->next;
        loy_re2_delete(pattern->re2);
        free(pattern);
    }
    free(regex);
}

const struct loy_cel_matcher *loy_regex_matcher(const struct loy_regex *regex)
{
    return &regex->matcher;
}
