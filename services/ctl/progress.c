#include "ctl/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_US = 200000, BAR_CELLS = 30 };

int64_t loy_progress_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void loy_progress_begin(struct loy_progress *progress)
{
    int64_t now = loy_progress_now_us();
    *progress = (struct loy_progress){.shown = isatty(STDERR_FILENO) == 1, .started_us = now, .next_us = now};
}

void loy_progress_show(struct loy_progress *progress, int64_t done, int64_t total, uint64_t count, const char *note)
{
    int64_t now = loy_progress_now_us();
    if (!progress->shown || now < progress->next_us) {
        return;
    }
    progress->next_us = now + REDRAW_US;
    progress->drawn = true;
    int64_t elapsed = now - progress->started_us + 1;
    uint64_t rate = (uint64_t)((unsigned __int128)count * 1000000 / (uint64_t)elapsed);
    if (total <= 0) {
        (void)fprintf(stderr, "\r\033[K%" PRIu64 " records, %" PRIu64 "/s %s", count, rate, note);
        return;
    }
    char bar[BAR_CELLS + 1];
    int full = (int)((__int128)done * BAR_CELLS / total);
    full = full > BAR_CELLS ? BAR_CELLS : full;
    memset(bar, '.', BAR_CELLS);
    memset(bar, '#', (size_t)full);
    bar[BAR_CELLS] = 0;
    (void)fprintf(stderr, "\r\033[K[%s] %3d %%  %" PRIu64 " records, %" PRIu64 "/s %s", bar,
                  (int)((__int128)done * 100 / total), count, rate, note);
}

void loy_progress_end(struct loy_progress *progress)
{
    if (progress->drawn) {
        (void)fputs("\r\033[K", stderr);
    }
}
