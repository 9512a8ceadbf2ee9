#include "adapters/wire/map.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "loyalty/v1/event.pb-c.h"

struct loy_wire_map_entry {
    ProtobufCMessage base;
    char *key;
    char *value;
};

static_assert(offsetof(struct loy_wire_map_entry, key) == offsetof(Loyalty__V1__Event__AttributesEntry, key) &&
                  offsetof(struct loy_wire_map_entry, value) == offsetof(Loyalty__V1__Event__AttributesEntry, value),
              "entries of Event.attributes");
static_assert(offsetof(struct loy_wire_map_entry, key) == offsetof(Loyalty__V1__Segments__AttributesEntry, key) &&
                  offsetof(struct loy_wire_map_entry, value) == offsetof(Loyalty__V1__Segments__AttributesEntry, value),
              "entries of Segments.attributes");

bool loy_wire_map_order(struct loy_wire_map_entry **entries, size_t *count)
{
    bool untouched = true;
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        struct loy_wire_map_entry *entry = entries[i];
        assert(entry->key);
        if (!entry->value) {
            entry->value = (char *)(uintptr_t)protobuf_c_empty_string;
            untouched = false;
        }
        size_t at = kept;
        while (at > 0 && strcmp(entries[at - 1]->key, entry->key) > 0) {
            at--;
        }
        if (at > 0 && strcmp(entries[at - 1]->key, entry->key) == 0) {
            entries[at - 1] = entry;
            untouched = false;
            continue;
        }
        untouched = untouched && at == kept;
        memmove(&entries[at + 1], &entries[at], (kept - at) * sizeof(void *));
        entries[at] = entry;
        kept++;
    }
    *count = kept;
    return untouched;
}
