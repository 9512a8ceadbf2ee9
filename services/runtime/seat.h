/* A seat: a name that one process has among all there are, and that its successor gets when it has ended.
 *
 * Kafka gives the partitions of a member that comes again under its name back at once, where a stranger waits until the
 * session of the dead has ended; and it ends the older of two that have one name. So the name has to be free for
 * certain: it is made of the machine's boot, the network namespace and a number, and whoever holds the number has an
 * abstract Unix socket of that namespace bound, which the kernel closes when the process ends, however it ends.
 * Impure (sockets, /proc; Linux). One thread, at the start. Decided in docs/adr/0027. Test:
 * tests/unit/test_runtime_seat.c. */
#ifndef LOY_RUNTIME_SEAT_H
#define LOY_RUNTIME_SEAT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum { LOY_SEAT_NAME_MAX = 48, LOY_SEATS_MAX = 256 };

struct loy_seat {
    bool held;
    int fd; /* open for as long as it is */
    int number;
    char name[LOY_SEAT_NAME_MAX]; /* letters, digits and hyphens */
};

/* The lowest seat that is free, of those for `what` (everything that its holders have in common, in any form).
 * LOY_ERR_UNAVAILABLE: this system tells no namespace or boot, allows no such socket, or all seats are taken. */
LOY_MUST_USE enum loy_err loy_seat_take(const struct loy_str *what, size_t what_count, struct loy_seat *ret_seat,
                                        struct loy_error *error);
/* Takes one that is not held. */
void loy_seat_leave(struct loy_seat *seat);

#endif
