#include "runtime/http.h"

#include "support/cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_bool is_ready;
static atomic_bool is_live;

static bool ready(void *context, char why[LOY_HTTP_WHY_MAX])
{
    assert_ptr_equal(context, &is_ready);
    (void)snprintf(why, LOY_HTTP_WHY_MAX, "3 of 16 partitions are being acquired");
    return is_ready;
}

static bool live(void *context, char why[LOY_HTTP_WHY_MAX])
{
    (void)context;
    memset(why, 'x', LOY_HTTP_WHY_MAX); /* not even terminated */
    return is_live;
}

static struct loy_http *open_at(const char *address, int port)
{
    struct loy_http_config config = {
        .address = address, .port = port, .is_live = live, .is_ready = ready, .context = &is_ready};
    struct loy_http *http = NULL;
    struct loy_error error;
    if (loy_http_start(&config, &http, &error)) {
        fail_msg("%s", error.detail);
    }
    return http;
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static char answer[1 << 18];

/* Sends the bytes and reads to the end. */
static const char *ask(int port, const char *request)
{
    int fd = connect_to(port);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    size_t length = 0;
    ssize_t got;
    while (length < sizeof answer - 1 && (got = read(fd, answer + length, sizeof answer - 1 - length)) > 0) {
        length += (size_t)got;
    }
    answer[length] = '\0';
    (void)close(fd);
    return answer;
}

static const char *get(int port, const char *path)
{
    char request[256];
    (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    return ask(port, request);
}

static void answers_metrics_and_probes(void **state)
{
    (void)state;
    struct loy_http *http = open_at("127.0.0.1", 0);
    int port = loy_http_port(http);
    assert_true(port > 0);
    is_live = true;
    is_ready = true;
    assert_non_null(strstr(get(port, "/metrics"), "200 OK"));
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(answer, "\nprocess_cpu_seconds_total "));
    assert_non_null(strstr(get(port, "/livez"), "200 OK"));
    assert_non_null(strstr(get(port, "/readyz"), "200 OK"));
    is_ready = false;
    assert_non_null(strstr(get(port, "/readyz"), " 503 "));
    assert_non_null(strstr(answer, "\r\n\r\n3 of 16 partitions are being acquired\n"));
    assert_non_null(strstr(get(port, "/livez"), "200 OK"));
    is_live = false;
    assert_non_null(strstr(get(port, "/livez"), " 503 "));
    loy_http_stop(http);
}

static void refuses_what_it_is_not_for(void **state)
{
    (void)state;
    struct loy_http *http = open_at("127.0.0.1", 0);
    int port = loy_http_port(http);
    assert_non_null(strstr(get(port, "/"), " 404 "));
    assert_non_null(strstr(get(port, "/metrics/../etc/passwd"), " 404 "));
    const char *post = "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody";
    assert_non_null(strstr(ask(port, post), " 405 "));
    assert_non_null(strstr(answer, "Allow: GET, HEAD"));
    const char *head = "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    is_live = true;
    assert_non_null(strstr(ask(port, head), "200 OK"));
    assert_null(strstr(answer, "\r\n\r\nok"));
    loy_http_stop(http);
}

static void connections_that_say_nothing_do_not_keep_it_from_stopping(void **state)
{
    (void)state;
    struct loy_http *http = open_at("127.0.0.1", 0);
    int port = loy_http_port(http);
    int idle[40];
    for (int i = 0; i < 40; i++) {
        idle[i] = connect_to(port);
    }
    loy_http_stop(http);
    for (int i = 0; i < 40; i++) {
        (void)close(idle[i]);
    }
}

static void a_port_that_is_taken_is_named(void **state)
{
    (void)state;
    struct loy_http *http = open_at("127.0.0.1", 0);
    int port = loy_http_port(http);
    struct loy_http *other = NULL;
    struct loy_error error;
    struct loy_http_config config = {.address = "127.0.0.1", .port = port};
    assert_int_equal(loy_http_start(&config, &other, &error), LOY_ERR_CONFIG);
    char number[16];
    (void)snprintf(number, sizeof number, "%d", port);
    assert_non_null(strstr(error.detail, number));
    assert_non_null(strstr(error.detail, "Address already in use"));
    loy_http_stop(http);
    loy_http_stop(NULL);
}

static void an_address_that_is_none_is_named(void **state)
{
    (void)state;
    struct loy_http *http = NULL;
    struct loy_error error;
    struct loy_http_config config = {.address = "localhost", .port = 0};
    assert_int_equal(loy_http_start(&config, &http, &error), LOY_ERR_CONFIG);
    assert_non_null(strstr(error.detail, "'localhost'"));
}

static void opens_on_ipv6(void **state)
{
    (void)state;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    bool has_ipv6 = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    if (!has_ipv6) {
        skip();
    }
    struct loy_http *http = open_at("::1", 0);
    assert_true(loy_http_port(http) > 0);
    loy_http_stop(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_metrics_and_probes),
        cmocka_unit_test(refuses_what_it_is_not_for),
        cmocka_unit_test(connections_that_say_nothing_do_not_keep_it_from_stopping),
        cmocka_unit_test(a_port_that_is_taken_is_named),
        cmocka_unit_test(an_address_that_is_none_is_named),
        cmocka_unit_test(opens_on_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
