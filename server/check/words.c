/*
 * words.c - lists of words, compiled by libvectorscan into one automaton a list.
 *
 * hs_compile_lit_multi() takes thousands of words in some tenths of a second, and then looks at each
 * byte of a text about once, however many there are. The automaton is not changed by a search; what
 * a search needs besides (scratch) is made for each, so that threads share nothing.
 */
#include "server/check/words.h"

#include <stdlib.h>
#include <string.h>

#include <hs.h>
#include <jansson.h>

#include "server/base/clock.h"
#include "server/check/rule.h"

struct words {
    char *text; /* the file; words point into it */
    char name[100], date[16];
    struct word *all;
    size_t *lengths; /* of what is searched for: words as folded */
    char **folded;
    int n, room;
    hs_database_t *db;
};

const char *words_name(const struct words *w)
{
    return w->name;
}

const char *words_date(const struct words *w)
{
    return w->date;
}

int words_count(const struct words *w)
{
    return w->n;
}

void words_free(struct words *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->n; i++)
        free(w->folded[i]);
    hs_free_database(w->db);
    free(w->folded);
    free(w->lengths);
    free(w->all);
    free(w->text);
    free(w);
}

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

static bool remark(struct words *w, const char *line)
{
    const char *name = "# name:", *date = "# date:";

    if (!strncmp(line, name, strlen(name)))
        snprintf(w->name, sizeof w->name, "%.90s",
                 line + strlen(name) + strspn(line + strlen(name), " "));
    if (!strncmp(line, date, strlen(date)))
        snprintf(w->date, sizeof w->date, "%.10s",
                 line + strlen(date) + strspn(line + strlen(date), " "));
    return !*line || *line == '#';
}

/* The next column of a line; NULL: there is none, or nothing in it. */
static const char *column(char **line)
{
    char *p = *line ? strsep(line, "\t") : NULL;

    return p && *p ? p : NULL;
}

static void grow(struct words *w)
{
    if (w->n < w->room)
        return;
    w->room = w->room ? w->room * 2 : 256;
    w->all = must(realloc(w->all, (size_t)w->room * sizeof *w->all));
    w->lengths = must(realloc(w->lengths, (size_t)w->room * sizeof *w->lengths));
    w->folded = must(realloc(w->folded, (size_t)w->room * sizeof *w->folded));
}

static enum rc add(struct err *e, struct words *w, int number, char *line)
{
    struct word word = { .wrong = column(&line) };
    const char *severity = column(&line);
    size_t n;
    char *folded;

    word.right = column(&line);
    word.why = column(&line);
    if (!word.wrong || !severity ||
        (strcmp(severity, "warning") && strcmp(severity, "blocking")))
        return err_set(e, RC_INVALID, "词表第 %d 行不是“词<TAB>warning 或 blocking…”", number);
    word.severity = *severity == 'b' ? CHECK_BLOCKING : CHECK_WARNING;
    folded = must(malloc(strlen(word.wrong) + 1));
    n = check_fold_word(word.wrong, folded);
    if (n < 3 || n > WORD_MAX || w->n == WORDS_MAX) {
        free(folded);
        return err_set(e, w->n == WORDS_MAX ? RC_TOO_LARGE : RC_INVALID,
                       w->n == WORDS_MAX ? "词表到第 %d 行已超过上限"
                                         : "词表第 %d 行的词太短或太长",
                       number);
    }
    grow(w);
    w->all[w->n] = word;
    w->lengths[w->n] = n;
    w->folded[w->n++] = folded;
    return RC_OK;
}

static enum rc read_lines(struct err *e, struct words *w)
{
    char *rest = w->text, *line;
    int64_t day;
    enum rc rc;

    for (int number = 1; (line = strsep(&rest, "\n")); number++) {
        line[strcspn(line, "\r")] = '\0';
        if (!remark(w, line) && (rc = add(e, w, number, line)))
            return rc;
    }
    if (!w->date[0] || clock_parse(w->date, strlen(w->date), &day))
        return err_set(e, RC_INVALID, "词表没有“# date: 2026-11-01”一行");
    if (!w->n)
        return err_set(e, RC_INVALID, "词表里没有词");
    return RC_OK;
}

