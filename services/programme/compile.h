/* Compile: a checked tree to the engine's programme, in parts. Inside the room only.
 *
 * Every part reads what it can and skips what the checks refused already, so that all parts report what is wrong in one
 * pass. Pure but for what struct loy_programme_given hands in; one thread. Test: tests/unit/test_programme_compile.c.
 */
#ifndef LOY_PROGRAMME_COMPILE_H
#define LOY_PROGRAMME_COMPILE_H

#include "cel/cel.h"
#include "programme/programme_file.h"
#include "programme/yaml.h"

enum { LOY_COMPILE_ZONES_MAX = 32 };

struct loy_compile {
    const struct loy_programme_given *given;
    struct loy_arena *arena;
    struct loy_programme_issues *issues;
    const struct loy_yaml *root;
    struct loy_programme *programme;
    struct loy_wallet *wallets; /* by number */
    struct loy_segment *segments;
    const struct loy_yaml **segment_nodes; /* where each segment's condition stands */
    struct loy_rule *rules;
    const struct loy_yaml **rule_nodes; /* in the order of the file; rules are sorted later */
    uint32_t rule_count, rule_capacity;
    struct loy_budget *budgets;
    const struct loy_yaml **budget_nodes;
    uint32_t budget_count;
    struct loy_stack_group *groups;
    uint32_t group_count;
    uint32_t counters, funders; /* numbers given out where none are handed in */
    struct loy_str *funder_ids;
    struct loy_cel_zone *zones; /* those that expressions may name */
    uint32_t zone_count;
    bool full; /* the arena */
};

#define LOY_COMPILE_ERROR(compile, node, ...)                                                                          \
    loy_issues_add((compile)->issues, LOY_ISSUE_ERROR, (node)->line, (node)->column, __VA_ARGS__)
#define LOY_COMPILE_WARNING(compile, node, ...)                                                                        \
    loy_issues_add((compile)->issues, LOY_ISSUE_WARNING, (node)->line, (node)->column, __VA_ARGS__)

/* --- compile_values.c: values of a key, the fallback where it is missing or wrong --- */
struct loy_str loy_compile_text(const struct loy_yaml *map, const char *key);
int64_t loy_compile_decimal(const struct loy_yaml *map, const char *key, int scale, int64_t fallback);
bool loy_compile_bool(const struct loy_yaml *map, const char *key, bool fallback);
struct loy_period loy_compile_period(const struct loy_yaml *map, const char *key, int64_t fallback_us);
/* Of the map's key `dates`, as "12-31": their number. */
uint32_t loy_compile_dates(struct loy_compile *compile, const struct loy_yaml *map,
                           const struct loy_month_day **ret_dates);
/* Of the map's key `expiry`, in its short form or as a map; all zero without one. */
void loy_compile_expiry(struct loy_compile *compile, const struct loy_yaml *map, struct loy_expiry *ret_expiry);
int64_t loy_compile_moment(const struct loy_compile *compile, const struct loy_yaml *map, const char *key,
                           int64_t fallback);
/* A text or a list of them. */
struct loy_text_set loy_compile_texts(struct loy_compile *compile, const struct loy_yaml *map, const char *key);
/* Place of a choice among the words of a blank-separated list; -1: none. Of lists: bits. */
int loy_compile_choice(const struct loy_yaml *map, const char *key, const char *words);
uint32_t loy_compile_bits(const struct loy_yaml *map, const char *key, const char *words);
/* The i-th map of a key that holds one or a list of them; NULL past the last. */
const struct loy_yaml *loy_compile_one_of(const struct loy_yaml *map, const char *key, uint32_t i);
/* count zeroed elements of size; sets compile->full when there is no room. */
void *loy_compile_room(struct loy_compile *compile, size_t count, size_t size);
/* A number of the dictionary; reports at node where there is none. */
int32_t loy_compile_number(struct loy_compile *compile, const char *kind, struct loy_str id, int32_t in_order,
                           const struct loy_yaml *node);

/* --- compile_zones.c: reports the names of constants that are no zone --- */
void loy_compile_zones(struct loy_compile *compile);

/* --- compile_cel.c --- */
void loy_compile_facts(struct loy_compile *compile); /* windows that are named, and the environment */
/* NULL when node is NULL, no text, or has issues, which are reported at their place in the file. */
const struct loy_cel_program *loy_compile_cel(struct loy_compile *compile, const struct loy_yaml *node,
                                              const char *result);

/* --- never.c: parts of a condition that can never be true --- */
void loy_compile_never(struct loy_compile *compile, const struct loy_yaml *node, const struct loy_cel_program *program);

/* --- bare_money.c: amounts compared with a number whose unit may not be what its author thought --- */
void loy_compile_bare_money(struct loy_compile *compile, const struct loy_yaml *node,
                            const struct loy_cel_program *program);

/* --- compile_rule.c --- */
void loy_compile_caps(struct loy_compile *compile, const struct loy_yaml *map, const struct loy_cap **ret_caps,
                      uint32_t *ret_count);
int32_t loy_compile_wallet(struct loy_compile *compile, const struct loy_yaml *id);
void loy_compile_rules(struct loy_compile *compile);

/* --- compile_reward.c --- */
void loy_compile_reward(struct loy_compile *compile, const struct loy_yaml *map, struct loy_rule *rule);

/* --- warn.c: what is allowed and probably wrong; before the rules are sorted --- */
void loy_compile_warn(struct loy_compile *compile);

#endif
