#include "runtime/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 16,
    BACKLOG = 16,
    CONNECTION_BYTES = 16384,
    CONNECTION_TIMEOUT_S = 10,
    PAGE_BYTES = 1 << 20,
};

struct loy_http {
    struct loy_http_config config;
    struct MHD_Daemon *daemon;
    int port;
    void *page; /* one thread answers, so one page is under way */
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status, const char *type,
                              struct loy_str body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.at, MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int status, const char *text)
{
    return answer(connection, status, "text/plain; charset=utf-8", loy_str(text));
}

static enum MHD_Result answer_probe(struct loy_http *http, struct MHD_Connection *connection,
                                    bool (*is_well)(void *context, char why[LOY_HTTP_WHY_MAX]))
{
    char why[LOY_HTTP_WHY_MAX + 1] = "";
    if (!is_well || is_well(http->config.context, why)) {
        return answer_text(connection, MHD_HTTP_OK, "ok\n");
    }
    size_t length = strnlen(why, LOY_HTTP_WHY_MAX - 1);
    why[length] = '\n';
    why[length + 1] = '\0';
    return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, why);
}

static enum MHD_Result answer_metrics(struct loy_http *http, struct MHD_Connection *connection)
{
    struct loy_arena arena;
    struct loy_buf page;
    loy_arena_init(&arena, http->page, PAGE_BYTES);
    loy_buf_init(&page, &arena, PAGE_BYTES / 4);
    loy_metrics_render(&page, http->config.groups, http->config.group_count);
    struct loy_metric_group process = loy_metrics_of_process();
    loy_metrics_render(&page, &process, 1);
    if (page.failed) {
        return answer_text(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the page does not fit its memory\n");
    }
    return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", loy_buf_str(&page));
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **request)
{
    (void)version;
    (void)upload;
    static const char seen = 0;
    struct loy_http *http = self;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        /* Whatever body comes with it is passed over first, or the answer would be lost. */
        if (!*request || *upload_size) {
            *request = (void *)(uintptr_t)&seen;
            *upload_size = 0;
            return MHD_YES;
        }
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
    }
    if (strcmp(url, "/metrics") == 0) {
        return answer_metrics(http, connection);
    }
    if (strcmp(url, "/livez") == 0) {
        return answer_probe(http, connection, http->config.is_live);
    }
    if (strcmp(url, "/readyz") == 0) {
        return answer_probe(http, connection, http->config.is_ready);
    }
    return answer_text(connection, MHD_HTTP_NOT_FOUND, "here are /metrics, /livez and /readyz\n");
}

/* libmicrohttpd writes its news to standard error otherwise; what matters comes back as a result. */
static void on_news(void *self, const char *format, va_list args)
{
    (void)self;
    (void)format;
    (void)args;
}

/* The address as the system wants it; false when it is none. */
static bool to_sockaddr(const struct loy_http_config *config, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret_address;
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, config->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)config->port);
        return true;
    }
    *ret_address = (struct sockaddr_storage){0};
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)config->port);
    return inet_pton(AF_INET6, config->address, &v6->sin6_addr) == 1;
}

/* Opens the socket ourselves, so that it is our errno that says why it cannot be; -1 then. */
static int open_socket(const struct sockaddr_storage *address)
{
    int on = 1;
    bool v6 = address->ss_family == AF_INET6;
    socklen_t length = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    /* A port that was ours a moment ago is not taken. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, length) != 0 || listen(fd, BACKLOG) != 0) {
        int why = errno;
        (void)close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

/* Takes fd over when it succeeds. */
static struct MHD_Daemon *open_port(struct loy_http *http, int fd)
{
    unsigned int flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_news, NULL,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned int)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
}

/* The port that the socket got. */
static int port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(fd, &address.any, &length) != 0) {
        return 0;
    }
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

enum loy_err loy_http_start(const struct loy_http_config *config, struct loy_http **ret_http, struct loy_error *error)
{
    assert(config->port >= 0 && config->port <= 65535);
    struct sockaddr_storage address = {0};
    if (!to_sockaddr(config, &address)) {
        return loy_error_set(error, LOY_ERR_CONFIG, "http_address = '%.64s': must be an IPv4 or IPv6 address",
                             config->address);
    }
    struct loy_http *http = calloc(1, sizeof *http);
    void *page = malloc(PAGE_BYTES);
    if (!http || !page) {
        free(http);
        free(page);
        return loy_error_set(error, LOY_ERR_NO_MEMORY, "no memory for the http port");
    }
    *http = (struct loy_http){.config = *config, .page = page};
    int fd = open_socket(&address);
    if (fd < 0) {
        int why = errno;
        loy_http_stop(http);
        return loy_error_set(error, LOY_ERR_CONFIG, "cannot open http_address %s, http_port %d: %s", config->address,
                             config->port, strerror(why));
    }
    http->port = port_of(fd);
    http->daemon = open_port(http, fd);
    if (!http->daemon) {
        (void)close(fd);
        loy_http_stop(http);
        return loy_error_set(error, LOY_ERR_INTERNAL, "libmicrohttpd does not start on http_port %d", config->port);
    }
    *ret_http = http;
    return LOY_OK;
}

int loy_http_port(const struct loy_http *http)
{
    return http->port;
}

void loy_http_stop(struct loy_http *http)
{
    if (!http) {
        return;
    }
    if (http->daemon) {
        MHD_stop_daemon(http->daemon);
    }
    free(http->page);
    free(http);
}
