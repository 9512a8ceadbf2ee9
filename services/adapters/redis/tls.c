#include "adapters/redis/tls.h"

#ifdef LOY_REDIS_TLS /* the Makefile found it */

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>

struct loy_redis_tls {
    SSL_CTX *context;
};

static enum loy_err failed(struct loy_error *error, enum loy_err code, const char *what)
{
    char why[160] = "";
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    return loy_error_set(error, code, "redis: %s: %s", what, why);
}

enum loy_err loy_redis_tls_new(struct loy_redis_tls **ret_tls, struct loy_error *error)
{
    if (redisInitOpenSSL() != REDIS_OK) {
        return failed(error, LOY_ERR_CONFIG, "TLS does not start");
    }
    struct loy_redis_tls *tls = calloc(1, sizeof *tls);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!tls || !context) {
        free(tls);
        SSL_CTX_free(context);
        return failed(error, LOY_ERR_NO_MEMORY, "TLS does not start");
    }
    tls->context = context;
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
        loy_redis_tls_destroy(tls);
        return failed(error, LOY_ERR_CONFIG, "the system's certificates cannot be read");
    }
    *ret_tls = tls;
    return LOY_OK;
}

void loy_redis_tls_destroy(struct loy_redis_tls *tls)
{
    if (tls) {
        SSL_CTX_free(tls->context);
        free(tls);
    }
}

/* Whom the certificate has to name. */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char binary[16];
    if (inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

enum loy_err loy_redis_tls_start(struct loy_redis_tls *tls, redisContext *context, const char *host,
                                 struct loy_error *error)
{
    SSL *ssl = SSL_new(tls->context);
    if (!ssl || !expect_host(ssl, host)) {
        SSL_free(ssl);
        return failed(error, LOY_ERR_UNAVAILABLE, "TLS does not start");
    }
    /* hiredis takes ssl over on success, and frees it with the context. */
    if (redisInitiateSSL(context, ssl) != REDIS_OK) {
        enum loy_err err = loy_error_set(error, LOY_ERR_UNAVAILABLE, "redis: TLS: %s", context->errstr);
        SSL_free(ssl);
        return err;
    }
    return LOY_OK;
}

const char *loy_redis_tls_why(const char *otherwise, char ret_why[160])
{
    unsigned long last = ERR_peek_last_error();
    if (last) {
        ERR_error_string_n(last, ret_why, 160);
    }
    ERR_clear_error();
    return last ? ret_why : otherwise;
}

#else

const char *loy_redis_tls_why(const char *otherwise, char ret_why[160])
{
    (void)ret_why;
    return otherwise;
}

enum loy_err loy_redis_tls_new(struct loy_redis_tls **ret_tls, struct loy_error *error)
{
    (void)ret_tls;
    return loy_error_set(
        error, LOY_ERR_CONFIG,
        "redis: rediss:// needs TLS, and this build's hiredis %d.%d.%d has none (1.0 or later has): use "
        "redis:// inside a trusted network, or a tunnel",
        HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
}

void loy_redis_tls_destroy(struct loy_redis_tls *tls)
{
    (void)tls;
}

enum loy_err loy_redis_tls_start(struct loy_redis_tls *tls, redisContext *context, const char *host,
                                 struct loy_error *error)
{
    (void)tls;
    (void)context;
    (void)host;
    return loy_error_set(error, LOY_ERR_INTERNAL, "redis: TLS was not there at the start");
}

#endif
