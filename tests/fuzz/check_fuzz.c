/*
 * check_fuzz.c - whatever a record says, each verdict names a rule, a place that is in the text, and
 * says something in Chinese, within the limits; and whatever a list of words is, it is read or its
 * line is named.
 *
 * The input: a byte that chooses, then texts parted by zeros: title, body, writtenDate, sourceDate,
 * docNumber, indexNumber, summary; or, if the byte is odd, the first of them is a list of words.
 */
#include <stdlib.h>
#include <string.h>

#include "server/check/check.h"
#include "server/check/words.h"
#include "server/library/field.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *const names[] = { "title",     "body",        "writtenDate", "sourceDate",
                                     "docNumber", "indexNumber", "summary" };
enum { NAMES = sizeof names / sizeof *names };

static const char *const hosts[] = { "gov.cn", NULL };

static int code_points(const struct check_text *t)
{
    int count = 0;

    for (size_t i = 0; i < t->n; i++)
        count += (t->text[i] & 0xc0) != 0x80;
    return count;
}

static void check(const struct check_item *item, const struct check_verdict *v)
{
    if (v->rule >= CHECK_RULES || v->severity == CHECK_OFF || !(v->said[0] & 0x80) ||
        strlen(v->said) < 20 || v->from < 0 || (v->to && v->to < v->from))
        abort();
    for (int i = 0; i < item->n; i++)
        if (!strcmp(item->texts[i].field, v->field) && v->to > code_points(&item->texts[i]))
            abort();
}

static void judge(const struct check_item *item, const struct words *list, unsigned choice)
{
    const struct words *const lists[] = { list, NULL };
    struct check_context context = { .now = 1795392000,
                                     .published = choice & 2 ? 1795305600 : 0,
                                     .words = lists,
                                     .hosts = choice & 4 ? hosts : NULL };
    struct arena *mem = arena_new();
    struct check_result r;

    check_run(mem, item, CHECK_REVIEW, &context, &r);
    if (r.n > CHECK_VERDICTS_MAX)
        abort();
    for (int i = 0; i < r.n; i++)
        check(item, &r.verdicts[i]);
    arena_free(mem);
}

/* What reaches a rule has passed field_check_text(). */
static bool is_text(const char *p, size_t n)
{
    struct err e;

    return n && !field_check_text(&e, "x", p, n, 1, 204800);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct check_text texts[NAMES];
    struct check_item item = { .kind = "policy", .texts = texts };
    struct words *list = NULL;
    unsigned choice = n ? *data : 0;
    struct err e = { 0 };

    for (size_t at = 1, field = 0; at < n && field < NAMES; field++) {
        const char *p = (const char *)data + at;
        size_t len = strnlen(p, n - at);

        if (!field && choice & 1) {
            if (words_read(&e, p, len, &list) && !e.text[0])
                abort();
        } else if (is_text(p, len)) {
            texts[item.n++] = (struct check_text){ names[field], p, len };
        }
        at += len + 1;
    }
    judge(&item, list, choice);
    words_free(list);
    return 0;
}
