/* Failpoints: places where a test ends, stops, delays or fails the program, on purpose and at a known moment.
 *
 *   err = err ? err : LOY_FAILPOINT("decide");
 *
 * In what is shipped the macro is LOY_OK and nothing else. `make FAILPOINTS=1` builds programs of their own (never in
 * the same folder) that read LOY_FAILPOINT of their environment when they come to their first point:
 *
 *   LOY_FAILPOINT=commit_sent=kill            SIGKILL to ourselves
 *   LOY_FAILPOINT=decide=stop@3               SIGSTOP, at the third pass, counted over all threads
 *   LOY_FAILPOINT=load=error@2,decide=sleep   an outage (LOY_ERR_UNAVAILABLE) returned once; two seconds of silence
 * once
 *
 * Each entry strikes once, and is logged before it does. Impure. Any thread. Test: tests/faults/ (`make faults`),
 * tests/integration/test_faults.py. */
#ifndef LOY_RUNTIME_FAILPOINT_H
#define LOY_RUNTIME_FAILPOINT_H

#include "base/err.h"

#ifdef LOY_FAILPOINTS
/* name is a literal in snake_case, found by its text in the sources: tests/faults tries each. */
#define LOY_FAILPOINT(name) loy_failpoint_pass(name)
LOY_MUST_USE enum loy_err loy_failpoint_pass(const char *name);
#else
#define LOY_FAILPOINT(name) LOY_OK
#endif

#endif
