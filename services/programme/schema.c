#include "programme/schema.h"

#include "programme/keys.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATH_MAX_BYTES = 160 };

static void shape_schema(struct loy_buf *buf, const struct loy_shape *shape);

static void quoted(struct loy_buf *buf, const char *text)
{
    loy_buf_append_byte(buf, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            loy_buf_append_byte(buf, '\\');
        }
        loy_buf_append_byte(buf, (uint8_t)*text);
    }
    loy_buf_append_byte(buf, '"');
}

static void choices_schema(struct loy_buf *buf, const char *choices)
{
    bool later;
    loy_buf_append(buf, LOY_STR("\"enum\": ["));
    for (const char *at = choices; at;) {
        bool first = at == choices;
        struct loy_str word = loy_choice_next(&at, &later);
        loy_buf_printf(buf, "%s\"%.*s\"", first ? "" : ", ", LOY_STR_ARG(word));
    }
    loy_buf_append_byte(buf, ']');
}

/* One value of the key's type; without braces. */
static void value_schema(struct loy_buf *buf, const struct loy_key *key)
{
    switch (key->type) {
    case LOY_KEY_ID:
        loy_buf_append(buf, LOY_STR("\"type\": \"string\", \"pattern\": \"^[a-z][a-z0-9_]{0,63}$\""));
        break;
    case LOY_KEY_BOOL:
        loy_buf_append(buf, LOY_STR("\"type\": \"boolean\""));
        break;
    case LOY_KEY_CHOICE:
    case LOY_KEY_CHOICES:
        choices_schema(buf, key->choices);
        break;
    case LOY_KEY_INTEGER:
    case LOY_KEY_DAYS:
        loy_buf_printf(buf, "\"type\": \"integer\", \"minimum\": %" PRId64, key->min);
        if (key->max) {
            loy_buf_printf(buf, ", \"maximum\": %" PRId64, key->max);
        }
        break;
    case LOY_KEY_MONEY:
    case LOY_KEY_RATE:
        loy_buf_append(buf, LOY_STR("\"type\": [\"number\", \"string\"], \"exclusiveMinimum\": 0, "
                                    "\"pattern\": \"^[0-9]+(\\\\.[0-9]+)?$\""));
        break;
    case LOY_KEY_NUMBER:
        loy_buf_append(buf, LOY_STR("\"type\": \"number\""));
        break;
    case LOY_KEY_PERCENT:
        loy_buf_append(buf, LOY_STR("\"type\": \"string\", \"pattern\": \"^[0-9]+(\\\\.[0-9]+)?%$\""));
        break;
    case LOY_KEY_DURATION:
    case LOY_KEY_WINDOW:
        loy_buf_printf(buf,
                       "\"type\": \"string\", \"pattern\": \"^(%s[1-9][0-9]* "
                       "(second|minute|hour|day|week|month|year)s?)$\"",
                       key->type == LOY_KEY_WINDOW ? "calendar_year|" : "");
        break;
    case LOY_KEY_DATE:
        loy_buf_append(buf, LOY_STR("\"type\": \"string\", \"pattern\": \"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$\""));
        break;
    case LOY_KEY_HOURS:
        loy_buf_append(buf,
                       LOY_STR("\"type\": \"string\", \"pattern\": \"^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$\""));
        break;
    case LOY_KEY_MONTH_DAYS:
        loy_buf_append(buf, LOY_STR("\"type\": \"string\", \"pattern\": \"^[0-1][0-9]-[0-3][0-9]$\""));
        break;
    case LOY_KEY_TEXT_MAP:
        loy_buf_append(buf, LOY_STR("\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", "
                                    "\"number\", \"boolean\"]}"));
        break;
    case LOY_KEY_TEXT:
    case LOY_KEY_TEXTS:
        loy_buf_append(buf, LOY_STR("\"type\": [\"string\", \"number\"], \"minLength\": 1"));
        break;
    default:
        loy_buf_append(buf, LOY_STR("\"type\": \"string\", \"minLength\": 1"));
    }
}

static void list_schema(struct loy_buf *buf, const struct loy_key *key)
{
    loy_buf_append(buf, LOY_STR("{\"type\": \"array\", \"minItems\": 1, \"items\": "));
    if (key->shape) {
        shape_schema(buf, key->shape);
    } else {
        loy_buf_append_byte(buf, '{');
        value_schema(buf, key);
        loy_buf_append_byte(buf, '}');
    }
    if (key->max && key->type != LOY_KEY_DAYS) {
        loy_buf_printf(buf, ", \"maxItems\": %" PRId64, key->max);
    }
    loy_buf_append_byte(buf, '}');
}

