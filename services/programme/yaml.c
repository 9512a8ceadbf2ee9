#include "programme/yaml.h"

#include <stdio.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct loy_arena *arena;
    struct loy_programme_issues *issues;
    struct loy_yaml *stack[LOY_YAML_DEPTH_MAX];
    bool expects_value[LOY_YAML_DEPTH_MAX]; /* of maps: a key has been read */
    struct loy_yaml key[LOY_YAML_DEPTH_MAX];
    uint32_t depth, nodes;
    struct loy_yaml *root;
    bool stopped; /* an issue that makes reading on pointless */
    bool done;
};

static void stop(struct reader *reader, const yaml_mark_t *mark, const char *why)
{
    loy_issues_add(reader->issues, LOY_ISSUE_ERROR, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1, "%s", why);
    reader->stopped = true;
}

static void check_bare(struct reader *reader, struct loy_yaml *node, const char *what)
{
    const char *danger = node->quoted ? NULL : loy_yaml_bare_danger(node->text);
    bool is_on = strcmp(what, "key") == 0 && loy_str_equal(node->text, LOY_STR("on"));
    node->refused = danger != NULL;
    if (danger) {
        loy_issues_add(reader->issues, LOY_ISSUE_ERROR, node->line, node->column, "bare %s '%.*s' %s: %s", what,
                       LOY_STR_ARG(node->text), danger,
                       is_on ? "the key is called `trigger`" : loy_yaml_bare_advice(node->text));
    }
}

static bool has_key(const struct loy_yaml *map, struct loy_str key)
{
    for (const struct loy_yaml *child = map->first; child; child = child->next) {
        if (loy_str_equal(child->key, key)) {
            return true;
        }
    }
    return false;
}

static void take_key(struct reader *reader, struct loy_yaml *key)
{
    uint32_t top = reader->depth - 1;
    key->refused = true;
    if (key->text.len == 0) {
        loy_issues_add(reader->issues, LOY_ISSUE_ERROR, key->line, key->column, "a key without a name");
    } else if (loy_str_equal(key->text, LOY_STR("<<"))) {
        loy_issues_add(reader->issues, LOY_ISSUE_ERROR, key->line, key->column,
                       "merge keys (<<) are not allowed: write the keys where they belong");
    } else if (has_key(reader->stack[top], key->text)) {
        loy_issues_add(reader->issues, LOY_ISSUE_ERROR, key->line, key->column,
                       "key '%.*s' stands here twice: only one of them can be meant", LOY_STR_ARG(key->text));
    } else {
        check_bare(reader, key, "key");
    }
    reader->key[top] = *key;
    reader->expects_value[top] = true;
}

/* Puts a finished value, or an opened list or map, under its parent. */
static void attach(struct reader *reader, struct loy_yaml *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return;
    }
    uint32_t top = reader->depth - 1;
    struct loy_yaml *parent = reader->stack[top];
    if (parent->kind == LOY_YAML_MAP) {
        node->key = reader->key[top].text;
        node->key_line = reader->key[top].line;
        node->key_column = reader->key[top].column;
        node->key_refused = reader->key[top].refused;
        reader->expects_value[top] = false;
    }
    *(parent->last ? &parent->last->next : &parent->first) = node;
    parent->last = node;
    parent->count++;
}

static struct loy_yaml *new_node(struct reader *reader, enum loy_yaml_kind kind, const yaml_mark_t *mark)
{
    struct loy_yaml *node = LOY_NEW(reader->arena, struct loy_yaml);
    if (!node) {
        return NULL;
    }
    node->kind = kind;
    node->line = (uint32_t)mark->line + 1;
    node->column = (uint32_t)mark->column + 1;
    if (++reader->nodes > LOY_YAML_NODES_MAX) {
        stop(reader, mark, "more than 100,000 values: a programme is smaller");
    }
    return node;
}

static enum loy_err take_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct loy_yaml *node = new_node(reader, LOY_YAML_TEXT, &event->start_mark);
    struct loy_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (!node || !(node->text = loy_str_copy(reader->arena, text)).at) {
        return LOY_ERR_NO_MEMORY;
    }
    if (event->data.scalar.anchor || event->data.scalar.tag) {
        stop(reader, &event->start_mark,
             event->data.scalar.anchor ? "anchors (&) are not allowed: write the value where it belongs"
                                       : "tags (!) are not allowed: a value's type comes from its key");
        return LOY_OK;
    }
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->double_quoted = event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (memchr(text.at, 0, text.len)) {
        loy_issues_add(reader->issues, LOY_ISSUE_ERROR, node->line, node->column, "U+0000 is not allowed in a text");
    }
    uint32_t top = reader->depth ? reader->depth - 1 : 0;
    if (reader->depth && reader->stack[top]->kind == LOY_YAML_MAP && !reader->expects_value[top]) {
        take_key(reader, node);
        return LOY_OK;
    }
    attach(reader, node);
    check_bare(reader, node, "value");
    return LOY_OK;
}

