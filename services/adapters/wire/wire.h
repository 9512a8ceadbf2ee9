/* Wire: the bytes that travel, and what the engine sees. Events in; updates, outcomes, traces and ticks out.
 *
 * What travels is specified in proto/loyalty/v1 and told to publishers in docs/events.md. Encodings are told apart by
 * the record's headers and first bytes: protobuf, protobuf or JSON in the framing of Confluent's schema registry,
 * JSON (protobuf's mapping, both field-name forms), CloudEvents 1.0 (binary and structured).
 * No state, no clock; any thread, an arena each. Protobuf takes nothing from the heap; JSON does while it is read, and
 * gives it back. Test: tests/unit/test_wire_*.c, tests/integration/test_wire.py,
 * tests/fuzz/fuzz_wire.c. */
#ifndef LOY_ADAPTERS_WIRE_WIRE_H
#define LOY_ADAPTERS_WIRE_WIRE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "engine/account.h"
#include "engine/effects.h"
#include "engine/event.h"
#include "engine/nearest.h"
#include "engine/programme.h"
#include "ports/bus.h"

#include <stdbool.h>
#include <stdint.h>

/* An arena with this much left is never too small for one loy_wire_decode, whatever the record holds. Usual records
 * take a few KiB. */
enum { LOY_WIRE_DECODE_ARENA = 16 << 20 };

/* Reads one record's value (and its content-type and ce_* headers) and checks every limit of proto/loyalty/v1.
 *
 * Texts of *ret_event lie in the arena; nothing points into the record afterwards. ret_event->encoded is the canonical
 * protobuf: fields in order of their numbers, maps by key, without what this version does not know; the same event
 * gives the same bytes in whichever encoding it came. An event without member and identifier is no error: both texts
 * are empty then. A member id may begin with "~" only in a tick or a follow-up.
 * internal: the record is of loyald's own topics, where ticks and follow-ups may come; elsewhere they are refused.
 * Errors: class REJECT with a sentence that names the field, or LOY_ERR_NO_MEMORY; then the arena is as it was. The
 * sentence never holds text of the record, which may be personal; names of unknown fields excepted.
 * A tombstone (no value) is the caller's to recognise: it is LOY_ERR_MALFORMED here. */
LOY_MUST_USE enum loy_err loy_wire_decode(const struct loy_record *record, bool internal, struct loy_arena *arena,
                                          struct loy_event *ret_event, struct loy_error *error);

/* The same with a second arena for what is needed during the call only, which is more than the event itself. After an
 * error too it is the caller's to empty. */
LOY_MUST_USE enum loy_err loy_wire_decode_in(const struct loy_record *record, bool internal, struct loy_arena *arena,
                                             struct loy_arena *scratch, struct loy_event *ret_event,
                                             struct loy_error *error);

/* The same for an event that we encoded: the journal's bytes. LOY_ERR_CORRUPT when they are not. */
LOY_MUST_USE enum loy_err loy_wire_event_decode(struct loy_str encoded, struct loy_arena *arena,
                                                struct loy_event *ret_event, struct loy_error *error);

/* What a balance update is made of. All borrowed. */
struct loy_wire_update {
    const struct loy_programme *programme; /* names wallets and rules */
    const struct loy_programme *newest;    /* names wallets that `programme` does not know yet; NULL: there are none */
    const struct loy_account *account;     /* after the event, version included */
    const struct loy_event *event;
    const struct loy_effects *effects;
    int32_t incarnation;
};

/* What a preview is answered with: the decision as of an event that was applied, which this one was not. */
struct loy_wire_preview {
    struct loy_wire_update decided;
    const struct loy_nearest *nearest;
    uint32_t nearest_count;
};

/* The outcome of one input record. Texts may be empty: they are left out then. */
struct loy_wire_outcome {
    struct loy_str topic;
    int32_t partition;
    int64_t offset;
    struct loy_str outcome; /* "applied", "duplicate", … */
    struct loy_str detail;
    struct loy_str source;
    struct loy_str event_id;
};

/* Encoders: the bytes in the arena; json false: protobuf, true: JSON with the names of the .proto files. They fail only
 * with LOY_ERR_NO_MEMORY. */

/* An Update with its BalanceUpdate: every wallet of the programme, every entry of the effects. */
LOY_MUST_USE enum loy_err loy_wire_encode_update(const struct loy_wire_update *update, bool json,
                                                 struct loy_arena *arena, struct loy_str *ret_bytes);
/* An Update with a Preview, and without a version. */
LOY_MUST_USE enum loy_err loy_wire_encode_preview(const struct loy_wire_preview *preview, bool json,
                                                  struct loy_arena *arena, struct loy_str *ret_bytes);
LOY_MUST_USE enum loy_err loy_wire_encode_outcome(const struct loy_wire_outcome *outcome, bool json,
                                                  struct loy_arena *arena, struct loy_str *ret_bytes);
/* The event that says: time has passed for this account until due_at. The same arguments always give the same bytes.
 * due_at_us is cut to what a Timestamp can hold. */
LOY_MUST_USE enum loy_err loy_wire_encode_tick(struct loy_str member_id, int64_t due_at_us, struct loy_arena *arena,
                                               struct loy_str *ret_bytes);
/* What the journal keeps beside the event; always protobuf. */
LOY_MUST_USE enum loy_err loy_wire_encode_trace(const struct loy_effects *effects, bool enrolled,
                                                struct loy_arena *arena, struct loy_str *ret_bytes);

/* A trace read back. Everything in the arena, reasons included. */
struct loy_wire_trace {
    const struct loy_rule_trace *rules;
    uint32_t rule_count;
    uint32_t advanced;
    bool late;
    bool enrolled;
};

/* LOY_ERR_CORRUPT for bytes that are not a trace. */
LOY_MUST_USE enum loy_err loy_wire_trace_decode(struct loy_str encoded, struct loy_arena *arena,
                                                struct loy_wire_trace *ret_trace, struct loy_error *error);

/* Journal bytes and messages of ours as JSON, for people: names of the .proto files. LOY_ERR_CORRUPT for other bytes.
 */
enum loy_wire_message { LOY_WIRE_EVENT, LOY_WIRE_TRACE, LOY_WIRE_UPDATE, LOY_WIRE_OUTCOME };
LOY_MUST_USE enum loy_err loy_wire_to_json(enum loy_wire_message message, struct loy_str encoded,
                                           struct loy_arena *arena, struct loy_str *ret_json, struct loy_error *error);

#endif
