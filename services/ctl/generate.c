#include "ctl/generate.h"

#include "adapters/wire/json.h"
#include "base/calendar.h"
#include "ctl/customer.h"
#include "ctl/shop.h"
#include "ctl/spoil.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 256 * 1024, /* for one event: eight lines take a tenth of it */
    REMEMBERED = 512,         /* records that a duplicate may repeat */
    MILLION = 1000000,
};

struct remembered {
    char *bytes;
    size_t len, capacity;
};

struct loy_generator {
    struct loy_generate_options options;
    struct loy_customers customers;
    struct loy_arena arena;
    uint64_t weight_total;                           /* of all days */
    uint64_t weight_before;                          /* of the days before today */
    uint64_t made, made_before_today, until_tonight; /* records */
    uint32_t day;
    uint64_t remembered_count;
    struct remembered remembered[REMEMBERED];
    char block[ARENA_BYTES];
};

static const char *const sort_names[LOY_RECORD_SORT_COUNT] = {
#define LOY_RECORD_SORT_NAME(symbol, name) [LOY_RECORD_##symbol] = (name),
    LOY_RECORD_SORTS(LOY_RECORD_SORT_NAME)
#undef LOY_RECORD_SORT_NAME
};

const char *loy_record_sort_name(enum loy_record_sort sort)
{
    return sort_names[sort];
}

static uint64_t weight_of(const struct loy_generator *generator, uint32_t day)
{
    int64_t moment = (generator->options.start_day + day) * LOY_US_PER_DAY;
    struct loy_civil civil = loy_civil_from_moment(NULL, moment);
    return loy_shop_day_weight(civil.weekday, civil.date.month);
}

/* How many records have been made when day is over: shares of the weights, so that the last day ends at the number
 * asked for. */
static void begin_day(struct loy_generator *generator)
{
    generator->weight_before += generator->day > 0 ? weight_of(generator, generator->day - 1) : 0;
    uint64_t through = generator->weight_before + weight_of(generator, generator->day);
    generator->made_before_today = generator->made;
    generator->until_tonight =
        (uint64_t)((unsigned __int128)generator->options.events * through / generator->weight_total);
}

enum loy_err loy_generator_new(const struct loy_generate_options *options, struct loy_generator **ret_generator,
                               struct loy_error *error)
{
    struct loy_generator *generator = calloc(1, sizeof *generator);
    if (!generator) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the generator");
    }
    generator->options = *options;
    generator->customers.options = &generator->options;
    generator->customers.rng.state = options->seed;
    loy_arena_init(&generator->arena, generator->block, sizeof generator->block);
    for (uint32_t day = 0; day < options->days; day++) {
        generator->weight_total += weight_of(generator, day);
    }
    begin_day(generator);
    *ret_generator = generator;
    return LOY_OK;
}

void loy_generator_destroy(struct loy_generator *generator)
{
    for (size_t i = 0; generator && i < REMEMBERED; i++) {
        free(generator->remembered[i].bytes);
    }
    free(generator);
}

static int64_t next_moment(struct loy_generator *generator)
{
    while (generator->made >= generator->until_tonight && generator->day + 1 < generator->options.days) {
        generator->day++;
        begin_day(generator);
    }
    uint64_t today = generator->until_tonight - generator->made_before_today;
    uint64_t nth = generator->made - generator->made_before_today;
    uint64_t within = loy_rng_next(&generator->customers.rng) >> 32;
    uint64_t share = (uint64_t)((((unsigned __int128)nth << 32) + within) / (today > 0 ? today : 1));
    int64_t midnight = (generator->options.start_day + generator->day) * LOY_US_PER_DAY;
    return midnight + loy_shop_time_of_day_us((uint32_t)share);
}

static enum loy_record_sort pick_sort(struct loy_generator *generator)
{
    struct loy_rng *rng = &generator->customers.rng;
    uint32_t at = (uint32_t)loy_rng_below(rng, MILLION);
    const struct loy_generate_options *options = &generator->options;
    if (at < options->broken) {
        return LOY_RECORD_FIRST_BROKEN +
               (enum loy_record_sort)loy_rng_below(rng, LOY_RECORD_SORT_COUNT - LOY_RECORD_FIRST_BROKEN);
    }
    at -= options->broken;
    if (at < options->no_member) {
        return LOY_RECORD_NO_MEMBER;
    }
    at -= options->no_member;
    return at < options->duplicates && generator->remembered_count > 0 ? LOY_RECORD_DUPLICATE : LOY_RECORD_VALID;
}

static bool remember(struct loy_generator *generator, struct loy_str bytes)
{
    struct remembered *slot = &generator->remembered[generator->remembered_count % REMEMBERED];
    if (bytes.len > slot->capacity) {
        char *grown = realloc(slot->bytes, bytes.len * 2);
        if (!grown) {
            return false;
        }
        slot->bytes = grown;
        slot->capacity = bytes.len * 2;
    }
    memcpy(slot->bytes, bytes.at, bytes.len);
    slot->len = bytes.len;
    generator->remembered_count++;
    return true;
}

static struct loy_str recall(struct loy_generator *generator)
{
    uint64_t known = generator->remembered_count < REMEMBERED ? generator->remembered_count : REMEMBERED;
    const struct remembered *slot = &generator->remembered[loy_rng_below(&generator->customers.rng, known)];
    return (struct loy_str){slot->bytes, slot->len};
}

static struct loy_str encode(const Loyalty__V1__Event *event, bool json, struct loy_arena *arena)
{
    struct loy_buf buf;
    if (json) {
        loy_buf_init(&buf, arena, 2048);
        loy_wire_json_write(&event->base, LOY_WIRE_PROTO_NAMES, &buf);
        return loy_buf_str(&buf);
    }
    size_t size = protobuf_c_message_get_packed_size(&event->base);
    loy_buf_init(&buf, arena, size + 1);
    void *at = loy_buf_extend(&buf, size);
    if (at) {
        protobuf_c_message_pack(&event->base, at);
    }
    return loy_buf_str(&buf);
}

static struct loy_str make(struct loy_generator *generator, enum loy_record_sort sort)
{
    int64_t moment = next_moment(generator);
    struct loy_arena *arena = &generator->arena;
    struct loy_rng *rng = &generator->customers.rng;
    Loyalty__V1__Event *event = sort == LOY_RECORD_VALID ? loy_customers_event(&generator->customers, moment, arena)
                                                         : loy_customers_purchase(&generator->customers, moment, arena);
    if (!event) {
        return (struct loy_str){NULL, 0};
    }
    if (sort == LOY_RECORD_NO_MEMBER) {
        event->member_id = NULL;
    }
    loy_spoil_message(sort, event, rng, arena);
    struct loy_str bytes = encode(event, generator->options.json, arena);
    return bytes.len > 0 ? loy_spoil_bytes(sort, bytes, generator->options.json, rng, arena) : bytes;
}

enum loy_err loy_generator_next(struct loy_generator *generator, struct loy_generated *ret_record,
                                struct loy_error *error)
{
    if (generator->made >= generator->options.events) {
        return LOY_ERR_NOT_FOUND;
    }
    loy_arena_reset(&generator->arena);
    enum loy_record_sort sort = pick_sort(generator);
    struct loy_str bytes = sort == LOY_RECORD_DUPLICATE ? recall(generator) : make(generator, sort);
    if (bytes.len == 0 || (sort == LOY_RECORD_VALID && !remember(generator, bytes))) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for event %llu",
                             (unsigned long long)generator->made + 1);
    }
    generator->made++;
    *ret_record = (struct loy_generated){bytes, sort};
    return LOY_OK;
}
