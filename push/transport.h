/*
 * transport.h - by whom a device is reached: the rows of transport.def.
 */
#ifndef PUSH_TRANSPORT_H
#define PUSH_TRANSPORT_H

#include <stddef.h>

enum transport {
    TRANSPORT_NONE,
#define TRANSPORT(name, number, word, label, least, most, tail, tried) \
    TRANSPORT_##name = number,
#include "push/transport.def"
#undef TRANSPORT
    TRANSPORT_COUNT
};

/* Where it stands who a message is from, and how to refuse it. */
enum transport_tail { TRANSPORT_TAIL_IN_TEXT, TRANSPORT_TAIL_APART };

struct transport_type {
    const char *word, *label;
    size_t least, most; /* bytes of a token */
    enum transport_tail tail;
    int tried; /* YYYYMMDD; 0: unverified with vendor */
};

/* NULL: there is none of that number. */
const struct transport_type *transport_type(int number);
enum transport transport_parse(const char *word); /* TRANSPORT_NONE */

#endif
