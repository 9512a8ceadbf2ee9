#include "cel/numtext.h"
#include "cel/program.h"
#include "cel/timetext.h"

/* --- as CEL source would write it -------------------------------------------------------------------------------- */

static bool stands_for_itself(uint8_t c, bool is_bytes)
{
    if (c > '\\') { /* letters and digits, nearly always, are decided by one or two comparisons */
        return c < 0x7f || (c > 0x7f && !is_bytes);
    }
    return c > '"' ? c != '\\' : c == ' ' || c == '!';
}

static void print_quoted(struct loy_str text, bool is_bytes, struct loy_buf *buf)
{
    loy_buf_append(buf, is_bytes ? LOY_STR("b\"") : LOY_STR("\""));
    for (size_t i = 0; i < text.len; i++) {
        size_t from = i;
        while (i < text.len && stands_for_itself((uint8_t)text.at[i], is_bytes)) {
            i++;
        }
        loy_buf_append(buf, (struct loy_str){text.at + from, i - from});
        if (i == text.len) {
            break;
        }
        uint8_t c = (uint8_t)text.at[i];
        if (c == '"' || c == '\\') {
            loy_buf_append_byte(buf, '\\');
            loy_buf_append_byte(buf, c);
        } else {
            loy_buf_printf(buf, is_bytes ? "\\x%02x" : "\\u%04x", c);
        }
    }
    loy_buf_append_byte(buf, '"');
}

static void print_double(double value, struct loy_buf *buf)
{
    char text[LOY_CEL_DOUBLE_TEXT_MAX];
    size_t len = loy_cel_double_format(value, text);
    loy_buf_append(buf, (struct loy_str){text, len});
    bool whole = true;
    for (size_t i = 0; i < len; i++) {
        whole &= text[i] == '-' || (text[i] >= '0' && text[i] <= '9');
    }
    if (whole) {
        loy_buf_append(buf, LOY_STR(".0"));
    }
}

static void print_source(struct loy_cel_value value, struct loy_buf *buf, unsigned depth);

static void print_items(struct loy_cel_value value, struct loy_buf *buf, unsigned depth)
{
    bool is_map = value.kind == LOY_CEL_MAP;
    loy_buf_append_byte(buf, is_map ? '{' : '[');
    for (uint32_t i = 0; i < value.len && depth < LOY_CEL_MAX_VALUE_NESTING; i++) {
        loy_buf_append(buf, i ? LOY_STR(", ") : LOY_STR(""));
        if (is_map) {
            print_source(value.as.entries[i].key, buf, depth + 1);
            loy_buf_append(buf, LOY_STR(": "));
        }
        print_source(is_map ? value.as.entries[i].value : value.as.items[i], buf, depth + 1);
    }
    loy_buf_append_byte(buf, is_map ? '}' : ']');
}

static void print_time(struct loy_cel_value value, struct loy_buf *buf)
{
    char text[LOY_CEL_TIME_TEXT_MAX];
    bool is_moment = value.kind == LOY_CEL_TIMESTAMP;
    size_t len = is_moment ? loy_cel_timestamp_format(value, text) : loy_cel_duration_format(value.as.i, text);
    loy_buf_append(buf, is_moment ? LOY_STR("timestamp(\"") : LOY_STR("duration(\""));
    loy_buf_append(buf, (struct loy_str){text, len});
    loy_buf_append(buf, LOY_STR("\")"));
}

static void print_source(struct loy_cel_value value, struct loy_buf *buf, unsigned depth)
{
    switch ((enum loy_cel_kind)value.kind) {
    case LOY_CEL_NULL:
        loy_buf_append(buf, LOY_STR("null"));
        break;
    case LOY_CEL_BOOL:
        loy_buf_append(buf, value.as.i ? LOY_STR("true") : LOY_STR("false"));
        break;
    case LOY_CEL_INT:
        loy_buf_printf(buf, "%lld", (long long)value.as.i);
        break;
    case LOY_CEL_UINT:
        loy_buf_printf(buf, "%lluu", (unsigned long long)value.as.u);
        break;
    case LOY_CEL_DOUBLE:
        print_double(value.as.d, buf);
        break;
    case LOY_CEL_STRING:
    case LOY_CEL_BYTES:
        print_quoted(loy_cel_text(value), value.kind == LOY_CEL_BYTES, buf);
        break;
    case LOY_CEL_TIMESTAMP:
    case LOY_CEL_DURATION:
        print_time(value, buf);
        break;
    case LOY_CEL_LIST:
    case LOY_CEL_MAP:
        print_items(value, buf, depth);
        break;
    case LOY_CEL_TYPE:
        loy_buf_append(buf, loy_cel_text(value));
        break;
    case LOY_CEL_RECORD:
        loy_buf_append(buf, LOY_STR("{...}"));
        break;
    case LOY_CEL_ABSENT:
        loy_buf_append(buf, LOY_STR("(not known)"));
        break;
    default:
        loy_buf_append(buf, LOY_STR("(error)"));
    }
}

void loy_cel_value_print(struct loy_cel_value value, struct loy_buf *buf)
{
    print_source(value, buf, 0);
}

/* --- as string() and format("%s") write it ----------------------------------------------------------------------- */

struct printed_entry {
    struct loy_str key, value;
};

