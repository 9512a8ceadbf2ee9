#include "adapters/pg/migration_file.h"

#include <string.h>

/* The next line of text[*at ..), without its end; moves *at behind it. */
static struct loy_str next_line(struct loy_str text, size_t *at)
{
    const char *start = text.at + *at;
    const char *end = memchr(start, '\n', text.len - *at);
    size_t len = end ? (size_t)(end - start) : text.len - *at;
    *at += len + (end ? 1 : 0);
    return (struct loy_str){start, len};
}

static struct loy_str trim(struct loy_str text)
{
    while (text.len > 0 && strchr(" \t\r", text.at[text.len - 1])) {
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r", text.at[0])) {
        text.at++;
        text.len--;
    }
    return text;
}

/* The words behind `-- migrate:`, or empty when the line is none of ours. */
static struct loy_str directive(struct loy_str line)
{
    line = trim(line);
    if (!loy_str_starts_with(line, LOY_STR("--"))) {
        return (struct loy_str){0};
    }
    line = trim((struct loy_str){line.at + 2, line.len - 2});
    struct loy_str mark = LOY_STR("migrate:");
    if (!loy_str_starts_with(line, mark)) {
        return (struct loy_str){0};
    }
    return (struct loy_str){line.at + mark.len, line.len - mark.len};
}

/* The block that the words begin; NULL with *error filled when they cannot stand there. */
static struct loy_migration_block *open_block(struct loy_str words, const char *name, unsigned line,
                                              struct loy_migration_file *file, struct loy_error *error)
{
    const char *space = memchr(words.at, ' ', words.len);
    struct loy_str kind = {words.at, space ? (size_t)(space - words.at) : words.len};
    struct loy_str option = trim((struct loy_str){words.at + kind.len, words.len - kind.len});
    bool is_up = loy_str_equal(kind, LOY_STR("up"));
    struct loy_migration_block *block = is_up ? &file->up : &file->down;
    bool is_known = option.len == 0 || loy_str_equal(option, LOY_STR("transaction:true")) ||
                    loy_str_equal(option, LOY_STR("transaction:false"));
    if (!is_up && !loy_str_equal(kind, LOY_STR("down"))) {
        (void)loy_error_set(error, LOY_ERR_MALFORMED, "%s:%u: migrate:%.*s is neither up nor down", name, line,
                            LOY_STR_ARG(kind));
        return NULL;
    }
    if (block->line || (!is_up && !file->up.line)) {
        (void)loy_error_set(error, LOY_ERR_MALFORMED, "%s:%u: migrate:%s %s", name, line, is_up ? "up" : "down",
                            block->line ? "stands there already" : "must stand behind migrate:up");
        return NULL;
    }
    if (!is_known) {
        (void)loy_error_set(error, LOY_ERR_MALFORMED, "%s:%u: unknown option %.*s", name, line, LOY_STR_ARG(option));
        return NULL;
    }
    block->transaction = !loy_str_equal(option, LOY_STR("transaction:false"));
    block->line = line + 1;
    return block;
}

enum loy_err loy_migration_parse(struct loy_str text, const char *name, struct loy_migration_file *ret_file,
                                 struct loy_error *error)
{
    struct loy_migration_file file = {0};
    struct loy_migration_block *open = NULL;
    size_t at = 0;
    for (unsigned line = 1; at < text.len; line++) {
        struct loy_str words = directive(next_line(text, &at));
        if (words.at) {
            open = open_block(words, name, line, &file, error);
            if (!open) {
                return LOY_ERR_MALFORMED;
            }
            open->sql = (struct loy_str){text.at + at, 0};
        } else if (open) {
            open->sql.len = (size_t)(text.at + at - open->sql.at);
        }
    }
    if (!file.up.line) {
        return loy_error_set(error, LOY_ERR_MALFORMED, "%s:1: there is no line `-- migrate:up`", name);
    }
    *ret_file = file;
    return LOY_OK;
}

bool loy_migration_version(const char *name, char ret_version[LOY_MIGRATION_VERSION_MAX])
{
    size_t digits = strspn(name, "0123456789");
    size_t length = strlen(name);
    if (digits == 0 || digits >= LOY_MIGRATION_VERSION_MAX || name[digits] != '_' || length < 4 ||
        strcmp(name + length - 4, ".sql") != 0) {
        return false;
    }
    memcpy(ret_version, name, digits);
    ret_version[digits] = '\0';
    return true;
}

unsigned loy_migration_line(const struct loy_migration_block *block, unsigned long character)
{
    unsigned line = block->line;
    unsigned long seen = 0;
    for (size_t i = 0; i < block->sql.len; i++) {
        bool begins = ((unsigned char)block->sql.at[i] & 0xC0) != 0x80;
        seen += begins;
        if (seen == character) {
            break;
        }
        line += block->sql.at[i] == '\n';
    }
    return line;
}
