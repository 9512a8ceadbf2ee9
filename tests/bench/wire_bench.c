/* What decoding costs: a purchase of three lines, as protobuf and as JSON, and the same in another order of fields.
 *
 *   wire_bench [ROUNDS]      one line a case: ns of processor time an event, bytes of arena an event
 */
#include "adapters/wire/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LINE(id, sku, amount)                                                                                          \
    "{\"line_id\": \"" id "\", \"sku\": \"" sku "\", \"category\": \"bakery\", \"brand\": \"own\", "                   \
    "\"quantity_milli\": \"1000\", \"amount_minor\": \"" amount "\", \"discount_minor\": \"100\"}"

static const char purchase[] =
    "{\"event_id\": \"pos-17-000123456\", \"source\": \"pos\", \"member_id\": \"m0001234567\", "
    "\"occurred_at\": \"2026-11-21T09:30:00Z\", \"channel\": \"pos\", "
    "\"store\": {\"id\": \"s17\", \"kind\": \"corner\", \"city\": \"Tver\"}, \"purchase\": {"
    "\"order_id\": \"o-2026-000123456\", \"currency\": \"RUB\", \"lines\": [" LINE(
        "1", "4601234567890",
        "34900") ", " LINE("2", "4601234567891",
                           "9800") ", " LINE("3", "4601234567892",
                                             "12345") "], "
                                                      "\"total_minor\": \"57045\", \"tenders\": [{\"kind\": \"card\", "
                                                      "\"amount_minor\": \"57045\"}]}}";

static struct loy_record record_of(struct loy_str value)
{
    return (struct loy_record){.has_value = true, .value = value};
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure(const char *name, struct loy_str value, struct loy_arena *arena, long rounds)
{
    struct loy_record record = record_of(value);
    struct loy_arena_mark mark = loy_arena_mark(arena);
    struct loy_event event;
    struct loy_error error;
    size_t used = 0;
    double from = now_ns();
    for (long i = 0; i < rounds; i++) {
        loy_arena_reset_to(arena, mark);
        if (loy_wire_decode(&record, false, arena, &event, &error)) {
            fprintf(stderr, "%s: %s\n", name, error.detail);
            exit(1);
        }
        used = arena->used - mark.used;
    }
    printf("%-28s %5zu bytes %8.0f ns %6zu bytes of arena\n", name, value.len, (now_ns() - from) / (double)rounds,
           used);
    loy_arena_reset_to(arena, mark);
}

/* The same event with its first field last: right, but not in the order of our writer. */
static struct loy_str rotate(struct loy_str bytes, struct loy_arena *arena)
{
    size_t first = 2 + (size_t)(unsigned char)bytes.at[1];
    struct loy_buf buf;
    loy_buf_init(&buf, arena, bytes.len);
    loy_buf_append(&buf, (struct loy_str){bytes.at + first, bytes.len - first});
    loy_buf_append(&buf, (struct loy_str){bytes.at, first});
    return loy_buf_str(&buf);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 300000;
    static char block[LOY_WIRE_DECODE_ARENA];
    struct loy_arena arena;
    loy_arena_init(&arena, block, sizeof block);
    struct loy_record record = record_of(loy_str(purchase));
    struct loy_event event;
    struct loy_error error;
    if (loy_wire_decode(&record, false, &arena, &event, &error)) {
        fprintf(stderr, "%s\n", error.detail);
        return 1;
    }
    measure("protobuf", event.encoded, &arena, rounds);
    measure("protobuf, another order", rotate(event.encoded, &arena), &arena, rounds);
    measure("JSON", loy_str(purchase), &arena, rounds / 10 + 1);
    return 0;
}
