/* Revisions: the programmes port of a worker process: a thread that loads what is published and compiles it.
 *
 * One a process, shared by its workers. Looks every two seconds, and at once when a worker asks. A revision that this
 * version cannot compile is named in the log and by loy_worker_revisions_ready; what it does not shadow stays in use,
 * and the commit's guard keeps anyone from deciding by the wrong one. What was loaded stays loaded.
 * Test: tests/integration/test_revisions.py. */
#ifndef LOY_WORKER_REVISIONS_H
#define LOY_WORKER_REVISIONS_H

#include "base/err.h"
#include "ports/programmes.h"
#include "runtime/config.h"

#include <stdbool.h>
#include <stddef.h>

struct loy_worker_revisions;

/* Starts the thread. config is borrowed: where PostgreSQL is, and the historical sources of programmes that name none.
 */
LOY_MUST_USE enum loy_err loy_worker_revisions_start(const struct loy_config *config,
                                                     struct loy_worker_revisions **ret_revisions,
                                                     struct loy_error *error);
/* After the workers have ended. Takes NULL. */
void loy_worker_revisions_stop(struct loy_worker_revisions *revisions);

/* `current` gives NULL until there is a revision: no worker may run before. */
struct loy_programmes loy_worker_revisions_port(struct loy_worker_revisions *revisions);
/* True when everything published is in use; else a sentence that says what is missing. Any thread. */
bool loy_worker_revisions_ready(struct loy_worker_revisions *revisions, char *ret_why, size_t size);

#endif
