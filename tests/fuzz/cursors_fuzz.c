/*
 * cursors_fuzz.c - any bytes as a place in a list: refused, or what lies behind it.
 *
 *     kind | bytes
 *
 * The bytes are the text of a cursor or, so that the search comes past its base64, the place in it. Every item of the answer lies behind
 * that place, in order, and so on to the end of the list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "tests/lib/library_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ITEMS = 60, PLACE = 25, PAGE = 7 };
enum { TEXT, DRAFT_TEXT, PUBLISHED, DRAFTS, KINDS };

static struct library_world *library;

/* Three items a day, every fourth a draft. */
static void fill_library(void)
{
    struct content c;
    struct item item;
    void *state;

    library_world_set_up(&state);
    library = state;
    c = world_content(library, "{\"body\":\"正文\",\"kind\":\"article\",\"title\":\"题\"}");
    for (int i = 0; i < ITEMS; i++) {
        clock_set(WORLD_NOW + i / 3 * 86400);
        world_publish(library, "题", i % 2 ? library->news : library->notices);
        if (i % 4)
            continue;
        world_begin(library);
        if (item_create(&library->w,
                        &(struct item_new){ library->site, library->news, &c, NULL, NULL },
                        &item))
            abort();
        world_commit(library);
    }
}

struct place {
    int64_t first, second, third;
    const uint8_t *id; /* of a draft */
};

static struct place place_of(const struct item *item, bool drafts)
{
    return drafts ? (struct place){ .first = item->created, .id = item->id.b }
                  : (struct place){ item->date, item->born, item->stream, NULL };
}

/* Whether b comes after a. */
static bool is_behind(struct place a, struct place b)
{
    if (a.id)
        return b.first > a.first || (b.first == a.first && memcmp(b.id, a.id, ID_BYTES) > 0);
    if (a.first != b.first)
        return b.first < a.first;
    return a.second != b.second ? b.second < a.second : b.third < a.third;
}

static enum rc ask(struct work *w, bool drafts, const char *cursor, struct item_page *out)
{
    const struct item_query q = { .by = LIST_ALL, .limit = PAGE, .cursor = cursor };

    return drafts ? item_list_state(w, STATE_DRAFT, PAGE, cursor, out) : item_list(w, &q, out);
}

/* From a cursor to the end of the list. `before`: where it points, if that is known. */
static void walk(struct work *w, bool drafts, const char *cursor, const struct place *before)
{
    struct place last = { 0 };
    int items = 0;

    for (struct item_page page; cursor;) {
        if (ask(w, drafts, cursor, &page)) {
            if (w->err.rc != RC_INVALID || strcmp(w->err.field, "cursor") || before || items)
                abort();
            return;
        }
        for (int i = 0; i < page.n; i++, items++) {
            struct place here = place_of(&page.items[i], drafts);

            if ((items && !is_behind(last, here)) || (before && !is_behind(*before, here)))
                abort();
            last = here;
        }
        if (items > ITEMS || (*page.next && page.n != PAGE))
            abort();
        cursor = *page.next ? arena_strdup(w->mem, page.next) : NULL;
    }
}

static void try_place(struct work *w, bool drafts, const uint8_t *data, size_t n)
{
    uint8_t bytes[PLACE] = { drafts ? 's' : 'p' };
    char text[ITEM_CURSOR_TEXT];
    struct place before;

    memcpy(bytes + 1, data, n < PLACE - 1 ? n : PLACE - 1);
    b64url_text(bytes, PLACE, text, sizeof text);
    before = (struct place){ be64_get(bytes + 1), be64_get(bytes + 9), be64_get(bytes + 17),
                             drafts ? bytes + 9 : NULL };
    walk(w, drafts, text, &before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct work w;
    int kind;

    if (!library)
        fill_library();
    if (!n)
        return 0;
    kind = data[0] % KINDS;
    work_init(&w, arena_new(), library->w.db, "operator", RIGHT_ALL);
    if (kind == PUBLISHED || kind == DRAFTS)
        try_place(&w, kind == DRAFTS, data + 1, n - 1);
    else
        walk(&w, kind == DRAFT_TEXT, arena_strndup(w.mem, (const char *)data + 1, n - 1), NULL);
    arena_free(w.mem);
    return 0;
}
