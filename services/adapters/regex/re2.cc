#include "adapters/regex/re2.h"

#include <cstdio>
#include <new>

#include <re2/re2.h>

void *loy_re2_new(const char *pattern, size_t len, int64_t max_memory, char *ret_reason, size_t reason_size)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(max_memory);
    RE2 *re2 = new (std::nothrow) RE2(re2::StringPiece(pattern, len), options);
    if (!re2) {
        (void)std::snprintf(ret_reason, reason_size, "out of memory");
        return nullptr;
    }
    if (!re2->ok()) {
        (void)std::snprintf(ret_reason, reason_size, "%s", re2->error().c_str());
        delete re2;
        return nullptr;
    }
    return re2;
}

void loy_re2_delete(void *re2)
{
    delete static_cast<RE2 *>(re2);
}

int loy_re2_search(const void *re2, const char *text, size_t len)
{
    const RE2 *pattern = static_cast<const RE2 *>(re2);
    return pattern->Match(re2::StringPiece(text, len), 0, len, RE2::UNANCHORED, nullptr, 0) ? 1 : 0;
}