static enum rc compile(struct err *e, struct words *w)
{
    unsigned *ids = must(malloc((size_t)w->n * sizeof *ids));
    unsigned *flags = must(calloc((size_t)w->n, sizeof *flags));
    hs_compile_error_t *error = NULL;
    enum rc rc = RC_OK;

    for (int i = 0; i < w->n; i++)
        ids[i] = (unsigned)i;
    if (hs_valid_platform() != HS_SUCCESS ||
        hs_compile_lit_multi((const char *const *)w->folded, flags, ids, w->lengths,
                             (unsigned)w->n, HS_MODE_BLOCK, NULL, &w->db, &error) != HS_SUCCESS)
        rc = err_set(e, RC_INTERNAL, "词表不能编译：%.200s",
                     error ? error->message : "处理器没有 SSSE3");
    hs_free_compile_error(error);
    free(ids);
    free(flags);
    return rc;
}

/* jansson takes nothing else for a string. */
static bool is_text(const char *text, size_t n)
{
    json_t *v = memchr(text, 0, n) ? NULL : json_stringn(text, n);

    json_decref(v);
    return v != NULL;
}

enum rc words_read(struct err *e, const char *text, size_t n, struct words **out)
{
    struct words *w;
    enum rc rc;

    if (n > WORDS_FILE_MAX)
        return err_set(e, RC_TOO_LARGE, "词表超过 %d 字节", WORDS_FILE_MAX);
    if (!is_text(text, n))
        return err_set(e, RC_INVALID, "词表不是 UTF-8 的文本");
    w = must(calloc(1, sizeof *w));
    w->text = must(strndup(text, n));
    if ((rc = read_lines(e, w)) || (rc = compile(e, w))) {
        words_free(w);
        return rc;
    }
    *out = w;
    return RC_OK;
}

struct search {
    const struct words *w;
    bool (*found)(void *, const struct word *, size_t, size_t);
    void *arg;
};

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *arg)
{
    struct search *s = arg;

    (void)from, (void)flags;
    return !s->found(s->arg, &s->w->all[id], (size_t)to - s->w->lengths[id], (size_t)to);
}

void words_search(const struct words *w, const char *text, size_t n,
                  bool (*found)(void *, const struct word *, size_t, size_t), void *arg)
{
    struct search s = { .w = w, .found = found, .arg = arg };
    hs_scratch_t *scratch = NULL;

    if (hs_alloc_scratch(w->db, &scratch) != HS_SUCCESS)
        abort();
    hs_scan(w->db, text, (unsigned)n, 0, scratch, on_match, &s);
    hs_free_scratch(scratch);
}

/* ---- the rule ---- */

struct finding {
    struct checking *c;
    const struct words *w;
    const struct folded *t;
};

static bool say_word(void *arg, const struct word *word, size_t from, size_t to)
{
    struct finding *f = arg;

    if (word->right)
        check_say_as(f->c, word->severity, f->t, from, to, "“%s”应为“%s”（%s%s）", word->wrong,
                     word->right, word->why ? word->why : "",
                     word->why ? "" : words_name(f->w));
    else
        check_say_as(f->c, word->severity, f->t, from, to,
                     "“%s”在词表“%s”中（%s）；请核对后改写或删去", word->wrong,
                     words_name(f->w), word->why ? word->why : words_date(f->w));
    return f->c->said < CHECK_OF_A_RULE_MAX;
}

/* A wrong form that is a part of the right one, which stands here, is not wrong. */
static bool stands_right(const struct finding *f, const struct word *word, size_t from)
{
    const char *in = word->right ? strstr(word->right, word->wrong) : NULL;
    size_t before = in ? (size_t)(in - word->right) : 0;

    return in && from >= before && check_starts(f->t, from - before, word->right);
}

static bool say_if_wrong(void *arg, const struct word *word, size_t from, size_t to)
{
    return stands_right(arg, word, from) || say_word(arg, word, from, to);
}

void judge_listed(struct checking *c)
{
    const struct words *const *lists = c->context->words;

    for (; lists && *lists; lists++)
        for (int i = 0; i < c->item->n; i++) {
            struct finding f = { .c = c, .w = *lists, .t = &c->texts[i] };

            if (check_is_prose(f.t))
                words_search(*lists, f.t->p, f.t->n, say_if_wrong, &f);
        }
}
