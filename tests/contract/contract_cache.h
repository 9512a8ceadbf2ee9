/* Contract of ports/cache.h: the same histories on the adapter of Redis and on the simulated cache.
 *
 * A cache may lose anything, so "nothing came back" is never a failure unless the maker says that its cache is honest;
 * what comes back has to be right always. */
#ifndef LOY_TESTS_CONTRACT_CACHE_H
#define LOY_TESTS_CONTRACT_CACHE_H

#include "ports/cache.h"

struct contract_cache_maker {
    const char *name;
    bool is_honest; /* loses nothing while it is well */
    /* A client of an empty server; NULL: cannot be had here. */
    void *(*open)(void *context);
    /* Another client of the server that open made. */
    void *(*open_another)(void *context);
    struct loy_cache (*port)(void *cache);
    /* Lets time pass: at least until what was stored is there, if it ever will be. */
    void (*settle)(void *context, void *cache);
    void (*close)(void *context, void *cache);
    void *context;
};

/* Runs all histories; how many failed, as cmocka counts. */
int contract_cache_run(const struct contract_cache_maker *maker);

#endif
