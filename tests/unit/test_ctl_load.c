#include "support/cmocka_all.h"

#include "ctl/json_out.h"
#include "ctl/load_state.h"
#include "ctl/record_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- record files ------------------------------------------------------------------------------------------------- */

struct file {
    char path[64];
    struct loy_record_file *in;
};

static void file_of(struct file *file, struct loy_str bytes, enum loy_record_form form)
{
    *file = (struct file){.path = "/tmp/loyald-test-XXXXXX"}; /* whose path the open file borrows */
    int fd = mkstemp(file->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.at, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(close(fd), 0);
    assert_int_equal(loy_record_file_open(file->path, form, &file->in, NULL), LOY_OK);
}

static void close_file(struct file *file)
{
    loy_record_file_close(file->in);
    assert_int_equal(unlink(file->path), 0);
}

static void expect_record(struct file *file, struct loy_str expected, int64_t expected_end)
{
    struct loy_str record;
    int64_t end = -1;
    assert_int_equal(loy_record_file_next(file->in, &record, &end, NULL), LOY_OK);
    assert_int_equal(record.len, expected.len);
    assert_memory_equal(record.at, expected.at, expected.len);
    assert_int_equal(end, expected_end);
}

static void expect_error(struct file *file, enum loy_err expected)
{
    struct loy_str record;
    int64_t end = -1;
    struct loy_error error;
    assert_int_equal(loy_record_file_next(file->in, &record, &end, &error), expected);
}

static void lines_are_records_whatever_ends_them(void **state)
{
    (void)state;
    struct file file;
    file_of(&file, LOY_STR("{\"a\":1}\n\n\r\n{\"b\":2}\r\n{\"c\":3}"), LOY_FORM_AUTO);
    assert_int_equal(loy_record_file_size(file.in), 27);
    expect_record(&file, LOY_STR("{\"a\":1}"), 8);
    expect_record(&file, LOY_STR("{\"b\":2}"), 20);
    expect_record(&file, LOY_STR("{\"c\":3}"), 27);
    expect_error(&file, LOY_ERR_NOT_FOUND);
    assert_int_equal(loy_record_file_seek(file.in, 8, NULL), LOY_OK);
    expect_record(&file, LOY_STR("{\"b\":2}"), 20);
    close_file(&file);
}

static void prefixed_records_may_hold_any_byte(void **state)
{
    (void)state;
    struct file file;
    file_of(&file, LOY_STR("\x03\x0a\n\0\x00\x02{}"), LOY_FORM_AUTO);
    expect_record(&file, LOY_STR("\x0a\n\0"), 4);
    expect_record(&file, LOY_STR(""), 5);
    expect_record(&file, LOY_STR("{}"), 8);
    expect_error(&file, LOY_ERR_NOT_FOUND);
    close_file(&file);
}

static void a_record_of_123_bytes_is_not_taken_for_json(void **state)
{
    (void)state;
    char bytes[124] = "{\x0a\x79";
    struct file file;
    file_of(&file, (struct loy_str){bytes, sizeof bytes}, LOY_FORM_AUTO);
    expect_record(&file, (struct loy_str){bytes + 1, 123}, 124);
    close_file(&file);
}

static void a_file_that_ends_inside_a_record_is_said_to(void **state)
{
    (void)state;
    struct file file;
    file_of(&file, LOY_STR("\x05\x01\x02"), LOY_FORM_PROTOBUF);
    expect_error(&file, LOY_ERR_MALFORMED);
    close_file(&file);
    file_of(&file, LOY_STR("\x80"), LOY_FORM_PROTOBUF);
    expect_error(&file, LOY_ERR_MALFORMED);
    close_file(&file);
    file_of(&file, LOY_STR("not a length"), LOY_FORM_PROTOBUF);
    expect_error(&file, LOY_ERR_MALFORMED);
    close_file(&file);
}

/* --- whose record ------------------------------------------------------------------------------------------------- */

static void expect_member(struct loy_str record, struct loy_str expected)
{
    struct loy_str member = loy_record_member(record);
    if (!loy_str_equal(member, expected)) {
        fail_msg("'%.*s' was found, '%.*s' expected", LOY_STR_ARG(member), LOY_STR_ARG(expected));
    }
}

static void members_are_found_in_json(void **state)
{
    (void)state;
    expect_member(LOY_STR("{\"member_id\":\"m1\"}"), LOY_STR("m1"));
    expect_member(LOY_STR(" { \"a\" : [1, {\"member_id\":\"x\"}], \"memberId\" : \"m2\" "), LOY_STR("m2"));
    expect_member(LOY_STR("{\"referral\":{\"member_id\":\"x\"}}"), LOY_STR(""));
    expect_member(LOY_STR("{\"specversion\":\"1.0\",\"data\":{\"member_id\":\"m3\"}}"), LOY_STR("m3"));
    expect_member(LOY_STR("{\"a\":\"\\\"member_id\\\":\\\"x\\\"\",\"member_id\":\"m4\""), LOY_STR("m4"));
    expect_member(LOY_STR("{\"member_id\":12}"), LOY_STR(""));
    expect_member(LOY_STR("{\"member_id\":\"cut"), LOY_STR("cut"));
    expect_member(LOY_STR("{\"member_id\":"), LOY_STR(""));
    expect_member(LOY_STR("{"), LOY_STR(""));
    expect_member(LOY_STR("{\"\\"), LOY_STR(""));
}

static void members_are_found_in_protobuf(void **state)
{
    (void)state;
    expect_member(LOY_STR("\x0a\x01"
                          "e\x12\x01s\x1a\x02m1\xa2\x01\x00"),
                  LOY_STR("m1"));
    expect_member(LOY_STR("\x50\x01\x1a\x02m1\x22"), LOY_STR("m1")); /* cut off behind it */
    expect_member(LOY_STR("\x1a\x05m1"), LOY_STR(""));
    expect_member(LOY_STR("\x09zzzzzzzz\x0dzzzz\x1a\x02m2"), LOY_STR("m2"));
    expect_member(LOY_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), LOY_STR(""));
    expect_member(LOY_STR(""), LOY_STR(""));
    expect_member(LOY_STR("\x09z"), LOY_STR(""));
}

