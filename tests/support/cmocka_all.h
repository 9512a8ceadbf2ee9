/* cmocka with the headers that it wants before it. */
#ifndef LOY_TESTS_CMOCKA_ALL_H
#define LOY_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#endif
