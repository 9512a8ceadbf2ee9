/* Programme file: a programme's text, its arena, and what compiling needs of this machine: zones and expressions.
 *
 * For the commands about programmes. One thread. Test: tests/integration/test_programme.py. */
#ifndef LOY_CTL_PROGRAMME_FILE_H
#define LOY_CTL_PROGRAMME_FILE_H

#include "published/published.h"
#include "runtime/region.h"

#include <stdio.h>

struct loy_ctl_programme {
    struct loy_region region;
    struct loy_arena arena;
    struct loy_regex *regex;
    struct loy_str text;
    const char *name; /* of the file, or "revision N"; borrowed */
    const struct loy_programme *programme;
    struct loy_programme_issues issues;
    struct loy_frozen_zones zones; /* of a revision; zeroed: this machine's */
    struct loy_numbers numbers;    /* no rows: numbered in the order of the file */
};

LOY_MUST_USE enum loy_err loy_ctl_programme_init(struct loy_ctl_programme *file, struct loy_error *error);
/* Takes a zeroed struct too. */
void loy_ctl_programme_fini(struct loy_ctl_programme *file);
/* The file's bytes into file->text. */
LOY_MUST_USE enum loy_err loy_ctl_programme_read(struct loy_ctl_programme *file, const char *path,
                                                 struct loy_error *error);
/* Dictionary and counters of a database: then numbers are theirs. */
LOY_MUST_USE enum loy_err loy_ctl_programme_numbers(struct loy_ctl_programme *file, struct loy_query *query,
                                                    struct loy_error *error);
/* The text and the zones of a revision; number 0: the newest. *ret_number: which it is. */
LOY_MUST_USE enum loy_err loy_ctl_programme_revision(struct loy_ctl_programme *file, struct loy_query *query,
                                                     int32_t number, int32_t *ret_number, struct loy_error *error);
/* Compiles file->text. LOY_ERR_INVALID_VALUE: see file->issues. */
LOY_MUST_USE enum loy_err loy_ctl_programme_compile(struct loy_ctl_programme *file, int32_t revision, int64_t from_us,
                                                    int64_t now_us);
/* Issues as people read them. */
void loy_ctl_programme_print_issues(struct loy_ctl_programme *file, FILE *out);
/* The same as a JSON list of {kind, line, column, message}. */
void loy_ctl_programme_json_issues(const struct loy_ctl_programme *file, FILE *out);

/* Microseconds since 1970 by this machine's clock. */
int64_t loy_ctl_now_us(void);

#endif
