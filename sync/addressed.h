/*
 * addressed.h - whom a message is for, told by what a phone knows of its owner: the field `recipients` of an item of kind `message`. Pure; shared by server and phones, with the examples in
 * tests/vectors/addressed.json.
 *
 *     {"all":true}
 *     {"and":[{"or":[{"column":"main/12"},{"tag":"养老"}]},{"area":"120101"},{"not":{"tag":"学生"}}]}
 *
 * Canonical JSON. An object with one member: `all` (true), `column`, `org`, `area`, `tag` (a key of the type `follow` behind its first "/"), `and`, `or` (arrays of two or more of these), `not`. A person
 * has the word "column/main/12" if he follows it, and "area/A" if he follows or lives in A or in an area inside it (addressed_area_around()).
 */
#ifndef SYNC_ADDRESSED_H
#define SYNC_ADDRESSED_H

#include <stdbool.h>
#include <stddef.h>

enum {
    ADDRESSED_TERMS = 64,
    ADDRESSED_DEEP = 8,
    ADDRESSED_MAX = 4096, /* bytes */
    ADDRESSED_AREA = 13   /* room for an area's code */
};

enum addressed { ADDRESSED_NO, ADDRESSED_YES, ADDRESSED_UNREADABLE };

/* `has` is asked for words of at most 160 bytes. UNREADABLE: it is no such expression, or one that says what this version does not know: then nobody knows whom it is for. */
enum addressed addressed_tell(const char *json, size_t n,
                              bool (*has)(void *ctx, const char *word), void *ctx);

/* The area around an area, in place: 12 digits, 9, 6, the city's. False: there is none. */
bool addressed_area_around(char area[ADDRESSED_AREA]);

#endif
