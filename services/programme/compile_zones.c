/* The time zones that a file names: its own, and constants in expressions, as event.at.getHours('Asia/Tokyo'). */
#include "programme/compile.h"

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether text[0..len) ends with ".get…", the name of a function that takes a zone. */
static bool ends_with_getter(struct loy_str text)
{
    size_t at = text.len;
    while (at > 0 && is_word(text.at[at - 1])) {
        at--;
    }
    return at > 0 && text.at[at - 1] == '.' && text.len - at > 3 && memcmp(text.at + at, "get", 3) == 0;
}

/* What is no offset and not UTC. */
static bool is_name(struct loy_str text)
{
    bool letters = false;
    for (size_t i = 0; i < text.len; i++) {
        letters = letters || (is_word(text.at[i]) && !(text.at[i] >= '0' && text.at[i] <= '9'));
    }
    return letters && !loy_str_equal(text, LOY_STR("UTC"));
}

/* The next constant argument of a getter, from *at on; empty: there is none. */
static struct loy_str next_name(struct loy_str text, size_t *at)
{
    for (; *at + 2 < text.len; (*at)++) {
        char quote = text.at[*at + 1];
        if (text.at[*at] != '(' || (quote != '\'' && quote != '"') ||
            !ends_with_getter((struct loy_str){text.at, *at})) {
            continue;
        }
        const char *begin = text.at + *at + 2;
        const char *end = memchr(begin, quote, text.len - *at - 2);
        struct loy_str name = {begin, end ? (size_t)(end - begin) : 0};
        if (is_name(name)) {
            *at += 2;
            return name;
        }
    }
    return (struct loy_str){0};
}

static bool is_known(const struct loy_compile *compile, struct loy_str name)
{
    for (uint32_t i = 0; i < compile->zone_count; i++) {
        if (loy_str_equal(loy_str(compile->zones[i].name), name)) {
            return true;
        }
    }
    return false;
}

static void add(struct loy_compile *compile, struct loy_str name, const struct loy_zone *zone)
{
    char *kept = loy_str_dup_z(compile->arena, name);
    compile->full = compile->full || !kept;
    if (kept) {
        compile->zones[compile->zone_count++] = (struct loy_cel_zone){kept, *zone};
    }
}

static void find_in(struct loy_compile *compile, const struct loy_yaml *node)
{
    struct loy_str name;
    for (size_t at = 0; !compile->full && (name = next_name(node->text, &at)).len > 0;) {
        struct loy_zone zone;
        struct loy_error error = {0};
        uint32_t line = 0, column = 0;
        if (is_known(compile, name)) {
            continue;
        }
        loy_yaml_place(compile->given->text, node, (size_t)(name.at - node->text.at), &line, &column);
        if (compile->zone_count == LOY_COMPILE_ZONES_MAX) {
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, line, column, "more than %d time zones",
                           LOY_COMPILE_ZONES_MAX);
        } else if (compile->given->zone(compile->given->context, name, compile->arena, &zone, &error)) {
            loy_issues_add(compile->issues, LOY_ISSUE_ERROR, line, column,
                           "there is no time zone '%.*s': a name as Europe/Moscow is wanted", LOY_STR_ARG(name));
        } else {
            add(compile, name, &zone);
        }
    }
}

static void find(struct loy_compile *compile, const struct loy_yaml *node)
{
    if (node->kind == LOY_YAML_TEXT && node->double_quoted) {
        find_in(compile, node);
    }
    for (const struct loy_yaml *child = node->first; child; child = child->next) {
        find(compile, child);
    }
}

void loy_compile_zones(struct loy_compile *compile)
{
    struct loy_str own = loy_compile_text(compile->root, "time_zone");
    compile->zones = loy_compile_room(compile, LOY_COMPILE_ZONES_MAX, sizeof *compile->zones);
    if (compile->full || !compile->given->zone) {
        return;
    }
    if (compile->programme->zone) {
        add(compile, own, compile->programme->zone);
    }
    find(compile, compile->root);
}
