/* Errors: one row a code, and what each class asks its reader to do.
 *
 * Every function that can fail returns enum loy_err and must be looked at. The class says what to do next; only the
 * batch loop of the worker switches on it. Pure; any thread. Test: tests/unit/test_base.c. */
#ifndef LOY_BASE_ERR_H
#define LOY_BASE_ERR_H

#include <stdarg.h>

enum loy_err_class {
    LOY_CLASS_OK,     /* go on */
    LOY_CLASS_RETRY,  /* an outage: pause, back off, try again; never a dead letter */
    LOY_CLASS_REJECT, /* this input is wrong and stays wrong: dead letter, go on with the next */
    LOY_CLASS_FATAL,  /* stop the process, keep the offset; a person has to look */
};

/* clang-format off */
/*   symbol, class, stable name (logs, metrics, dead-letter headers), what it means */
#define LOY_ERR_TABLE(X)                                                                                               \
    X(OK, OK, "ok", "Nothing is wrong")                                                                                \
    X(UNAVAILABLE, RETRY, "unavailable", "A service cannot be reached or is shutting down")                            \
    X(TIMEOUT, RETRY, "timeout", "No answer in time; the outcome may be unknown")                                      \
    X(AGAIN, RETRY, "again", "Full or not ready: call again later")                                                    \
    X(MALFORMED, REJECT, "malformed", "Bytes that are neither protobuf nor JSON of ours")                              \
    X(TOO_LARGE, REJECT, "too_large", "A size or a count over its named limit")                                        \
    X(INVALID_TEXT, REJECT, "invalid_text", "Not UTF-8, U+0000, or an unpaired surrogate")                             \
    X(UNKNOWN_KIND, REJECT, "unknown_kind", "An event kind that this version does not know")                           \
    X(MISSING_FIELD, REJECT, "missing_field", "A required field is absent or empty")                                   \
    X(INVALID_VALUE, REJECT, "invalid_value", "A field outside its documented range")                                  \
    X(INVALID_MEMBER, REJECT, "invalid_member", "Member id too long, empty, or beginning with ~")                      \
    X(INVALID_TIME, REJECT, "invalid_time", "A moment outside what is accepted")                                    \
    X(UNKNOWN_CURRENCY, REJECT, "unknown_currency", "No rate from this currency to the programme's")                   \
    X(TOTAL_DIFFERS, REJECT, "total_differs", "Stated total is not the sum of the lines")                              \
    X(OVERFLOW, REJECT, "overflow", "An amount does not fit its 64 bits")                                              \
    X(EVENT_ID_REUSED, REJECT, "event_id_reused", "The same event id came with other content")                         \
    X(UNKNOWN_MEMBER, REJECT, "unknown_member", "No such member, and enrolment is off")                                \
    X(STATE_TOO_LARGE, REJECT, "state_too_large", "The account's state would pass its hard limit")                     \
    X(POISON, REJECT, "poison", "The store refuses the data of this one event")                                        \
    X(NOT_FOUND, FATAL, "not_found", "A thing named by its caller does not exist")                                     \
    X(CONFIG, FATAL, "config", "Configuration that cannot work")                                                       \
    X(CORRUPT, FATAL, "corrupt", "Stored bytes that cannot be what we wrote")                                          \
    X(MISMATCH, FATAL, "mismatch", "Installation, schema or topics are not as agreed")                                 \
    X(NO_MEMORY, FATAL, "no_memory", "Arena or region exhausted")                                                      \
    X(INTERNAL, FATAL, "internal", "A broken invariant: a bug of ours")
/* clang-format on */

enum loy_err {
#define LOY_ERR_ENUM(symbol, class, name, help) LOY_ERR_##symbol,
    LOY_ERR_TABLE(LOY_ERR_ENUM)
#undef LOY_ERR_ENUM
        LOY_ERR_COUNT
};

#define LOY_OK LOY_ERR_OK
#define LOY_MUST_USE __attribute__((warn_unused_result))
#define LOY_COLD __attribute__((cold)) /* what leads to a call is rare, and is laid out apart */
#define LOY_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

enum { LOY_ERROR_DETAIL_MAX = 512 }; /* bytes, with the final NUL */

/* A code with the sentence that names what and where. The caller owns it; may be passed as NULL everywhere. */
struct loy_error {
    enum loy_err code;
    char detail[LOY_ERROR_DETAIL_MAX];
};

/* Borrowed constant strings; never NULL. */
const char *loy_err_name(enum loy_err code);
const char *loy_err_help(enum loy_err code);
enum loy_err_class loy_err_class(enum loy_err code);

/* Fills *error (if not NULL) and returns code, so that a failing branch is one line. */
LOY_COLD LOY_PRINTF(3, 4) enum loy_err
    loy_error_set(struct loy_error *error, enum loy_err code, const char *format, ...);

#endif