static bool print_to_text(struct loy_cel_value value, struct loy_arena *arena, unsigned depth, struct loy_str *ret)
{
    struct loy_buf buf;
    loy_buf_init(&buf, arena, 32);
    bool ok = loy_cel_print_plain(value, arena, &buf, depth) && !buf.failed;
    *ret = loy_buf_str(&buf);
    return ok;
}

/* Insertion by key: small maps only reach this, large ones pay for it in fuel. */
static void insert(struct printed_entry *entries, uint32_t count, struct printed_entry entry)
{
    uint32_t at = count;
    for (; at > 0 && loy_str_compare(entries[at - 1].key, entry.key) > 0; at--) {
        entries[at] = entries[at - 1];
    }
    entries[at] = entry;
}

static bool print_map(struct loy_cel_value map, struct loy_arena *arena, struct loy_buf *buf, unsigned depth)
{
    struct printed_entry *entries = LOY_NEW_ARRAY(arena, struct printed_entry, map.len);
    for (uint32_t i = 0; entries && i < map.len; i++) {
        struct printed_entry entry;
        if (!print_to_text(map.as.entries[i].key, arena, depth + 1, &entry.key) ||
            !print_to_text(map.as.entries[i].value, arena, depth + 1, &entry.value)) {
            return false;
        }
        insert(entries, i, entry);
    }
    loy_buf_append_byte(buf, '{');
    for (uint32_t i = 0; entries && i < map.len; i++) {
        loy_buf_append(buf, i ? LOY_STR(", ") : LOY_STR(""));
        loy_buf_append(buf, entries[i].key);
        loy_buf_append(buf, LOY_STR(": "));
        loy_buf_append(buf, entries[i].value);
    }
    loy_buf_append_byte(buf, '}');
    buf->failed |= !entries;
    return true;
}

static bool print_list(struct loy_cel_value list, struct loy_arena *arena, struct loy_buf *buf, unsigned depth)
{
    loy_buf_append_byte(buf, '[');
    for (uint32_t i = 0; i < list.len; i++) {
        loy_buf_append(buf, i ? LOY_STR(", ") : LOY_STR(""));
        if (!loy_cel_print_plain(list.as.items[i], arena, buf, depth + 1)) {
            return false;
        }
    }
    loy_buf_append_byte(buf, ']');
    return true;
}

bool loy_cel_print_plain(struct loy_cel_value value, struct loy_arena *scratch, struct loy_buf *buf, unsigned depth)
{
    char text[LOY_CEL_TIME_TEXT_MAX];
    if (depth > LOY_CEL_MAX_VALUE_NESTING || buf->failed) {
        return false;
    }
    switch ((enum loy_cel_kind)value.kind) {
    case LOY_CEL_STRING:
    case LOY_CEL_TYPE:
        loy_buf_append(buf, loy_cel_text(value));
        return true;
    case LOY_CEL_BYTES:
        loy_buf_append(buf, loy_cel_text(value));
        return loy_str_is_utf8(loy_cel_text(value));
    case LOY_CEL_UINT:
        loy_buf_printf(buf, "%llu", (unsigned long long)value.as.u);
        return true;
    case LOY_CEL_DOUBLE:
        loy_buf_append(buf, (struct loy_str){text, loy_cel_double_format(value.as.d, text)});
        return true;
    case LOY_CEL_TIMESTAMP:
        loy_buf_append(buf, (struct loy_str){text, loy_cel_timestamp_format(value, text)});
        return true;
    case LOY_CEL_DURATION:
        loy_buf_append(buf, (struct loy_str){text, loy_cel_duration_format(value.as.i, text)});
        return true;
    case LOY_CEL_LIST:
        return print_list(value, scratch, buf, depth);
    case LOY_CEL_MAP:
        return print_map(value, scratch, buf, depth);
    case LOY_CEL_NULL:
    case LOY_CEL_BOOL:
    case LOY_CEL_INT:
        print_source(value, buf, depth);
        return true;
    default:
        return false;
    }
}

/* --- errors ------------------------------------------------------------------------------------------------------ */

static void print_absent(const struct loy_cel_env *env, uint64_t what, struct loy_buf *buf)
{
    uint32_t record = (uint32_t)(what >> 32), field = (uint32_t)what;
    struct loy_str owner = {NULL, 0}, name = LOY_STR("a fact");
    if (record < env->record_count && field < env->records[record].count) {
        owner = env->records[record].name;
        name = env->records[record].fields[field].name;
    } else if (record == UINT32_MAX && field < env->variable_count) {
        name = env->variables[field].name;
    }
    loy_buf_printf(buf, "%.*s%s%.*s is not known", LOY_STR_ARG(owner), owner.len ? "." : "", LOY_STR_ARG(name));
}

void loy_cel_error_print(const struct loy_cel_program *program, struct loy_cel_value error, struct loy_buf *buf)
{
    if (error.fault == LOY_CEL_FAULT_ABSENT) {
        print_absent(program->env, error.as.u, buf);
        return;
    }
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < error.len && i < program->text.len; i++) {
        char c = program->text.at[i];
        line += c == '\n';
        column = c == '\n' ? 1 : column + (((uint8_t)c & 0xc0) != 0x80);
    }
    loy_buf_append(buf, error.as.text ? loy_str(error.as.text) : LOY_STR("an error"));
    loy_buf_printf(buf, " at %u:%u", line, column);
}
