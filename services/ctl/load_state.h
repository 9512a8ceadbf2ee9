/* Load state: how far a file has been published, kept in a small file beside it.
 *
 * Written whole and renamed into place, so that it is never half there. Only what Kafka has acknowledged counts: after
 * an interruption the records behind that place are published again. One thread. Test: tests/unit/test_ctl_load.c. */
#ifndef LOY_CTL_LOAD_STATE_H
#define LOY_CTL_LOAD_STATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct loy_load_state {
    int64_t size;     /* of the file, to know it again */
    int64_t pass;     /* 0, 1, … of --repeat */
    int64_t offset;   /* everything before it is acknowledged */
    uint64_t records; /* acknowledged so far, all passes */
};

/* *ret_found false when there is no such file yet; LOY_ERR_CONFIG when it is not one of ours. */
LOY_MUST_USE enum loy_err loy_load_state_read(const char *path, struct loy_load_state *ret_state, bool *ret_found,
                                              struct loy_error *error);
LOY_MUST_USE enum loy_err loy_load_state_write(const char *path, const struct loy_load_state *state,
                                               struct loy_error *error);

/* Which of the records on their way are acknowledged. They are numbered 1, 2, 3 …; acknowledgements come in any
 * order. */
enum { LOY_UNDERWAY_MAX = 65536 };

struct loy_underway {
    uint64_t sent;  /* the last number given out */
    uint64_t acked; /* all up to this one are acknowledged */
    struct {
        int64_t pass, end; /* where the record ends in the file */
        bool acked;
    } records[LOY_UNDERWAY_MAX]; /* by number modulo the size */
};

bool loy_underway_is_full(const struct loy_underway *underway);
/* The number of a record that is about to be sent; not when it is full. */
uint64_t loy_underway_add(struct loy_underway *underway, int64_t pass, int64_t end);
void loy_underway_acknowledge(struct loy_underway *underway, uint64_t number, struct loy_load_state *state);

#endif
