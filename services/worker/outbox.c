#include "worker/outbox.h"

enum { FLAG_KEY = 1, FLAG_VALUE = 2 };

static void put_text(struct loy_buf *buf, struct loy_str text)
{
    loy_varint_put(buf, text.len);
    loy_buf_append(buf, text);
}

void loy_outbox_put(struct loy_buf *buf, enum loy_output output, const struct loy_bus_message *message)
{
    uint32_t headers = message->header_count < LOY_OUTBOX_HEADERS_MAX ? message->header_count : LOY_OUTBOX_HEADERS_MAX;
    loy_buf_append_byte(buf, (uint8_t)output);
    loy_buf_append_byte(buf, (uint8_t)((message->has_key ? FLAG_KEY : 0) + (message->has_value ? FLAG_VALUE : 0)));
    loy_varint_put(buf, (uint64_t)((int64_t)message->partition + 1));
    put_text(buf, message->has_key ? message->key : (struct loy_str){0});
    put_text(buf, message->has_value ? message->value : (struct loy_str){0});
    loy_varint_put(buf, headers);
    for (uint32_t i = 0; i < headers; i++) {
        put_text(buf, message->headers[i].name);
        loy_buf_append_byte(buf, message->headers[i].value.at != NULL);
        put_text(buf, message->headers[i].value);
    }
}

static struct loy_str get_text(struct loy_varint_reader *in)
{
    uint64_t len = loy_varint_get(in);
    return loy_varint_get_bytes(in, len);
}

bool loy_outbox_get(struct loy_outbox_reader *reader, struct loy_outbox_message *ret_message)
{
    struct loy_varint_reader *in = &reader->in;
    if (in->failed || in->at == in->bytes.len) {
        return false;
    }
    struct loy_bus_message *message = &ret_message->message;
    size_t from = in->at;
    uint64_t output = loy_varint_get(in); /* one byte each: below 0x80 */
    uint64_t flags = loy_varint_get(in);
    uint64_t partition = loy_varint_get(in);
    ret_message->output = (enum loy_output)output;
    *message = (struct loy_bus_message){.partition = (int32_t)partition - 1,
                                        .has_key = flags & FLAG_KEY,
                                        .has_value = flags & FLAG_VALUE,
                                        .headers = ret_message->headers};
    message->key = get_text(in);
    message->value = get_text(in);
    uint64_t headers = loy_varint_get(in);
    if (headers > LOY_OUTBOX_HEADERS_MAX || output < LOY_OUTPUT_UPDATES || output > LOY_OUTPUT_PREVIEWS) {
        in->failed = true;
        return false;
    }
    message->header_count = (uint32_t)headers;
    for (uint64_t i = 0; i < headers; i++) {
        ret_message->headers[i].name = get_text(in);
        uint64_t has_value = loy_varint_get(in);
        struct loy_str value = get_text(in);
        ret_message->headers[i].value = has_value ? value : (struct loy_str){0};
    }
    if (output == LOY_OUTPUT_LATEST) {
        reader->half_read = !reader->half_read;
        ret_message->output = reader->half_read ? LOY_OUTPUT_UPDATES : LOY_OUTPUT_BALANCES;
        in->at = reader->half_read ? from : in->at;
    }
    return !in->failed;
}
