#include "cel/type.h"

#include "cel/env.h"

#include <assert.h>

#define BASIC(kind_, name_) [kind_] = {.kind = (kind_), .name = {name_, sizeof(name_) - 1}}

const struct loy_cel_type *loy_cel_type_basic(unsigned kind)
{
    static const struct loy_cel_type types[LOY_CEL_TYPE_KIND_COUNT] = {
        BASIC(LOY_CEL_ERROR, "error"),
        BASIC(LOY_CEL_ABSENT, "absent"),
        BASIC(LOY_CEL_NULL, "null_type"),
        BASIC(LOY_CEL_BOOL, "bool"),
        BASIC(LOY_CEL_INT, "int"),
        BASIC(LOY_CEL_UINT, "uint"),
        BASIC(LOY_CEL_DOUBLE, "double"),
        BASIC(LOY_CEL_STRING, "string"),
        BASIC(LOY_CEL_BYTES, "bytes"),
        BASIC(LOY_CEL_TIMESTAMP, "google.protobuf.Timestamp"),
        BASIC(LOY_CEL_DURATION, "google.protobuf.Duration"),
        BASIC(LOY_CEL_LIST, "list"),
        BASIC(LOY_CEL_MAP, "map"),
        BASIC(LOY_CEL_TYPE, "type"),
        BASIC(LOY_CEL_RECORD, "record"),
        BASIC(LOY_CEL_TYPE_DYN, "dyn"),
        BASIC(LOY_CEL_TYPE_VAR, "var"),
        BASIC(LOY_CEL_TYPE_OPAQUE, "opaque"),
    };
    assert(kind < LOY_CEL_TYPE_KIND_COUNT);
    return &types[kind];
}

const struct loy_cel_type *loy_cel_type_new(struct loy_arena *arena, unsigned kind, struct loy_str name, uint32_t id,
                                            const struct loy_cel_type *const *params, size_t count)
{
    assert(count <= LOY_CEL_MAX_PARAMS);
    const struct loy_cel_type **copy = LOY_NEW_ARRAY(arena, const struct loy_cel_type *, count);
    struct loy_cel_type *type = LOY_NEW(arena, struct loy_cel_type);
    if (!copy || !type) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!params[i]) {
            return NULL;
        }
        copy[i] = params[i];
    }
    *type = (struct loy_cel_type){(uint8_t)kind, (uint8_t)count, id, name, copy};
    return type;
}

const struct loy_cel_type *loy_cel_type_list(struct loy_arena *arena, const struct loy_cel_type *element)
{
    return loy_cel_type_new(arena, LOY_CEL_LIST, LOY_STR("list"), 0, &element, 1);
}

const struct loy_cel_type *loy_cel_type_map(struct loy_arena *arena, const struct loy_cel_type *key,
                                            const struct loy_cel_type *value)
{
    const struct loy_cel_type *params[] = {key, value};
    return loy_cel_type_new(arena, LOY_CEL_MAP, LOY_STR("map"), 0, params, 2);
}