static void key_schema(struct loy_buf *buf, const struct loy_key *key)
{
    loy_buf_append(buf, LOY_STR("{\"description\": "));
    char help[1024];
    (void)snprintf(help, sizeof help, "%s. %s%sFor example `%s: %s`.", key->help,
                   key->later ? "Not in force in this version. " : "", "", key->name, key->example);
    quoted(buf, help);
    loy_buf_append(buf, LOY_STR(", "));
    bool either = key->type == LOY_KEY_OBJECTS || key->type == LOY_KEY_TEXTS || key->type == LOY_KEY_CHOICES ||
                  key->type == LOY_KEY_HOURS || key->type == LOY_KEY_DAYS || key->type == LOY_KEY_MONTH_DAYS;
    if (key->type == LOY_KEY_MAP) {
        loy_buf_append(buf, LOY_STR("\"type\": \"object\", \"minProperties\": 1, \"propertyNames\": {\"pattern\": "
                                    "\"^[a-z][a-z0-9_]*$\"}, \"additionalProperties\": "));
        shape_schema(buf, key->shape);
    } else if (key->type == LOY_KEY_LIST) {
        loy_buf_append(buf, LOY_STR("\"allOf\": ["));
        list_schema(buf, key);
        loy_buf_append_byte(buf, ']');
    } else if (either) {
        loy_buf_append(buf, LOY_STR("\"anyOf\": ["));
        if (key->shape) {
            shape_schema(buf, key->shape);
        } else {
            loy_buf_append_byte(buf, '{');
            value_schema(buf, key);
            loy_buf_append_byte(buf, '}');
        }
        loy_buf_append(buf, LOY_STR(", "));
        list_schema(buf, key);
        loy_buf_append_byte(buf, ']');
    } else if (key->type == LOY_KEY_OBJECT) {
        loy_buf_append(buf, LOY_STR("\"allOf\": ["));
        shape_schema(buf, key->shape);
        loy_buf_append_byte(buf, ']');
    } else {
        value_schema(buf, key);
    }
    loy_buf_append_byte(buf, '}');
}

static void map_schema(struct loy_buf *buf, const struct loy_shape *shape)
{
    loy_buf_append(buf, LOY_STR("\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"));
    for (uint32_t i = 0; i < shape->count; i++) {
        loy_buf_printf(buf, "%s\n\"%s\": ", i ? "," : "", shape->keys[i].name);
        key_schema(buf, &shape->keys[i]);
    }
    loy_buf_append(buf, LOY_STR("}, \"required\": ["));
    bool any = false;
    for (uint32_t i = 0; i < shape->count; i++) {
        if (shape->keys[i].required) {
            loy_buf_printf(buf, "%s\"%s\"", any ? ", " : "", shape->keys[i].name);
            any = true;
        }
    }
    loy_buf_append_byte(buf, ']');
}

static void shape_schema(struct loy_buf *buf, const struct loy_shape *shape)
{
    if (!shape->shorthand) {
        loy_buf_append_byte(buf, '{');
        map_schema(buf, shape);
        loy_buf_append_byte(buf, '}');
        return;
    }
    loy_buf_append(buf, LOY_STR("{\"anyOf\": [{"));
    value_schema(buf, loy_shape_key(shape, loy_str(shape->shorthand)));
    loy_buf_append(buf, LOY_STR("}, {"));
    map_schema(buf, shape);
    loy_buf_append(buf, LOY_STR("}]}"));
}

void loy_programme_schema(struct loy_buf *buf)
{
    loy_buf_append(buf, LOY_STR("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                                "\"title\": \"A programme of loyald\", "));
    map_schema(buf, loy_shape_root());
    loy_buf_append(buf, LOY_STR("}\n"));
}

static const char *suffix_of(const struct loy_key *key)
{
    return key->type == LOY_KEY_LIST || key->type == LOY_KEY_OBJECTS ? "[]" : key->type == LOY_KEY_MAP ? ".ID" : "";
}

static void reference_row(struct loy_buf *buf, const struct loy_key *key, const char *path)
{
    loy_buf_printf(buf, "| `%s`%s | ", path, key->required ? " *" : "");
    if (key->choices) {
        bool later;
        for (const char *at = key->choices; at;) {
            bool first = at == key->choices;
            struct loy_str word = loy_choice_next(&at, &later);
            loy_buf_printf(buf, "%s`%.*s`%s", first ? "" : ", ", LOY_STR_ARG(word), later ? " (later)" : "");
        }
    } else {
        loy_buf_append(buf, loy_str(loy_key_type_words(key->type)));
    }
    loy_buf_printf(buf, " | %s | %s | %s. Example: `%s: %s` |\n", key->fallback ? key->fallback : "",
                   key->later ? "later" : key->since, key->help, key->name, key->example);
}

static void reference_of(struct loy_buf *buf, const struct loy_shape *shape, const char *prefix, bool later)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        struct loy_key key = shape->keys[i];
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key.name);
        key.later |= later;
        reference_row(buf, &key, path);
        if (key.shape) {
            (void)snprintf(path, sizeof path, "%s%s%s%s", prefix, *prefix ? "." : "", key.name, suffix_of(&key));
            reference_of(buf, key.shape, path, key.later);
        }
    }
}

void loy_programme_reference(struct loy_buf *buf)
{
    loy_buf_append(buf, LOY_STR("A star marks what has to be there. \"later\": the grammar has its place, and this "
                                "version does not act on it.\n\n"
                                "| key | value | when left out | since | meaning |\n|---|---|---|---|---|\n"));
    reference_of(buf, loy_shape_root(), "", false);
}

static void inactive_of(struct loy_buf *buf, const struct loy_shape *shape, const char *prefix)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        const struct loy_key *key = &shape->keys[i];
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key->name);
        bool later = false;
        if (key->later) {
            loy_buf_printf(buf, "%s\n", path);
            continue;
        }
        for (const char *at = key->choices; at;) {
            struct loy_str word = loy_choice_next(&at, &later);
            if (later) {
                loy_buf_printf(buf, "%s=%.*s\n", path, LOY_STR_ARG(word));
            }
        }
        if (key->shape) {
            (void)snprintf(path, sizeof path, "%s%s%s%s", prefix, *prefix ? "." : "", key->name, suffix_of(key));
            inactive_of(buf, key->shape, path);
        }
    }
}

void loy_programme_inactive_keys(struct loy_buf *buf)
{
    inactive_of(buf, loy_shape_root(), "");
}
