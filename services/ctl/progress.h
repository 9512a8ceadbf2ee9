/* Progress: a bar on a terminal, nothing anywhere else.
 *
 * Standard error, redrawn at most five times a second. One thread. Test: tests/integration/test_ctl_story.py. */
#ifndef LOY_CTL_PROGRESS_H
#define LOY_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct loy_progress {
    bool shown; /* standard error is a terminal */
    bool drawn;
    int64_t started_us;
    int64_t next_us;
};

int64_t loy_progress_now_us(void); /* a clock that only goes forward */
void loy_progress_begin(struct loy_progress *progress);
/* done of total (bytes; total < 0: not known); count: records so far; note: a few words, or "". */
void loy_progress_show(struct loy_progress *progress, int64_t done, int64_t total, uint64_t count, const char *note);
/* Takes the bar away. */
void loy_progress_end(struct loy_progress *progress);

#endif
