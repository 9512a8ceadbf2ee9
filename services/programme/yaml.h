/* YAML: a programme's text as a tree whose every key and value knows its place.
 *
 * The part of YAML on which all its versions and readers agree: maps, lists, texts; no anchors, aliases, tags, merges,
 * duplicate keys, or bare words that YAML 1.1 and 1.2 read differently (on, yes, 18:00, 1_000, 010 …). Whatever else
 * is found is an issue with advice. Values are texts here: what they mean is keys.h's.
 * Libyaml reads the bytes and takes heap while it does; the tree is in the arena. One thread.
 * Test: tests/unit/test_programme_yaml.c. */
#ifndef LOY_PROGRAMME_YAML_H
#define LOY_PROGRAMME_YAML_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "programme/issue.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOY_YAML_BYTES_MAX = 2 << 20,
    LOY_YAML_DEPTH_MAX = 24,
    LOY_YAML_NODES_MAX = 100000,
};

enum loy_yaml_kind { LOY_YAML_TEXT, LOY_YAML_LIST, LOY_YAML_MAP };

struct loy_yaml {
    enum loy_yaml_kind kind;
    uint32_t line, column; /* of the value, from 1; columns count code points */
    struct loy_str text;   /* TEXT, escapes undone */
    bool quoted;           /* TEXT in quotes of either sort, or a block */
    bool double_quoted;
    bool refused;       /* the text itself is an issue already: what it means is nobody's business */
    struct loy_str key; /* in a map */
    bool key_refused;
    uint32_t key_line, key_column;
    struct loy_yaml *first, *last, *next; /* children of a list or map, in the order of the file */
    uint32_t count;
};

/* The tree, or NULL when the text is no YAML at all; everything that is wrong stands in *issues.
 * LOY_ERR_NO_MEMORY when the arena is full. */
LOY_MUST_USE enum loy_err loy_yaml_read(struct loy_str text, struct loy_arena *arena, struct loy_yaml **ret_root,
                                        struct loy_programme_issues *issues);
/* The value under a key of a map; NULL when node is NULL, no map, or has none. */
const struct loy_yaml *loy_yaml_get(const struct loy_yaml *node, const char *key);
/* Where byte `offset` of a text's value stands in the file: escapes and folded lines taken into account. */
void loy_yaml_place(struct loy_str file, const struct loy_yaml *node, size_t offset, uint32_t *ret_line,
                    uint32_t *ret_column);
/* Why a bare text would be read differently by YAML 1.1 and 1.2; NULL when it would not. */
const char *loy_yaml_bare_danger(struct loy_str text);
/* What to write instead of a dangerous one. */
const char *loy_yaml_bare_advice(struct loy_str text);

#endif
