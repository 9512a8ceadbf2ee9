#include "engine/programme.h"

bool loy_programme_is_historical(const struct loy_programme *programme, struct loy_str source)
{
    for (uint32_t i = 0; i < programme->historical_source_count; i++) {
        if (loy_str_equal(programme->historical_sources[i], source)) {
            return true;
        }
    }
    return false;
}

const char *loy_window_name(enum loy_window window)
{
    switch (window) {
#define NAME_CASE(symbol, number, name)                                                                                \
    case LOY_WINDOW_##symbol:                                                                                          \
        return name;
        LOY_WINDOWS(NAME_CASE)
#undef NAME_CASE
    }
    return "unknown";
}
