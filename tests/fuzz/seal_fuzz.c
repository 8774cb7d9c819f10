/*
 * seal_fuzz.c - a sealed value, however damaged.
 *
 * The keys are new in each run, so nothing that the corpus holds was sealed with them: all must be
 * refused, unless the first byte asks us to seal the rest and flip no bit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct seal_place place = { "account.phone", 1 };

/* The keys stay in memory; their files go at once. */
static void load(void)
{
    char dir[] = "/tmp/tjzw-seal-fuzz-XXXXXX", path[64];
    struct err e;

    if (!mkdtemp(dir) || seal_load(&e, dir, SEAL_XCHACHA))
        abort();
    snprintf(path, sizeof path, "%s/seal.1", dir);
    remove(path);
    snprintf(path, sizeof path, "%s/index", dir);
    remove(path);
    remove(dir);
}

static void round_trip(struct work *w, const uint8_t *data, size_t n)
{
    uint8_t *sealed;
    size_t sealed_n, text_n;
    char *text;

    if (seal_close(w, place, data, n, &sealed, &sealed_n) ||
        seal_open(w, place, sealed, sealed_n, &text, &text_n) || text_n != n ||
        memcmp(text, data, n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct work w;
    char *text;
    size_t text_n;

    if (!seal_newest())
        load();
    work_init(&w, arena_new(), NULL, "fuzz", RIGHT_ALL);
    if (n && data[0] == 'r' && n <= SEAL_MAX)
        round_trip(&w, data + 1, n - 1);
    else if (!seal_open(&w, place, data, n, &text, &text_n))
        abort();
    arena_free(w.mem);
    return 0;
}