const struct loy_cel_type *loy_cel_type_type(struct loy_arena *arena, const struct loy_cel_type *of)
{
    return loy_cel_type_new(arena, LOY_CEL_TYPE, LOY_STR("type"), 0, &of, 1);
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static void skip_spaces(struct loy_cel_type_reader *reader)
{
    while (reader->at < reader->text.len && reader->text.at[reader->at] == ' ') {
        reader->at++;
    }
}

static bool take(struct loy_cel_type_reader *reader, char c)
{
    skip_spaces(reader);
    if (reader->at < reader->text.len && reader->text.at[reader->at] == c) {
        reader->at++;
        return true;
    }
    return false;
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static struct loy_str name_of(struct loy_cel_type_reader *reader)
{
    skip_spaces(reader);
    size_t first = reader->at;
    while (reader->at < reader->text.len && is_name_byte(reader->text.at[reader->at])) {
        reader->at++;
    }
    return (struct loy_str){reader->text.at + first, reader->at - first};
}

static const struct loy_cel_type *param_of(struct loy_cel_type_reader *reader)
{
    struct loy_str name = name_of(reader);
    uint32_t i = 0;
    while (i < reader->param_count && !loy_str_equal(reader->params[i], name)) {
        i++;
    }
    if (name.len == 0 || i == LOY_CEL_MAX_PARAMS) {
        return NULL;
    }
    if (i == reader->param_count) {
        reader->params[reader->param_count++] = name;
    }
    return loy_cel_type_new(reader->arena, LOY_CEL_TYPE_VAR, name, i, NULL, 0);
}

static const struct loy_cel_type *plain_type(struct loy_cel_type_reader *reader, struct loy_str name)
{
    for (unsigned kind = LOY_CEL_NULL; kind <= LOY_CEL_TYPE_DYN; kind++) {
        const struct loy_cel_type *type = loy_cel_type_basic(kind);
        if (kind == LOY_CEL_RECORD || !loy_str_equal(type->name, name)) {
            continue;
        }
        const struct loy_cel_type *dyn = loy_cel_type_basic(LOY_CEL_TYPE_DYN);
        return kind == LOY_CEL_LIST   ? loy_cel_type_list(reader->arena, dyn)
               : kind == LOY_CEL_MAP  ? loy_cel_type_map(reader->arena, dyn, dyn)
               : kind == LOY_CEL_TYPE ? loy_cel_type_type(reader->arena, dyn)
                                      : type;
    }
    if (loy_str_equal(name, LOY_STR("timestamp"))) {
        return loy_cel_type_basic(LOY_CEL_TIMESTAMP);
    }
    if (loy_str_equal(name, LOY_STR("duration"))) {
        return loy_cel_type_basic(LOY_CEL_DURATION);
    }
    int32_t record = loy_cel_env_find_record(reader->env, name);
    return record < 0 ? NULL : reader->env->records[record].type;
}

static const struct loy_cel_type *read_nested(struct loy_cel_type_reader *reader, unsigned depth)
{
    if (depth > LOY_CEL_MAX_TYPE_NESTING) {
        return NULL;
    }
    if (take(reader, '~')) {
        return param_of(reader);
    }
    struct loy_str name = name_of(reader);
    if (name.len == 0 || !take(reader, '(')) {
        return name.len ? plain_type(reader, name) : NULL;
    }
    const struct loy_cel_type *params[LOY_CEL_MAX_PARAMS];
    size_t count = 0;
    do {
        if (count == LOY_CEL_MAX_PARAMS || !(params[count++] = read_nested(reader, depth + 1))) {
            return NULL;
        }
    } while (take(reader, ','));
    if (!take(reader, ')')) {
        return NULL;
    }
    if (loy_str_equal(name, LOY_STR("list"))) {
        return count == 1 ? loy_cel_type_list(reader->arena, params[0]) : NULL;
    }
    if (loy_str_equal(name, LOY_STR("map"))) {
        return count == 2 ? loy_cel_type_map(reader->arena, params[0], params[1]) : NULL;
    }
    if (loy_str_equal(name, LOY_STR("type"))) {
        return count == 1 ? loy_cel_type_type(reader->arena, params[0]) : NULL;
    }
    return loy_cel_type_new(reader->arena, LOY_CEL_TYPE_OPAQUE, name, 0, params, count);
}

const struct loy_cel_type *loy_cel_type_read(struct loy_cel_type_reader *reader)
{
    return read_nested(reader, 0);
}

const struct loy_cel_type *loy_cel_type_of_letters(struct loy_arena *arena, const char **text)
{
    static const char letters[] = "iudbsytpn*", params[] = "ABC";
    static const uint8_t kinds[] = {LOY_CEL_INT,   LOY_CEL_UINT,      LOY_CEL_DOUBLE,   LOY_CEL_BOOL, LOY_CEL_STRING,
                                    LOY_CEL_BYTES, LOY_CEL_TIMESTAMP, LOY_CEL_DURATION, LOY_CEL_NULL, LOY_CEL_TYPE_DYN};
    char c = *(*text)++;
    const char *letter = strchr(letters, c), *param = strchr(params, c);
    assert(c);
    if (letter) {
        return loy_cel_type_basic(kinds[letter - letters]);
    }
    if (param) {
        return loy_cel_type_new(arena, LOY_CEL_TYPE_VAR, (struct loy_str){param, 1}, (uint32_t)(param - params), NULL,
                                0);
    }
    const struct loy_cel_type *first = loy_cel_type_of_letters(arena, text);
    if (c == 'M') {
        return loy_cel_type_map(arena, first, loy_cel_type_of_letters(arena, text));
    }
    assert(c == 'L' || c == 'T');
    return c == 'L' ? loy_cel_type_list(arena, first) : loy_cel_type_type(arena, first);
}

static void print_nested(const struct loy_cel_type *type, struct loy_buf *buf, unsigned depth)
{
    loy_buf_append(buf, type->name);
    if (type->count == 0 || depth > LOY_CEL_MAX_TYPE_NESTING) {
        return;
    }
    for (uint8_t i = 0; i < type->count; i++) {
        loy_buf_append(buf, i ? LOY_STR(", ") : LOY_STR("("));
        print_nested(type->params[i], buf, depth + 1);
    }
    loy_buf_append_byte(buf, ')');
}

void loy_cel_type_print(const struct loy_cel_type *type, struct loy_buf *buf)
{
    print_nested(type, buf, 0);
}

bool loy_cel_type_equal(const struct loy_cel_type *a, const struct loy_cel_type *b)
{
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || a->count != b->count || a->id != b->id || !loy_str_equal(a->name, b->name)) {
        return false;
    }
    for (uint8_t i = 0; i < a->count; i++) {
        if (!loy_cel_type_equal(a->params[i], b->params[i])) {
            return false;
        }
    }
    return true;
}
