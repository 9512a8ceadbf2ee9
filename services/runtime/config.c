#include "runtime/config.h"

#include "runtime/config_rows.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_BYTES = 1 << 20,  /* all texts of one configuration; touched only where used */
    FILE_BYTES_MAX = 65536, /* of a configuration file or a secret file */
    NAME_BYTES = 128,
};

enum layer { LAYER_DEFAULT, LAYER_FILE, LAYER_ENVIRONMENT, LAYER_ARGUMENTS };

struct loader {
    struct loy_config *config;
    struct loy_arena arena;
    enum layer layer;
    enum layer set_in[LOY_KEY_COUNT];
    struct loy_error *error;
};

static enum loy_err no_room(struct loader *loader)
{
    return loy_error_set(loader->error, LOY_ERR_CONFIG, "the configuration is larger than %d bytes", BLOCK_BYTES);
}

static enum loy_err unknown(struct loader *loader, const char *key, const char *from)
{
    char name[NAME_BYTES];
    char near[64];
    (void)snprintf(name, sizeof name, "%s", key);
    for (char *dash = strchr(name, '-'); dash; dash = strchr(dash, '-')) {
        *dash = '_';
    }
    return loy_config_nearest(name, near)
               ? loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: there is no key %.60s; did you mean %s?", from, name,
                               near)
               : loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: there is no key %.60s; --help lists them", from,
                               name);
}

/* The key of that name (- counts as _), -1: none. *ret_from_file: it is <key>_file of a secret. */
static int find_key(const char *name, size_t length, bool *ret_from_file)
{
    char text[NAME_BYTES];
    if (length >= sizeof text) {
        return -1;
    }
    for (size_t i = 0; i < length; i++) {
        text[i] = name[i] == '-' ? '_' : name[i];
    }
    text[length] = '\0';
    for (int key = 0; key < LOY_KEY_COUNT; key++) {
        const struct loy_config_row *row = loy_config_row(key);
        size_t own = strlen(row->key);
        if (strcmp(text, row->key) == 0) {
            *ret_from_file = false;
            return key;
        }
        if (row->kind == LOY_KIND_SECRET && strncmp(text, row->key, own) == 0 && strcmp(text + own, "_file") == 0) {
            *ret_from_file = true;
            return key;
        }
    }
    return -1;
}

/* A whole small file in the arena, NUL-terminated. */
static enum loy_err read_file(struct loader *loader, const char *path, const char *from, struct loy_str *ret_text)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: cannot read %s: %s", from, path, strerror(errno));
    }
    char *text = loy_arena_alloc(&loader->arena, FILE_BYTES_MAX + 1);
    size_t length = text ? fread(text, 1, FILE_BYTES_MAX + 1, file) : 0;
    bool failed = ferror(file);
    int why = errno;
    (void)fclose(file);
    if (!text) {
        return no_room(loader);
    }
    if (failed) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: cannot read %s: %s", from, path, strerror(why));
    }
    if (length > FILE_BYTES_MAX || memchr(text, '\0', length)) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: %s is not a text file of at most %d bytes", from, path,
                             FILE_BYTES_MAX);
    }
    text[length] = '\0';
    *ret_text = (struct loy_str){text, length};
    return LOY_OK;
}

/* The secret in the file that value names, without its line end. */
static enum loy_err read_secret(struct loader *loader, const char *path, const char *from, const char **ret_value)
{
    struct loy_str text = {0};
    enum loy_err err = read_file(loader, path, from, &text);
    if (err) {
        return err;
    }
    while (text.len > 0 && (text.at[text.len - 1] == '\n' || text.at[text.len - 1] == '\r')) {
        text.len--;
    }
    *ret_value = loy_str_dup_z(&loader->arena, text);
    return *ret_value ? LOY_OK : no_room(loader);
}

