#include "runtime/seat.h"

#include "support/cmocka_all.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What no other run of this test has in common with this one. */
static char own[32];

static struct loy_seat take(const char *group)
{
    struct loy_str what[] = {loy_str(own), loy_str(group)};
    struct loy_seat seat;
    struct loy_error error;
    assert_int_equal(loy_seat_take(what, 2, &seat, &error), LOY_OK);
    return seat;
}

static void the_lowest_free_one_is_taken(void **state)
{
    (void)state;
    struct loy_seat a = take("g"), b = take("g"), c = take("g");
    assert_int_equal(a.number, 0);
    assert_int_equal(b.number, 1);
    assert_int_equal(c.number, 2);
    char left[LOY_SEAT_NAME_MAX];
    memcpy(left, b.name, sizeof left);
    loy_seat_leave(&b);
    loy_seat_leave(&b);
    b = take("g");
    assert_int_equal(b.number, 1);
    assert_string_equal(b.name, left);
    loy_seat_leave(&a);
    loy_seat_leave(&b);
    loy_seat_leave(&c);
}

static void names_differ_by_number_and_by_what_they_are_for(void **state)
{
    (void)state;
    struct loy_seat a = take("g"), b = take("g"), other = take("h");
    assert_int_equal(other.number, 0);
    assert_string_not_equal(a.name, b.name);
    assert_string_not_equal(a.name, other.name);
    for (const char *at = a.name; *at; at++) { /* what Kafka allows in a name */
        assert_true(isalnum((unsigned char)*at) || *at == '-');
    }
    loy_seat_leave(&a);
    loy_seat_leave(&b);
    loy_seat_leave(&other);
}

static void who_is_killed_leaves_its_seat(void **state)
{
    (void)state;
    int told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct loy_seat seat = take("killed");
        (void)!write(told[1], &seat.number, sizeof seat.number);
        for (;;) {
            (void)pause();
        }
    }
    int number = -1;
    assert_int_equal(read(told[0], &number, sizeof number), sizeof number);
    assert_int_equal(number, 0);
    struct loy_seat beside = take("killed");
    assert_int_equal(beside.number, 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    struct loy_seat successor = take("killed");
    assert_int_equal(successor.number, 0);
    loy_seat_leave(&beside);
    loy_seat_leave(&successor);
    (void)close(told[0]);
    (void)close(told[1]);
}

static void all_taken_is_said(void **state)
{
    (void)state;
    static struct loy_seat seats[LOY_SEATS_MAX];
    for (int i = 0; i < LOY_SEATS_MAX; i++) {
        seats[i] = take("full");
    }
    struct loy_str what[] = {loy_str(own), loy_str("full")};
    struct loy_seat none;
    struct loy_error error;
    assert_int_equal(loy_seat_take(what, 2, &none, &error), LOY_ERR_UNAVAILABLE);
    for (int i = 0; i < LOY_SEATS_MAX; i++) {
        loy_seat_leave(&seats[i]);
    }
}

int main(void)
{
    (void)snprintf(own, sizeof own, "test-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_free_one_is_taken),
        cmocka_unit_test(names_differ_by_number_and_by_what_they_are_for),
        cmocka_unit_test(who_is_killed_leaves_its_seat),
        cmocka_unit_test(all_taken_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
