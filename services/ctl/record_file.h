/* Record file: events one after the other, as JSON lines or as length-prefixed protobuf, with the place of each.
 *
 * The length before a protobuf record is a varint, as protobuf's writeDelimitedTo. Empty lines are skipped. One thread.
 * Test: tests/unit/test_ctl_load.c. */
#ifndef LOY_CTL_RECORD_FILE_H
#define LOY_CTL_RECORD_FILE_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOY_RECORD_BYTES_MAX = 8 << 20 }; /* a longer one is taken for a file of another form */

enum loy_record_form { LOY_FORM_AUTO, LOY_FORM_JSON_LINES, LOY_FORM_PROTOBUF };

struct loy_record_file;

/* path "-": standard input. LOY_ERR_NOT_FOUND when it cannot be opened. AUTO looks at the first bytes. */
LOY_MUST_USE enum loy_err loy_record_file_open(const char *path, enum loy_record_form form,
                                               struct loy_record_file **ret_file, struct loy_error *error);
void loy_record_file_close(struct loy_record_file *file);

/* The next record, borrowed until the next call; *ret_end: the place behind it. LOY_ERR_NOT_FOUND at the end of the
 * file; LOY_ERR_MALFORMED, with the place, for a file that ends inside a record. */
LOY_MUST_USE enum loy_err loy_record_file_next(struct loy_record_file *file, struct loy_str *ret_record,
                                               int64_t *ret_end, struct loy_error *error);
/* Goes to a place that next() gave, or 0. LOY_ERR_CONFIG for standard input and pipes. */
LOY_MUST_USE enum loy_err loy_record_file_seek(struct loy_record_file *file, int64_t place, struct loy_error *error);
/* Bytes in all; -1 when that is not known. */
int64_t loy_record_file_size(const struct loy_record_file *file);

/* The member id that a record names, as far as its bytes can be read: the key to publish it under. Looks at the top
 * level (and at "data" of a CloudEvent) and no further, so that a broken record still gets its key. Empty: none. */
struct loy_str loy_record_member(struct loy_str record);

#endif