/* Takes a value over. value and from are copied. */
static enum loy_err set(struct loader *loader, int key, bool from_file, struct loy_str value, const char *from)
{
    const struct loy_config_row *row = loy_config_row(key);
    bool twice = loader->layer != LAYER_DEFAULT && loader->set_in[key] == loader->layer;
    if (twice && loader->layer != LAYER_ARGUMENTS) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: %s is given twice, also by %s", from, row->key,
                             loader->config->came_from[key]);
    }
    const char *text = loy_str_dup_z(&loader->arena, value);
    const char *origin = loy_str_dup_z(&loader->arena, loy_str(from));
    if (!text || !origin) {
        return no_room(loader);
    }
    if (from_file) {
        enum loy_err err = read_secret(loader, text, from, &text);
        if (err) {
            return err;
        }
    }
    if (!loy_config_parse(row, text, &loader->arena, loader->config)) {
        char allowed[LOY_CONFIG_ALLOWED_MAX];
        loy_config_allowed(row, allowed);
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: %s = '%.100s': must be %s", from, row->key,
                             row->kind == LOY_KIND_SECRET ? "(secret)" : text, allowed);
    }
    loader->config->text[key] = text;
    loader->config->came_from[key] = origin;
    loader->set_in[key] = loader->layer;
    return LOY_OK;
}

static enum loy_err set_defaults(struct loader *loader)
{
    loader->layer = LAYER_DEFAULT;
    for (int key = 0; key < LOY_KEY_COUNT; key++) {
        enum loy_err err = set(loader, key, false, loy_str(loy_config_row(key)->by_default), "default");
        if (err) {
            return err;
        }
    }
    return LOY_OK;
}

static struct loy_str trim(struct loy_str text)
{
    while (text.len > 0 && isspace((unsigned char)text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && isspace((unsigned char)text.at[text.len - 1])) {
        text.len--;
    }
    return text;
}

static enum loy_err read_line(struct loader *loader, struct loy_str line, const char *from)
{
    line = trim(line);
    if (line.len == 0 || line.at[0] == '#') {
        return LOY_OK;
    }
    const char *equals = memchr(line.at, '=', line.len);
    if (!equals) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: expected key = value, found '%.*s'", from,
                             line.len < 60 ? (int)line.len : 60, line.at);
    }
    struct loy_str name = trim((struct loy_str){line.at, (size_t)(equals - line.at)});
    struct loy_str value = trim((struct loy_str){equals + 1, (size_t)(line.at + line.len - equals - 1)});
    bool from_file = false;
    int key = find_key(name.at, name.len, &from_file);
    if (key < 0) {
        const char *text = loy_str_dup_z(&loader->arena, name);
        return text ? unknown(loader, text, from) : no_room(loader);
    }
    return set(loader, key, from_file, value, from);
}

static enum loy_err read_config_file(struct loader *loader, const char *path, const char *from)
{
    loader->layer = LAYER_FILE;
    struct loy_str text = {0};
    enum loy_err err = read_file(loader, path, from, &text);
    for (int line = 1; !err && text.len > 0; line++) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t length = end ? (size_t)(end - text.at) : text.len;
        char where[LOY_ERROR_DETAIL_MAX / 2];
        (void)snprintf(where, sizeof where, "%.200s:%d", path, line);
        err = read_line(loader, (struct loy_str){text.at, length}, where);
        length += end != NULL;
        text = (struct loy_str){text.at + length, text.len - length};
    }
    return err;
}

/* Kubernetes and Docker put LOYALD_…_SERVICE_HOST, LOYALD_…_PORT_8080_TCP and their like into the environment of
 * whoever runs beside a service named loyald-…: they are not meant for us. */
static bool is_of_a_service_link(const char *name, const char *value)
{
    static const char *const marks[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_TCP", "_UDP", "_SCTP"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (strstr(name, marks[i])) {
            return true;
        }
    }
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, "_PORT") == 0 && strstr(value, "://");
}