static enum loy_err open_node(struct reader *reader, const yaml_event_t *event, enum loy_yaml_kind kind)
{
    const yaml_char_t *anchor =
        kind == LOY_YAML_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = kind == LOY_YAML_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    struct loy_yaml *node = new_node(reader, kind, &event->start_mark);
    if (!node) {
        return LOY_ERR_NO_MEMORY;
    }
    uint32_t top = reader->depth ? reader->depth - 1 : 0;
    if (anchor || tag) {
        stop(reader, &event->start_mark,
             anchor ? "anchors (&) are not allowed: write the value where it belongs"
                    : "tags (!) are not allowed: a value's type comes from its key");
    } else if (reader->depth == LOY_YAML_DEPTH_MAX) {
        stop(reader, &event->start_mark, "nested more than 24 deep");
    } else if (reader->depth && reader->stack[top]->kind == LOY_YAML_MAP && !reader->expects_value[top]) {
        stop(reader, &event->start_mark, "a key has to be a word, not a list or a map");
    } else {
        attach(reader, node);
        reader->stack[reader->depth] = node;
        reader->expects_value[reader->depth++] = false;
    }
    return LOY_OK;
}

static enum loy_err take_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(reader, event, LOY_YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return open_node(reader, event, LOY_YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        break;
    case YAML_ALIAS_EVENT:
        stop(reader, &event->start_mark, "aliases (*) are not allowed: write the value where it belongs");
        break;
    case YAML_DOCUMENT_START_EVENT:
        if (reader->root) {
            stop(reader, &event->start_mark, "a second document (---): a file holds one programme");
        }
        break;
    case YAML_STREAM_END_EVENT:
        reader->done = true;
        break;
    default:
        break;
    }
    return LOY_OK;
}

/* Where it broke and, where libyaml knows, where what broke begins: a bracket that is left open shows far behind it. */
static void say_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const yaml_mark_t *mark = &parser->problem_mark;
    char begins[96] = "";
    if (parser->context && parser->context_mark.line < mark->line) {
        (void)snprintf(begins, sizeof begins, " that begins at line %zu, column %zu", parser->context_mark.line + 1,
                       parser->context_mark.column + 1);
    }
    loy_issues_add(reader->issues, LOY_ISSUE_ERROR, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1,
                   "not YAML: %s%s%s%s (is a quote, a bracket or an indentation amiss?)",
                   parser->problem ? parser->problem : "it cannot be read", parser->context ? ", " : "",
                   parser->context ? parser->context : "", begins);
    reader->stopped = true;
}

static enum loy_err read_events(struct reader *reader)
{
    enum loy_err err = LOY_OK;
    while (!err && !reader->done && !reader->stopped) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            if (reader->parser.error == YAML_MEMORY_ERROR) {
                return LOY_ERR_NO_MEMORY;
            }
            say_syntax(reader);
            return LOY_OK;
        }
        err = take_event(reader, &event);
        yaml_event_delete(&event);
    }
    return err;
}

enum loy_err loy_yaml_read(struct loy_str text, struct loy_arena *arena, struct loy_yaml **ret_root,
                           struct loy_programme_issues *issues)
{
    *ret_root = NULL;
    if (text.len > LOY_YAML_BYTES_MAX) {
        loy_issues_add(issues, LOY_ISSUE_ERROR, 1, 1, "longer than 2 MiB: a programme is smaller");
        return LOY_OK;
    }
    if (!loy_str_is_utf8(text)) {
        loy_issues_add(issues, LOY_ISSUE_ERROR, 1, 1, "not UTF-8: save the file in that encoding");
        return LOY_OK;
    }
    struct reader *reader = LOY_NEW(arena, struct reader);
    if (!reader || !yaml_parser_initialize(&reader->parser)) {
        return LOY_ERR_NO_MEMORY;
    }
    reader->arena = arena;
    reader->issues = issues;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text.at, text.len);
    enum loy_err err = read_events(reader);
    yaml_parser_delete(&reader->parser);
    if (!err && !reader->stopped && !reader->root) {
        loy_issues_add(issues, LOY_ISSUE_ERROR, 1, 1, "the file is empty: a programme begins with `programme: NAME`");
    }
    *ret_root = reader->stopped ? NULL : reader->root;
    return err;
}

const struct loy_yaml *loy_yaml_get(const struct loy_yaml *node, const char *key)
{
    if (!node || node->kind != LOY_YAML_MAP) {
        return NULL;
    }
    const struct loy_yaml *child = node->first;
    while (child && !loy_str_equal(child->key, loy_str(key))) {
        child = child->next;
    }
    return child;
}
