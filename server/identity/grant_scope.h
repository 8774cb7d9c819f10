/*
 * grant_scope.h - what a party may ask to know about a person, as bits of a set: the table is grant_scope.def.
 */
#ifndef IDENTITY_GRANT_SCOPE_H
#define IDENTITY_GRANT_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

enum grant_scope {
#define GRANT_SCOPE(name, bit, word, chinese) SCOPE_##name = 1 << (bit),
#include "server/identity/grant_scope.def"
#undef GRANT_SCOPE
};

#define GRANT_SCOPE(name, bit, word, chinese) | 1 << (bit)
enum {
    SCOPE_ALL = (0
#include "server/identity/grant_scope.def"
                 )
};
#undef GRANT_SCOPE

enum { GRANT_SCOPES = 5, GRANT_SCOPES_TEXT = 64 /* all words, with spaces */ };

/* A list as RFC 6749 section 3.3 writes it. What we do not know is passed over (OpenID Connect Core section 3.1.2.1). */
unsigned grant_scopes_read(const char *text);
/* "openid phone", in the order of the table; "" of none. Returns `out`. */
const char *grant_scopes_text(unsigned scopes, char out[GRANT_SCOPES_TEXT]);
/* What a person is told about each of the set, in the order of the table; how many. */
int grant_scopes_chinese(unsigned scopes, const char *out[GRANT_SCOPES]);

#endif