static enum loy_err read_variable(struct loader *loader, const char *variable)
{
    static const char prefix[] = "LOYALD_";
    const char *equals = strchr(variable, '=');
    if (!equals || strncmp(variable, prefix, sizeof prefix - 1) != 0) {
        return LOY_OK;
    }
    char from[NAME_BYTES];
    char name[NAME_BYTES];
    (void)snprintf(from, sizeof from, "%.*s", (int)(equals - variable), variable);
    size_t length = strlen(from) - (sizeof prefix - 1);
    for (size_t i = 0; i <= length; i++) {
        name[i] = (char)tolower((unsigned char)from[i + sizeof prefix - 1]);
    }
    /* The file was read before; where the test data is concerns the tests, under which a program may have been started.
     */
    if (strcmp(from, "LOYALD_CONFIG") == 0 || strcmp(from, "LOYALD_SHARED") == 0) {
        return LOY_OK;
    }
    bool from_file = false;
    int key = find_key(name, length, &from_file);
    if (key >= 0) {
        return set(loader, key, from_file, loy_str(equals + 1), from);
    }
    return is_of_a_service_link(from, equals + 1) ? LOY_OK : unknown(loader, name, from);
}

static enum loy_err read_environment(struct loader *loader, char *const *environment)
{
    loader->layer = LAYER_ENVIRONMENT;
    enum loy_err err = LOY_OK;
    for (; environment && *environment && !err; environment++) {
        err = read_variable(loader, *environment);
    }
    return err;
}

/* One --name value or --name=value at argv[*at]; moves *at behind it. */
static enum loy_err read_option(struct loader *loader, const struct loy_config_args *args, int *at)
{
    const char *name = args->argv[*at] + 2;
    size_t length = strcspn(name, "=");
    char from[NAME_BYTES];
    (void)snprintf(from, sizeof from, "--%.*s", length < 100 ? (int)length : 100, name);
    bool is_config = length == 6 && memcmp(name, "config", 6) == 0;
    bool from_file = false;
    int key = find_key(name, length, &from_file);
    if (key < 0 && !is_config) {
        return unknown(loader, from + 2, from);
    }
    const struct loy_config_row *row = is_config ? NULL : loy_config_row(key);
    if (row && !(row->programs & (int)args->program)) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: this program does not use %s", from, row->key);
    }
    const char *value = name[length] == '=' ? name + length + 1 : args->argv[++*at];
    if (*at >= args->argc || !value) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "%s: a value is missing", from);
    }
    ++*at;
    return is_config ? LOY_OK : set(loader, key, from_file, loy_str(value), from);
}

static enum loy_err read_arguments(struct loader *loader, const struct loy_config_args *args)
{
    loader->layer = LAYER_ARGUMENTS;
    int at = 1;
    while (at < args->argc && strncmp(args->argv[at], "--", 2) == 0 && args->argv[at][2] != '\0') {
        if (strcmp(args->argv[at], "--print-config") == 0) {
            loader->config->action = LOY_CONFIG_PRINT;
            at++;
            continue;
        }
        enum loy_err err = read_option(loader, args, &at);
        if (err) {
            return err;
        }
    }
    if (at < args->argc && strcmp(args->argv[at], "--") == 0) {
        at++;
    }
    if (at < args->argc && args->program != LOY_CONFIG_CTL) {
        return loy_error_set(loader->error, LOY_ERR_CONFIG, "'%.60s': expected --key value; --help lists the keys",
                             args->argv[at]);
    }
    loader->config->next_arg = at;
    return LOY_OK;
}

/* What the command line asks for before anything else is read, and the configuration file that it names. */
static const char *look_ahead(const struct loy_config_args *args, struct loy_config *config)
{
    const char *path = NULL;
    for (int at = 1; at < args->argc && strncmp(args->argv[at], "--", 2) == 0 && args->argv[at][2]; at++) {
        const char *word = args->argv[at];
        if (strcmp(word, "--help") == 0) {
            config->action = LOY_CONFIG_HELP;
        } else if (strcmp(word, "--version") == 0) {
            config->action = LOY_CONFIG_VERSION;
        } else if (strncmp(word, "--config=", 9) == 0) {
            path = word + 9;
        } else if (strcmp(word, "--config") == 0) {
            path = at + 1 < args->argc ? args->argv[at + 1] : NULL;
            at++;
        } else if (!strchr(word, '=') && strcmp(word, "--print-config") != 0) {
            at++;
        }
    }
    return path;
}

static const char *config_variable(char *const *environment)
{
    for (; environment && *environment; environment++) {
        if (strncmp(*environment, "LOYALD_CONFIG=", 14) == 0 && (*environment)[14]) {
            return *environment + 14;
        }
    }
    return NULL;
}

