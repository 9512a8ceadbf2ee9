/* The rows of config.h's table as data, and how one value is read: shared by config.c and config_write.c only.
 *
 * Pure but for loy_config_row. Test: tests/unit/test_runtime_config.c. */
#ifndef LOY_RUNTIME_CONFIG_ROWS_H
#define LOY_RUNTIME_CONFIG_ROWS_H

#include "base/arena.h"
#include "runtime/config.h"

#include <stddef.h>

enum loy_config_kind {
    LOY_KIND_STRING,
    LOY_KIND_SECRET,
    LOY_KIND_INT,
    LOY_KIND_BOOL,
    LOY_KIND_ENUM,
    LOY_KIND_CHOICE,
    LOY_KIND_LIST,
};

struct loy_config_row {
    const char *key;
    enum loy_config_kind kind;
    const char *by_default;
    int64_t min;
    int64_t max;
    const char *choices; /* separated by |; NULL: none */
    int programs;
    const char *help;
    size_t at; /* offset of the field in struct loy_config */
};

enum { LOY_CONFIG_ALLOWED_MAX = 160 };

/* By enum loy_config_key; borrowed, constant. */
const struct loy_config_row *loy_config_row(int key);
/* What a value may be, in words: "a whole number from 1 to 64". */
void loy_config_allowed(const struct loy_config_row *row, char ret_words[LOY_CONFIG_ALLOWED_MAX]);
/* Reads text (NUL-terminated, kept by the caller) into the row's field. False when it is not allowed, or when the arena
 * of a list is full. */
LOY_MUST_USE bool loy_config_parse(const struct loy_config_row *row, const char *text, struct loy_arena *arena,
                                   struct loy_config *config);
/* The key among all that is nearest to a misspelt one (with its _file forms), into ret_key; false: nothing is near. */
LOY_MUST_USE bool loy_config_nearest(const char *wrong, char ret_key[64]);

#endif
