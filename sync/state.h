/*
 * state.h - the types of a person's own state, and what their keys and values look like. The table is state.def.
 *
 * Pure; shared by the server and all that is built of libtjzw. How two values become one: merge.h.
 */
#ifndef SYNC_STATE_H
#define SYNC_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include "sync/merge.h"

enum state_writer { STATE_BY_PHONE, STATE_BY_SERVER };

enum {
    STATE_KEY_MAX = 128,     /* bytes of a key */
    STATE_VALUE_MAX = 65536, /* … of a value of any type, as canonical JSON */
    STATE_DEVICE = 22,       /* characters of a device: base64url of 16 bytes */
    STATE_BLOCK = 4096       /* numbers in a block of read marks: born / STATE_BLOCK */
};

struct state_type {
    const char *name;
    enum merge_rule rule;
    int most;      /* entries that one person may have */
    int value_max; /* bytes */
    enum state_writer writer;
    bool sealed;
    const char *key, *value; /* patterns; value NULL: any, or the setting's */
};

/* All of them, in the order of the table. */
const struct state_type *state_types(int *n);
const struct state_type *state_type_find(const char *name); /* NULL: there is none */

bool state_key_ok(const struct state_type *t, const char *key);
/* `value`: canonical JSON, NUL-terminated. The key is good already. */
bool state_value_ok(const struct state_type *t, const char *key, const char *value);

#endif