static bool is_topic(struct loy_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!isalnum((unsigned char)c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return name.len > 0 && name.len <= 249 && !loy_str_equal(name, LOY_STR(".")) && !loy_str_equal(name, LOY_STR(".."));
}

/* Topics are Kafka's names, each for one purpose. */
static enum loy_err check_topics(const struct loy_config *config, struct loy_error *error)
{
    static const int keys[] = {LOY_KEY_topic_internal, LOY_KEY_topic_ticks,        LOY_KEY_topic_updates,
                               LOY_KEY_topic_balances, LOY_KEY_topic_dead_letters, LOY_KEY_topic_previews,
                               LOY_KEY_topic_outcomes};
    struct {
        struct loy_str name;
        int key;
    } all[32];
    size_t count = 0;
    for (uint16_t i = 0; i < config->topics.count; i++) {
        all[count].key = LOY_KEY_topics;
        all[count++].name = config->topics.items[i];
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (config->text[keys[i]][0]) {
            all[count].key = keys[i];
            all[count++].name = loy_str(config->text[keys[i]]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *key = loy_config_row(all[i].key)->key;
        const char *from = config->came_from[all[i].key];
        if (!is_topic(all[i].name)) {
            return loy_error_set(error, LOY_ERR_CONFIG,
                                 "%s: %s = '%.*s': a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -",
                                 from, key, LOY_STR_ARG(all[i].name));
        }
        for (size_t j = 0; j < i; j++) {
            if (loy_str_equal(all[i].name, all[j].name)) {
                return loy_error_set(error, LOY_ERR_CONFIG, "%s: %s = '%.*s': is the topic of %s already", from, key,
                                     LOY_STR_ARG(all[i].name), loy_config_row(all[j].key)->key);
            }
        }
    }
    return LOY_OK;
}

static enum loy_err check_together(const struct loy_config *config, struct loy_error *error)
{
    if (config->batch_min > config->batch_max) {
        return loy_error_set(error, LOY_ERR_CONFIG, "%s: batch_min = '%s': must be at most batch_max, %s",
                             config->came_from[LOY_KEY_batch_min], config->text[LOY_KEY_batch_min],
                             config->text[LOY_KEY_batch_max]);
    }
    if ((config->kafka_ssl_certificate[0] == '\0') != (config->kafka_ssl_key[0] == '\0')) {
        return loy_error_set(error, LOY_ERR_CONFIG,
                             "kafka_ssl_certificate and kafka_ssl_key go together: one is empty");
    }
    return check_topics(config, error);
}

static enum loy_err load_layers(struct loader *loader, const struct loy_config_args *args, const char *path)
{
    const char *from = path ? "--config" : "LOYALD_CONFIG";
    path = path ? path : config_variable(args->environment);
    enum loy_err err = set_defaults(loader);
    err = err || !path ? err : read_config_file(loader, path, from);
    err = err ? err : read_environment(loader, args->environment);
    err = err ? err : read_arguments(loader, args);
    return err ? err : check_together(loader->config, loader->error);
}

enum loy_err loy_config_load(const struct loy_config_args *args, struct loy_config *ret_config, struct loy_error *error)
{
    assert(args->argc >= 1);
    struct loy_config config = {.action = LOY_CONFIG_RUN, .next_arg = args->argc, .block = malloc(BLOCK_BYTES)};
    if (!config.block) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the configuration");
    }
    struct loader loader = {.config = &config, .error = error};
    loy_arena_init(&loader.arena, config.block, BLOCK_BYTES);
    const char *path = look_ahead(args, &config);
    if (config.action == LOY_CONFIG_RUN) {
        enum loy_err err = load_layers(&loader, args, path);
        if (err) {
            loy_config_fini(&config);
            return err;
        }
    }
    *ret_config = config;
    return LOY_OK;
}

void loy_config_fini(struct loy_config *config)
{
    if (config->block) {
        explicit_bzero(config->block, BLOCK_BYTES);
        free(config->block);
    }
    *config = (struct loy_config){0};
}
