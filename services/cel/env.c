#include "cel/env.h"

#include "cel/functions.h"

#include <assert.h>

struct loy_cel_env *loy_cel_env_new(struct loy_arena *arena)
{
    struct loy_cel_env *env = LOY_NEW(arena, struct loy_cel_env);
    if (env) {
        env->arena = arena;
    }
    return env;
}

/* Room for one more of `size` bytes behind count; the old rows stay in the arena. */
static bool grow(struct loy_arena *arena, void **rows, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    uint32_t wanted = *capacity ? *capacity * 2 : 16;
    void *moved = loy_arena_calloc(arena, wanted, size);
    if (!moved) {
        return false;
    }
    if (count) {
        memcpy(moved, *rows, count * size);
    }
    *rows = moved;
    *capacity = wanted;
    return true;
}

static enum loy_err full(struct loy_error *error)
{
    return loy_error_set(error, LOY_ERR_NO_MEMORY, "cel: the environment's arena is full");
}

int32_t loy_cel_env_find_record(const struct loy_cel_env *env, struct loy_str name)
{
    for (uint32_t i = 0; env && i < env->record_count; i++) {
        if (loy_str_equal(env->records[i].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t loy_cel_env_find_variable(const struct loy_cel_env *env, struct loy_str name)
{
    for (uint32_t i = 0; i < env->variable_count; i++) {
        if (loy_str_equal(env->variables[i].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t loy_cel_env_find_field(const struct loy_cel_record_type *record, struct loy_str name)
{
    for (uint32_t i = 0; i < record->count; i++) {
        if (loy_str_equal(record->fields[i].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t loy_cel_env_find_function(const struct loy_cel_env *env, struct loy_str name, bool is_method)
{
    for (uint32_t i = 0; i < env->function_count; i++) {
        if (env->functions[i].decl.is_method == is_method && loy_str_equal(env->functions[i].name, name)) {
            return (int32_t)i;
        }
    }
    return -1;
}

const struct loy_zone *loy_cel_env_find_zone(const struct loy_cel_env *env, struct loy_str name)
{
    for (size_t i = 0; i < env->zone_count; i++) {
        if (loy_str_equal(loy_str(env->zones[i].name), name)) {
            return &env->zones[i].zone;
        }
    }
    return NULL;
}

static const struct loy_cel_type *whole_type(const struct loy_cel_env *env, const char *text)
{
    struct loy_cel_type_reader reader = {.env = env, .arena = env->arena, .text = loy_str(text)};
    const struct loy_cel_type *type = loy_cel_type_read(&reader);
    return type && reader.at == reader.text.len && reader.param_count == 0 ? type : NULL;
}

static enum loy_err add_field(const struct loy_cel_env *env, struct loy_cel_record_type *record,
                              const struct loy_cel_field *field, struct loy_error *error)
{
    struct loy_str name = loy_str(field->name);
    if (name.len == 0 || loy_cel_env_find_field(record, name) >= 0) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: %.*s has the field '%s' twice",
                             LOY_STR_ARG(record->name), field->name);
    }
    const struct loy_cel_type *type = whole_type(env, field->type);
    if (!type) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: '%s' of %.*s.%s is no type", field->type,
                             LOY_STR_ARG(record->name), field->name);
    }
    uint32_t size = field->max_size ? field->max_size : LOY_CEL_DEFAULT_SIZE;
    record->fields[record->count++] = (struct loy_cel_record_field){name, type, size, field->decimals};
    return LOY_OK;
}

enum loy_err loy_cel_env_add_record(struct loy_cel_env *env, const char *name, const struct loy_cel_field *fields,
                                    size_t count, uint32_t *ret_id, struct loy_error *error)
{
    if (loy_cel_env_find_record(env, loy_str(name)) >= 0 || count > LOY_CEL_MAX_FIELDS ||
        env->record_count == LOY_CEL_MAX_RECORDS) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: the record '%s' is there already, or too large", name);
    }
    if (!grow(env->arena, (void **)&env->records, env->record_count, &env->record_capacity, sizeof *env->records)) {
        return full(error);
    }
    struct loy_cel_record_type record = {.name = loy_str(name)};
    record.type = loy_cel_type_new(env->arena, LOY_CEL_RECORD, record.name, env->record_count, NULL, 0);
    record.fields = LOY_NEW_ARRAY(env->arena, struct loy_cel_record_field, count);
    if (!record.type || !record.fields) {
        return full(error);
    }
    for (size_t i = 0; i < count; i++) {
        enum loy_err err = add_field(env, &record, &fields[i], error);
        if (err != LOY_OK) {
            return err;
        }
    }
    *ret_id = env->record_count;
    env->records[env->record_count++] = record;
    return LOY_OK;
}

enum loy_err loy_cel_env_add_variable(struct loy_cel_env *env, const char *name, const char *type, uint32_t *ret_slot,
                                      struct loy_error *error)
{
    if (!*name || loy_cel_env_find_variable(env, loy_str(name)) >= 0 || env->variable_count == LOY_CEL_MAX_VARIABLES) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: the variable '%s' is there already", name);
    }
    const struct loy_cel_type *read = whole_type(env, type);
    if (!read) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: '%s' of the variable %s is no type", type, name);
    }
    if (!grow(env->arena, (void **)&env->variables, env->variable_count, &env->variable_capacity,
              sizeof *env->variables)) {
        return full(error);
    }
    *ret_slot = env->variable_count;
    env->variables[env->variable_count++] = (struct loy_cel_variable){loy_str(name), read};
    return LOY_OK;
}

/* "string, ~T -> list(~T)" */
static bool read_signature(struct loy_cel_env *env, struct loy_cel_host_function *function)
{
    const char *arrow = strstr(function->decl.signature, "->");
    if (!arrow) {
        return false;
    }
    struct loy_str params = {function->decl.signature, (size_t)(arrow - function->decl.signature)};
    while (params.len > 0 && params.at[params.len - 1] == ' ') {
        params.len--;
    }
    struct loy_cel_type_reader reader = {.env = env, .arena = env->arena, .text = params};
    while (reader.at < params.len) {
        const struct loy_cel_type *type =
            function->param_count < LOY_CEL_MAX_PARAMS ? loy_cel_type_read(&reader) : NULL;
        if (!type || (reader.at < params.len && params.at[reader.at++] != ',')) {
            return false;
        }
        function->params[function->param_count++] = type;
    }
    reader.text = loy_str(arrow + 2);
    reader.at = 0;
    function->result = loy_cel_type_read(&reader);
    return function->result && reader.at == reader.text.len && (function->param_count > 0 || !function->decl.is_method);
}

enum loy_err loy_cel_env_add_function(struct loy_cel_env *env, const struct loy_cel_function *function,
                                      struct loy_error *error)
{
    struct loy_cel_host_function row = {.name = loy_str(function->name), .decl = *function};
    unsigned style = function->is_method ? LOY_CEL_METHOD : LOY_CEL_GLOBAL;
    if (row.name.len == 0 || loy_cel_builtin_find(row.name, style) >= 0 ||
        env->function_count == LOY_CEL_MAX_FUNCTIONS) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: the function '%s' is the language's own",
                             function->name);
    }
    if (!read_signature(env, &row)) {
        return loy_error_set(error, LOY_ERR_INVALID_VALUE, "cel: '%s' of the function %s is no signature",
                             function->signature, function->name);
    }
    if (!grow(env->arena, (void **)&env->functions, env->function_count, &env->function_capacity,
              sizeof *env->functions)) {
        return full(error);
    }
    row.decl.cost = row.decl.cost ? row.decl.cost : 1;
    env->functions[env->function_count++] = row;
    return LOY_OK;
}

void loy_cel_env_set_matcher(struct loy_cel_env *env, const struct loy_cel_matcher *matcher)
{
    env->matcher = matcher;
}

void loy_cel_env_set_zones(struct loy_cel_env *env, const struct loy_cel_zone *zones, size_t count)
{
    env->zones = zones;
    env->zone_count = count;
}
