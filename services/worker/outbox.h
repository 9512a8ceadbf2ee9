/* Outbox: the messages of one batch and partition as bytes, and read back. What is committed before it is published.
 *
 * Format: for each message: byte output | byte flags (1 key, 2 value) | varint partition + 1 | key | value | varint
 * header count | each header: name | byte has value | value; every text is a varint length and its bytes.
 * Test: tests/unit/test_outbox.c. */
#ifndef LOY_WORKER_OUTBOX_H
#define LOY_WORKER_OUTBOX_H

#include "base/varint.h"
#include "ports/bus.h"

/* Where a message goes. Numbers are stored in outbox rows. */
enum loy_output {
    LOY_OUTPUT_UPDATES = 1,
    LOY_OUTPUT_BALANCES = 2,
    LOY_OUTPUT_DEAD_LETTERS = 3,
    LOY_OUTPUT_OUTCOMES = 4,
    LOY_OUTPUT_INTERNAL = 5,
    LOY_OUTPUT_LATEST = 6, /* stands once and is read as two: UPDATES, then BALANCES */
    LOY_OUTPUT_PREVIEWS = 7,
};

enum { LOY_OUTBOX_HEADERS_MAX = 128 };

struct loy_outbox_message {
    enum loy_output output;
    struct loy_bus_message message; /* topic is empty: the reader's owner knows its name */
    struct loy_header headers[LOY_OUTBOX_HEADERS_MAX];
};

/* Appends; message->topic is not written. Headers past the maximum are left out. */
void loy_outbox_put(struct loy_buf *buf, enum loy_output output, const struct loy_bus_message *message);

/* A message without headers takes no more beside its key and value. */
enum { LOY_OUTBOX_OVERHEAD = 32 };

struct loy_outbox_reader {
    struct loy_varint_reader in;
    bool half_read; /* of a LATEST message, UPDATES was handed out */
};

/* True with the next message (borrowed from the payload), false at the end or when in.failed. */
bool loy_outbox_get(struct loy_outbox_reader *reader, struct loy_outbox_message *ret_message);

#endif
