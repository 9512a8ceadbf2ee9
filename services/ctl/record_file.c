#include "ctl/record_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct loy_record_file {
    FILE *in;
    const char *path;
    enum loy_record_form form;
    int64_t size;
    int64_t place;
    char *bytes; /* the record lent out */
    size_t capacity;
};

/* A protobuf record of 123 bytes has the length '{': what follows it is never a quote then, since that would be field
 * 4, an identifier, before the event's id. */
static enum loy_record_form guess(FILE *in)
{
    int first = getc(in);
    enum loy_record_form form = first == '{' ? LOY_FORM_JSON_LINES : LOY_FORM_PROTOBUF;
    if (first == '{') {
        int second = getc(in);
        form = second == '"' || second == ' ' || second == '}' ? LOY_FORM_JSON_LINES : LOY_FORM_PROTOBUF;
        (void)ungetc(second, in);
    }
    (void)ungetc(first, in);
    return form;
}

enum loy_err loy_record_file_open(const char *path, enum loy_record_form form, struct loy_record_file **ret_file,
                                  struct loy_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    struct stat info;
    struct loy_record_file *file = calloc(1, sizeof *file);
    if (!file) {
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory to read %s", path);
    }
    file->path = standard ? "standard input" : path;
    file->in = standard ? stdin : fopen(path, "rbe");
    if (!file->in) {
        enum loy_err err = loy_error_set(error, LOY_ERR_NOT_FOUND, "%s cannot be read: %s", path, strerror(errno));
        free(file);
        return err;
    }
    file->size = !standard && fstat(fileno(file->in), &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : -1;
    file->form = form == LOY_FORM_AUTO ? guess(file->in) : form;
    *ret_file = file;
    return LOY_OK;
}

void loy_record_file_close(struct loy_record_file *file)
{
    if (!file) {
        return;
    }
    if (file->in != stdin) {
        (void)fclose(file->in);
    }
    free(file->bytes);
    free(file);
}

static enum loy_err next_line(struct loy_record_file *file, struct loy_str *ret_record, struct loy_error *error)
{
    for (;;) {
        ssize_t len = getline(&file->bytes, &file->capacity, file->in);
        if (len < 0) {
            return LOY_ERR_NOT_FOUND;
        }
        file->place += len;
        size_t used = (size_t)len;
        while (used > 0 && (file->bytes[used - 1] == '\n' || file->bytes[used - 1] == '\r')) {
            used--;
        }
        if (used > LOY_RECORD_BYTES_MAX) {
            return loy_error_set(error, LOY_ERR_TOO_LARGE, "%s: the line before byte %lld has %zu bytes", file->path,
                                 (long long)file->place, used);
        }
        if (used > 0) {
            *ret_record = (struct loy_str){file->bytes, used};
            return LOY_OK;
        }
    }
}

/* The varint before a record; LOY_ERR_NOT_FOUND where the file ends before it. */
static enum loy_err read_length(struct loy_record_file *file, uint64_t *ret_length, struct loy_error *error)
{
    uint64_t length = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        int byte = getc(file->in);
        if (byte == EOF) {
            return shift == 0 ? LOY_ERR_NOT_FOUND
                              : loy_error_set(error, LOY_ERR_MALFORMED, "%s ends inside a length, at byte %lld",
                                              file->path, (long long)file->place);
        }
        file->place++;
        length |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_length = length;
            return LOY_OK;
        }
    }
    *ret_length = UINT64_MAX;
    return LOY_OK;
}

static enum loy_err next_prefixed(struct loy_record_file *file, struct loy_str *ret_record, struct loy_error *error)
{
    uint64_t length = 0;
    enum loy_err err = read_length(file, &length, error);
    if (err) {
        return err;
    }
    if (length > LOY_RECORD_BYTES_MAX) {
        return loy_error_set(error, LOY_ERR_MALFORMED,
                             "%s: no record of protobuf at byte %lld (is it a file of JSON lines?)", file->path,
                             (long long)file->place);
    }
    if (length > file->capacity) {
        char *grown = realloc(file->bytes, length);
        if (!grown) {
            return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for a record of %llu bytes",
                                 (unsigned long long)length);
        }
        file->bytes = grown;
        file->capacity = length;
    }
    if (fread(file->bytes, 1, length, file->in) != length) {
        return loy_error_set(error, LOY_ERR_MALFORMED, "%s ends inside the record at byte %lld", file->path,
                             (long long)file->place);
    }
    file->place += (int64_t)length;
    *ret_record = (struct loy_str){file->bytes, length};
    return LOY_OK;
}

enum loy_err loy_record_file_next(struct loy_record_file *file, struct loy_str *ret_record, int64_t *ret_end,
                                  struct loy_error *error)
{
    enum loy_err err =
        file->form == LOY_FORM_JSON_LINES ? next_line(file, ret_record, error) : next_prefixed(file, ret_record, error);
    if (ferror(file->in)) {
        return loy_error_set(error, LOY_ERR_UNAVAILABLE, "%s cannot be read any further: %s", file->path,
                             strerror(errno));
    }
    *ret_end = file->place;
    return err;
}

enum loy_err loy_record_file_seek(struct loy_record_file *file, int64_t place, struct loy_error *error)
{
    if (place == file->place) {
        return LOY_OK;
    }
    if (file->size < 0 || fseeko(file->in, place, SEEK_SET) != 0) {
        return loy_error_set(error, LOY_ERR_CONFIG, "%s can be read once only: --repeat and --resume want a file",
                             file->path);
    }
    file->place = place;
    return LOY_OK;
}

int64_t loy_record_file_size(const struct loy_record_file *file)
{
    return file->size;
}
