#include "ctl/json_out.h"

/* Bytes of the UTF-8 sequence at text.at; 0: it is none. */
static size_t sequence_at(struct loy_str text)
{
    uint8_t lead = (uint8_t)text.at[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return len <= text.len && loy_str_is_utf8((struct loy_str){text.at, len}) ? len : 0;
}

void loy_json_text(FILE *out, struct loy_str text)
{
    (void)putc('"', out);
    while (text.len > 0) {
        uint8_t byte = (uint8_t)text.at[0];
        size_t len = sequence_at(text);
        if (len == 0) {
            (void)fputs("\\ufffd", out);
        } else if (byte == '"' || byte == '\\') {
            (void)fprintf(out, "\\%c", byte);
        } else if (byte < 0x20) {
            (void)fprintf(out, "\\u%04x", byte);
        } else {
            (void)fwrite(text.at, 1, len, out);
        }
        text.at += len > 0 ? len : 1;
        text.len -= len > 0 ? len : 1;
    }
    (void)putc('"', out);
}

void loy_json_member(FILE *out, const char *name, struct loy_str text)
{
    (void)fprintf(out, "\"%s\": ", name);
    loy_json_text(out, text);
}
