#include "adapters/redis/address.h"

#include "base/str.h"

#include <string.h>

enum { DB_MAX = 65535 };

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* text with its %XX replaced; NULL for a broken one, for %00, and when the arena is full. */
static const char *decode(struct loy_arena *arena, struct loy_str text)
{
    char *decoded = loy_arena_alloc(arena, text.len + 1);
    size_t length = 0;
    for (size_t i = 0; decoded && i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex(text.at[i + 1]) : -1;
            int low = i + 2 < text.len ? hex(text.at[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || c == '\0') {
                return NULL;
            }
            i += 2;
        }
        decoded[length++] = c;
    }
    if (decoded) {
        decoded[length] = '\0';
    }
    return decoded;
}

/* Splits text at the first (or last) separator; what is behind it, *ret_has false and everything left when there is
 * none. */
static struct loy_str cut(struct loy_str *text, char separator, bool last, bool *ret_has)
{
    const char *at = !text->len ? NULL
                     : last     ? memrchr(text->at, separator, text->len)
                                : memchr(text->at, separator, text->len);
    *ret_has = at != NULL;
    if (!at) {
        return (struct loy_str){0};
    }
    struct loy_str rest = {at + 1, (size_t)(text->at + text->len - at - 1)};
    text->len = (size_t)(at - text->at);
    return rest;
}

static bool parse_db(struct loy_str text, int *ret_db)
{
    int64_t number = 0;
    if (text.len && (!loy_str_to_i64(text, &number) || number < 0 || number > DB_MAX)) {
        return false;
    }
    *ret_db = (int)number;
    return true;
}

/* user:password, or :password, or password alone as some write it. */
static bool parse_login(struct loy_str login, struct loy_arena *arena, struct loy_redis_address *address)
{
    bool has_colon;
    struct loy_str password = cut(&login, ':', false, &has_colon);
    if (!has_colon) {
        password = login;
        login.len = 0;
    }
    address->password = decode(arena, password);
    address->user = login.len ? decode(arena, login) : NULL;
    return address->password && (address->user || !login.len);
}

/* host, host:port, [v6], [v6]:port */
static bool parse_host(struct loy_str text, struct loy_arena *arena, struct loy_redis_address *address)
{
    bool has_port = false;
    struct loy_str port = {0};
    if (text.len && text.at[0] == '[') {
        bool closed;
        struct loy_str host = {text.at + 1, text.len - 1};
        struct loy_str rest = cut(&host, ']', false, &closed);
        if (!closed || (rest.len && rest.at[0] != ':')) {
            return false;
        }
        has_port = rest.len > 0;
        port = has_port ? (struct loy_str){rest.at + 1, rest.len - 1} : port;
        text = host;
    } else {
        port = cut(&text, ':', true, &has_port);
    }
    uint64_t number = 6379;
    if (has_port && (!loy_str_to_u64(port, &number) || number == 0 || number > 65535)) {
        return false;
    }
    address->host = decode(arena, text);
    address->port = loy_str_dup_z(arena, has_port ? port : LOY_STR("6379"));
    return address->host && address->host[0] && address->port;
}

static bool parse_tcp(struct loy_str rest, struct loy_arena *arena, struct loy_redis_address *address)
{
    bool has;
    (void)cut(&rest, '?', false, &has);
    if (has) {
        return false; /* a parameter that would be passed over in silence */
    }
    struct loy_str db = cut(&rest, '/', true, &has);
    return parse_db(db, &address->db) && parse_host(rest, arena, address);
}

static bool parse_unix(struct loy_str rest, struct loy_arena *arena, struct loy_redis_address *address)
{
    bool has;
    struct loy_str parameter = cut(&rest, '?', false, &has);
    if (has && (!loy_str_starts_with(parameter, LOY_STR("db=")) ||
                !parse_db((struct loy_str){parameter.at + 3, parameter.len - 3}, &address->db))) {
        return false;
    }
    address->path = decode(arena, rest);
    return address->path && address->path[0] == '/';
}

enum loy_err loy_redis_address_parse(const char *url, struct loy_arena *arena, struct loy_redis_address *ret_address,
                                     struct loy_error *error)
{
    static const struct {
        struct loy_str scheme;
        bool (*parse)(struct loy_str rest, struct loy_arena *arena, struct loy_redis_address *address);
        bool tls;
    } forms[] = {
        {{"redis://", 8}, parse_tcp, false}, {{"rediss://", 9}, parse_tcp, true}, {{"unix://", 7}, parse_unix, false}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!loy_str_starts_with(loy_str(url), forms[i].scheme)) {
            continue;
        }
        struct loy_redis_address address = {.tls = forms[i].tls};
        struct loy_str rest = loy_str(url + forms[i].scheme.len);
        struct loy_str login = rest;
        bool has_login;
        /* A password may hold an @ of its own, a path hardly does. */
        struct loy_str place = cut(&login, '@', true, &has_login);
        if ((!has_login || parse_login(login, arena, &address)) &&
            forms[i].parse(has_login ? place : rest, arena, &address)) {
            *ret_address = address;
            return LOY_OK;
        }
        break;
    }
    return loy_error_set(error, LOY_ERR_CONFIG,
                         "redis: the address must be redis://[user:password@]host[:port][/db], rediss://… or "
                         "unix://[user:password@]/path[?db=n], with %% as %%25 and @ as %%40 inside names");
}
