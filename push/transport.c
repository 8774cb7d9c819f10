/*
 * transport.c - the table of transport.def.
 */
#include "push/transport.h"

#include <string.h>

static const struct transport_type types[TRANSPORT_COUNT] = {
#define TRANSPORT(name, number, word, label, least, most, tail, tried) \
    [number] = { word, label, least, most, TRANSPORT_TAIL_##tail, tried },
#include "push/transport.def"
#undef TRANSPORT
};

const struct transport_type *transport_type(int number)
{
    return number > 0 && number < TRANSPORT_COUNT && types[number].word ? &types[number] : NULL;
}

enum transport transport_parse(const char *word)
{
    for (int i = 1; i < TRANSPORT_COUNT; i++)
        if (types[i].word && !strcmp(types[i].word, word))
            return (enum transport)i;
    return TRANSPORT_NONE;
}
