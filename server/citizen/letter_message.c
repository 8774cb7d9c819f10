/*
 * letter_message.c - the table, and its texts filled in.
 *
 * Who is gone hears nothing, and no step fails for it: an account may have been erased while a letter of it was under way. Nor does one fail for what its message says:
 * the step's words were checked when it was taken (letter_text.h), and what an inbox does not take is a fault of ours.
 */
#include "server/citizen/letter_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/citizen/inbox.h"

enum {
    ANY = -1,
    WORDS_MAX = 1600
}; /* characters: with the text around them a message holds them */

static const struct told {
    enum letter_verb verb;
    int state;
    const char *title, *text;
} table[] = {
#define LETTER_ANY ANY
#define LETTER_MESSAGE(verb, state, title, text) \
    { LETTER_DO_##verb, LETTER_##state, title, text },
#include "server/citizen/letter_message.def"
#undef LETTER_MESSAGE
#undef LETTER_ANY
};

static const struct told *find(const struct letter *l, const struct letter_step *s)
{
    int verb = letter_verb_parse(s->verb);

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((int)table[i].verb == verb &&
            (table[i].state == ANY || table[i].state == (int)l->state))
            return &table[i];
    return NULL;
}

/* Its beginning; the whole stands in the letter. */
static const char *cut(struct work *w, const char *words)
{
    size_t n = 0, chars = 0;

    for (; words[n]; n++)
        if ((words[n] & 0xc0) != 0x80 && chars++ == WORDS_MAX)
            return arena_printf(w->mem, "%.*s……（全文见信件）", (int)n, words);
    return words;
}

/* "2026年12月1日": the last day on which it is in time. */
static const char *day_of(struct work *w, int64_t due)
{
    char day[CLOCK_TEXT];
    int year, month, date;

    if (!due || sscanf(clock_day(due - 1, day), "%d-%d-%d", &year, &month, &date) != 3)
        return "期限";
    return arena_printf(w->mem, "%d年%d月%d日", year, month, date);
}

static const char *lapse_of(const struct letter *l)
{
    return letter_days(l->kind->category, l->received).lapse == LETTER_DO_ABANDON
               ? "到期没有补充，又没有正当理由的，依照《政府信息公开条例》第三十条视为放弃申请"
                 "："
               : "到期没有补充，就按已有的内容继续办理：";
}

static const char *fill(struct work *w, const char *text, const struct letter *l,
                        const struct letter_step *s, const char *unit)
{
    const struct {
        const char *name, *value;
    } all[] = { { "{number}", l->number },      { "{unit}", unit },
                { "{due}", day_of(w, l->due) }, { "{by}", day_of(w, l->complete_by) },
                { "{lapse}", lapse_of(l) },     { "{words}", s->text ? cut(w, s->text) : "" } };
    struct buf b = BUF_IN(w->mem);

    while (*text) {
        size_t i = 0;

        while (i < sizeof all / sizeof *all &&
               strncmp(text, all[i].name, strlen(all[i].name)) != 0)
            i++;
        if (i == sizeof all / sizeof *all)
            buf_addc(&b, *text++);
        else {
            buf_adds(&b, all[i].value);
            text += strlen(all[i].name);
        }
    }
    while (b.n && b.p[b.n - 1] == '\n') /* no words came with it */
        b.n--;
    buf_addc(&b, '\0');
    return b.p;
}

enum rc letter_message(struct work *w, const struct letter *l, const struct letter_step *s,
                       const char *unit)
{
    const struct told *told = find(l, s);
    struct message m = { .kind = "letter" };
    char id[ID_TEXT];
    enum rc rc;

    if (!told || !l->account)
        return RC_OK;
    m.title = told->title;
    m.text = fill(w, told->text, l, s, unit);
    m.letter = id_text(&l->id, id);
    m.group = arena_printf(w->mem, "letter/%s/%" PRId64, id, s->no);
    rc = inbox_put(w, l->account, &m, NULL);
    if (rc == RC_INVALID)
        LOG(LOG_ERROR, "letter_not_told", L_STR("number", l->number),
            L_STR("why", w->err.text));
    return rc == RC_NOT_FOUND || rc == RC_INVALID ? RC_OK : rc;
}
