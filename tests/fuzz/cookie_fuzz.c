/*
 * cookie_fuzz.c - a field Cookie: what is found lies in the field, behind its name, and holds no semicolon.
 */
#include <stdlib.h>
#include <string.h>

#include "server/http/cookie.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    for (int secure = 0; secure < 2; secure++) {
        const char *name = cookie_name(secure);
        size_t length = strlen(name);
        struct cookie c = { 0 };
        char *field = malloc(n ? n : 1); /* of its own size, so that a byte too many is seen */
        int found = 0;

        memcpy(field, data, n);
        cookie_find(field, n, name, &c, &found);
        if (found && (c.value < field + length + 1 || c.value + c.n > field + n ||
                      memcmp(c.value - length - 1, name, length) || c.value[-1] != '=' ||
                      memchr(c.value, ';', c.n)))
            abort();
        free(field);
    }
    return 0;
}
