/* Signals: SIGTERM and SIGINT become a flag and a readable descriptor; SIGPIPE is ignored.
 *
 * A second SIGINT (a person at the keyboard) ends the process at once, which is safe: nothing is half-written. The flag
 * and the pipe are the process's, so there is one of them. Call open once, before threads start; the others from any
 * thread. Test: tests/unit/test_runtime_signals.c. */
#ifndef LOY_RUNTIME_SIGNALS_H
#define LOY_RUNTIME_SIGNALS_H

#include "base/err.h"

#include <stdbool.h>

LOY_MUST_USE enum loy_err loy_signals_open(struct loy_error *error);
bool loy_signals_stop_asked(void);
/* As a signal does: for a program that stops by itself. */
void loy_signals_ask_stop(void);
/* Readable from the moment a stop is asked, for every thread that waits on it: never read from it. */
int loy_signals_fd(void);

#endif
