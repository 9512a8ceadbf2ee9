#include "published/frozen.h"

#include "adapters/zones/zones.h"

#include <inttypes.h>

enum { OFFSET_S_MAX = 26 * 3600 };

/* The text up to the next `end`, which is stepped over. */
static struct loy_str cut_off(struct loy_str *rest, char end)
{
    const char *found = rest->len ? memchr(rest->at, end, rest->len) : NULL;
    struct loy_str part = {rest->at, found ? (size_t)(found - rest->at) : rest->len};
    size_t used = part.len + (found != NULL);
    *rest = (struct loy_str){used ? rest->at + used : rest->at, rest->len - used};
    return part;
}

static bool read_offset(struct loy_str *line, int32_t *ret_offset_s)
{
    int64_t offset;
    if (!loy_str_to_i64(cut_off(line, ' '), &offset) || offset < -OFFSET_S_MAX || offset > OFFSET_S_MAX) {
        return false;
    }
    *ret_offset_s = (int32_t)offset;
    return true;
}

/* What stands behind the name. */
static enum loy_err read_table(struct loy_str line, struct loy_arena *arena, struct loy_zone *ret_zone)
{
    size_t blanks = 0, count = 0;
    for (size_t i = 0; i < line.len; i++) {
        blanks += line.at[i] == ' ';
    }
    struct loy_zone_transition *rows = LOY_NEW_ARRAY(arena, struct loy_zone_transition, blanks / 2 + 1);
    if (!rows) {
        return LOY_ERR_NO_MEMORY;
    }
    rows[count].from_us = LOY_MOMENT_MIN;
    bool good = blanks % 2 == 0 && read_offset(&line, &rows[count++].offset_s);
    while (good && line.len > 0) {
        int64_t second;
        good = loy_str_to_i64(cut_off(&line, ' '), &second) && second <= LOY_MOMENT_MAX / LOY_US_PER_SECOND &&
               second > rows[count - 1].from_us / LOY_US_PER_SECOND && read_offset(&line, &rows[count].offset_s);
        rows[count].from_us = good ? second * LOY_US_PER_SECOND : 0;
        count += good;
    }
    *ret_zone = (struct loy_zone){rows, count};
    return good ? LOY_OK : LOY_ERR_CORRUPT;
}

static enum loy_err find(struct loy_str text, struct loy_str name, struct loy_arena *arena, struct loy_zone *ret_zone,
                         struct loy_error *error)
{
    while (text.len > 0) {
        struct loy_str line = cut_off(&text, '\n');
        if (loy_str_equal(cut_off(&line, ' '), name)) {
            enum loy_err err = read_table(line, arena, ret_zone);
            return err ? loy_error_set(error, err, "the table of time zone %.*s cannot be read", LOY_STR_ARG(name))
                       : LOY_OK;
        }
    }
    return loy_error_set(error, LOY_ERR_NOT_FOUND, "the revision has no table of time zone %.*s", LOY_STR_ARG(name));
}

static void write_down(struct loy_buf *buf, struct loy_str name, const struct loy_zone *zone)
{
    loy_buf_append(buf, name);
    loy_buf_printf(buf, " %" PRId32, zone->transitions[0].offset_s);
    for (size_t i = 1; i < zone->count; i++) {
        loy_buf_printf(buf, " %" PRId64 " %" PRId32, zone->transitions[i].from_us / LOY_US_PER_SECOND,
                       zone->transitions[i].offset_s);
    }
    loy_buf_append_byte(buf, '\n');
}

enum loy_err loy_frozen_zone(const struct loy_frozen_zones *zones, struct loy_str name, struct loy_arena *arena,
                             struct loy_zone *ret_zone, struct loy_error *error)
{
    enum loy_err err = zones && zones->is_frozen ? find(zones->text, name, arena, ret_zone, error)
                                                 : loy_zones_read(NULL, name, arena, ret_zone, error);
    if (!err && zones && zones->written) {
        write_down(zones->written, name, ret_zone);
    }
    return err;
}