/* --- the place that is kept --------------------------------------------------------------------------------------- */

static void a_place_is_kept_and_read_back(void **state)
{
    (void)state;
    struct file file;
    file_of(&file, LOY_STR(""), LOY_FORM_PROTOBUF);
    const struct loy_load_state kept = {.size = 1000, .pass = 2, .offset = 777, .records = UINT64_MAX};
    struct loy_load_state read = {0};
    struct loy_error error;
    bool found = false;
    assert_int_equal(loy_load_state_read(file.path, &read, &found, &error), LOY_ERR_CONFIG); /* empty: not ours */
    assert_int_equal(loy_load_state_write(file.path, &kept, &error), LOY_OK);
    assert_int_equal(loy_load_state_read(file.path, &read, &found, &error), LOY_OK);
    assert_true(found);
    assert_memory_equal(&read, &kept, sizeof kept);
    close_file(&file);
    assert_int_equal(loy_load_state_read(file.path, &read, &found, &error), LOY_OK);
    assert_false(found);
    assert_int_equal(loy_load_state_write("/nowhere/state", &kept, &error), LOY_ERR_UNAVAILABLE);
}

static void only_what_all_before_it_are_acknowledged_counts(void **state)
{
    (void)state;
    struct loy_underway *underway = calloc(1, sizeof *underway);
    struct loy_load_state at = {0};
    assert_non_null(underway);
    for (int64_t i = 1; i <= 4; i++) {
        assert_int_equal(loy_underway_add(underway, i / 3, i * 10), i);
    }
    loy_underway_acknowledge(underway, 2, &at);
    assert_true(at.offset == 0 && at.records == 0);
    loy_underway_acknowledge(underway, 1, &at);
    assert_true(at.offset == 20 && at.records == 2 && at.pass == 0);
    loy_underway_acknowledge(underway, 4, &at);
    loy_underway_acknowledge(underway, 3, &at);
    assert_true(at.offset == 40 && at.records == 4 && at.pass == 1);
    while (!loy_underway_is_full(underway)) {
        (void)loy_underway_add(underway, 1, 50);
    }
    assert_int_equal(underway->sent - underway->acked, LOY_UNDERWAY_MAX);
    loy_underway_acknowledge(underway, 5, &at);
    assert_false(loy_underway_is_full(underway));
    free(underway);
}

static void texts_become_json_whatever_they_hold(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    loy_json_text(out, LOY_STR("a\"\\\n\0\xff\xc3(\xe2\x82\xac\xe2\x82"));
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, "\"a\\\"\\\\\\u000a\\u0000\\ufffd\\ufffd(\xe2\x82\xac\\ufffd\\ufffd\"");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_records_whatever_ends_them),
        cmocka_unit_test(prefixed_records_may_hold_any_byte),
        cmocka_unit_test(a_record_of_123_bytes_is_not_taken_for_json),
        cmocka_unit_test(a_file_that_ends_inside_a_record_is_said_to),
        cmocka_unit_test(members_are_found_in_json),
        cmocka_unit_test(members_are_found_in_protobuf),
        cmocka_unit_test(a_place_is_kept_and_read_back),
        cmocka_unit_test(only_what_all_before_it_are_acknowledged_counts),
        cmocka_unit_test(texts_become_json_whatever_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
