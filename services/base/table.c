#include "base/table.h"

#include "base/hash.h"

#include <assert.h>

bool loy_table_init(struct loy_table *table, struct loy_arena *arena, uint32_t capacity)
{
    assert(capacity <= UINT32_C(1) << 28);
    uint32_t slots = 16;
    while (slots < capacity * 2) {
        slots *= 2;
    }
    *table = (struct loy_table){LOY_NEW_ARRAY(arena, struct loy_table_slot, slots), slots - 1, 0, capacity};
    if (!table->slots) {
        return false;
    }
    for (uint32_t i = 0; i < slots; i++) {
        table->slots[i].value = -1;
    }
    return true;
}

static struct loy_table_slot *slot_of(const struct loy_table *table, struct loy_str key, uint32_t hash)
{
    for (uint32_t i = loy_hash_place(hash, table->mask);; i = (i + 1) & table->mask) {
        struct loy_table_slot *slot = &table->slots[i];
        if (slot->value < 0 || (slot->hash == hash && loy_str_equal(slot->key, key))) {
            return slot;
        }
    }
}

int32_t loy_table_find(const struct loy_table *table, struct loy_str key)
{
    return slot_of(table, key, loy_murmur2(key))->value;
}

int32_t loy_table_put(struct loy_table *table, struct loy_str key, int32_t value)
{
    return loy_table_put_hashed(table, key, loy_murmur2(key), value);
}

int32_t loy_table_put_hashed(struct loy_table *table, struct loy_str key, uint32_t hash, int32_t value)
{
    assert(value >= 0);
    struct loy_table_slot *slot = slot_of(table, key, hash);
    if (slot->value < 0) {
        assert(table->used < table->capacity);
        *slot = (struct loy_table_slot){key, hash, value};
        table->used++;
    }
    return slot->value;
}
