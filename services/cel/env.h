/* What an environment holds. Built once, then only read. Inside the room only.
 *
 * Pure; threads may share it once it is complete. Test: tests/unit/test_cel_check.c. */
#ifndef LOY_CEL_ENV_H
#define LOY_CEL_ENV_H

#include "cel/type.h"

enum {
    LOY_CEL_MAX_RECORDS = 4096,
    LOY_CEL_MAX_VARIABLES = 4096,
    LOY_CEL_MAX_FUNCTIONS = 1024,
    LOY_CEL_MAX_FIELDS = 65535
};

struct loy_cel_record_field {
    struct loy_str name;
    const struct loy_cel_type *type;
    uint32_t max_size;
    uint8_t decimals;
};

struct loy_cel_record_type {
    struct loy_str name;
    const struct loy_cel_type *type;
    struct loy_cel_record_field *fields;
    uint32_t count;
};

struct loy_cel_variable {
    struct loy_str name;
    const struct loy_cel_type *type;
};

struct loy_cel_host_function {
    struct loy_str name;
    struct loy_cel_function decl;
    const struct loy_cel_type *result;
    const struct loy_cel_type *params[LOY_CEL_MAX_PARAMS];
    uint32_t param_count;
};

struct loy_cel_env {
    struct loy_arena *arena;
    struct loy_cel_record_type *records;
    uint32_t record_count, record_capacity;
    struct loy_cel_variable *variables;
    uint32_t variable_count, variable_capacity;
    struct loy_cel_host_function *functions;
    uint32_t function_count, function_capacity;
    const struct loy_cel_matcher *matcher;
    const struct loy_cel_zone *zones;
    size_t zone_count;
};

/* Index, or -1. */
int32_t loy_cel_env_find_record(const struct loy_cel_env *env, struct loy_str name);
int32_t loy_cel_env_find_variable(const struct loy_cel_env *env, struct loy_str name);
int32_t loy_cel_env_find_field(const struct loy_cel_record_type *record, struct loy_str name);
/* The first function of a name; the other overloads may stand anywhere behind it. */
int32_t loy_cel_env_find_function(const struct loy_cel_env *env, struct loy_str name, bool is_method);
const struct loy_zone *loy_cel_env_find_zone(const struct loy_cel_env *env, struct loy_str name);

#endif
