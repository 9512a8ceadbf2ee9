/* The version of all programs. */
#ifndef LOY_RUNTIME_VERSION_H
#define LOY_RUNTIME_VERSION_H

#define LOY_VERSION "0.1.0"

#endif
