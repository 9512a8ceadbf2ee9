#include "adapters/wire/path.h"

#include <inttypes.h>
#include <stdio.h>

enum { FRAMES_SHOWN = 8 };

static size_t write_path(const struct loy_wire_path *path, char *text, size_t size)
{
    const struct loy_wire_path *frames[FRAMES_SHOWN];
    size_t count = 0;
    for (; path && count < FRAMES_SHOWN; path = path->up) {
        if (path->name) {
            frames[count++] = path;
        }
    }
    size_t used = 0;
    while (count > 0 && used < size) {
        const struct loy_wire_path *frame = frames[--count];
        int length = frame->index < 0 ? snprintf(text + used, size - used, "%s%s", used ? "." : "", frame->name)
                                      : snprintf(text + used, size - used, "%s%s[%" PRId64 "]", used ? "." : "",
                                                 frame->name, frame->index);
        used += length > 0 ? (size_t)length : 0;
    }
    return used < size ? used : size - 1;
}

enum loy_err loy_wire_fail(struct loy_error *error, enum loy_err code, const struct loy_wire_path *path,
                           const char *format, ...)
{
    if (!error) {
        return code;
    }
    char where[200];
    size_t length = write_path(path, where, sizeof where);
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return loy_error_set(error, code, "%.*s%s%s", (int)length, where, length ? ": " : "", what);
}
