/*
 * staff.c - what the staff do: publish, correct, take away; make backups, start a server again, restore it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/poll.h"
#include "tests/sim/reached.h"
#include "tests/sim/tally.h"

enum {
    BODY_MAX = 3000,
    LINE_MAX = 400,   /* of an import, but for the body */
    SURVEY_EVERY = 4, /* items */
    CHUNK = 1000,     /* lines that an import takes */
    OLDEST = 20,
    FIRST = 6 /* items that half of all is about, so that people meet at them */
};

/* ---- items ---- */

/* The server is up again, and what was under way when it ended is settled. */
void staff_mend(struct sim *s, bool under_way, int item, const char *title)
{
    if (s->server.pid)
        return;
    server_begin(s, NULL, s->faults);
    truth_settle(s, under_way, item, title);
}

static const char lines[] = "content-type: application/x-ndjson\n",
                  json[] = "content-type: application/json\n",
                  import[] = "/v1/import?publish=1&create=1";

/* Some are surveys. */
static bool is_survey(int item)
{
    return item < ITEMS && item % SURVEY_EVERY == 1;
}

/* A line of an import. */
static size_t print_item(struct sim *s, int item, const char *title, int length, char *out)
{
    static const char questions[] =
        ",\"kind\":\"survey\",\"questions\":[{\"kind\":\"single\",\"title\":\"怎么来\","
        "\"choices\":[\"步行"
        "\",\"公交\",\"开车\"]},{\"kind\":\"text\",\"title\":\"建议\"}]";
    int n = sprintf(out,
                    "{\"id\":\"item-%d\",\"title\":\"%s\",\"source\":\"示例市\",\"column\":"
                    "\"要闻\"%s,\"body\":\"",
                    item, title, is_survey(item) ? questions : "");

    for (int i = 0; i < length; i++)
        out[n++] = (char)('a' + (i < 40 ? (int)dice_roll(&s->dice, 26) : (i + item) % 26));
    return (size_t)n + (size_t)sprintf(out + n, "\"}\n");
}

/* False: the server ended over it. */
static bool import_lines(struct sim *s, const char *body, size_t n)
{
    struct message m;

    if (!server_request(s, POST, import, lines, body, n, OPERATOR, &m))
        return false;
    if (m.number != 200 || !strstr(m.text[1], "\"refused\":[]"))
        lost(s, "an import is answered %d: %s", m.number, m.text[1]);
    message_done(&m);
    return true;
}

void staff_prepare(struct sim *s)
{
    char *body = malloc(CHUNK * (size_t)LINE_MAX), title[32];
    size_t n = 0;

    if (!body)
        abort();
    for (int i = ITEMS; i < ITEMS_MOST; i++) {
        snprintf(title, sizeof title, "n%04d v%d", i, ++s->item_version[i]);
        n += print_item(s, i, title, 1, body + n);
        truth_add(s, i, title);
        if (i % CHUNK && i + 1 < ITEMS_MOST)
            continue;
        if (!import_lines(s, body, n))
            lost(s, "the server ended without a reason");
        n = 0;
    }
    free(body);
    note(s, "there is a library");
}

/* One of those that come one by one, or one of the oldest of a library. */
static int draw_item(struct sim *s)
{
    bool old = s->town == TOWN_LIBRARY && dice_one_in(&s->dice, 4);
    int item = (int)dice_roll(&s->dice, old                        ? OLDEST
                                        : dice_one_in(&s->dice, 2) ? FIRST
                                                                   : ITEMS);

    return old ? ITEMS + item : item;
}

static void note_changed(struct sim *s, int item)
{
    for (int i = 0; i < PHONES && item >= ITEMS; i++)
        if (s->phone[i].epoch && !s->phone[i].all)
            reached(PATH_old_changed);
}

void staff_publish(struct sim *s)
{
    int item = draw_item(s);
    char title[32], body[BODY_MAX + LINE_MAX];
    size_t n;

    if (s->item_version[item] < 0)
        return;
    snprintf(title, sizeof title, "n%04d v%d", item, ++s->item_version[item]);
    n = print_item(s, item, title, 1 + (int)dice_roll(&s->dice, BODY_MAX), body);
    if (!import_lines(s, body, n)) {
        staff_mend(s, true, item, title);
        return;
    }
    note(s, "publishes %s", title);
    note_changed(s, item);
    truth_add(s, item, title);
}

/* What the list says behind a mark; "" for nothing. */
static void copy_behind(const char *list, const char *mark, char out[64])
{
    const char *at = list ? strstr(list, mark) : NULL;

    snprintf(out, 64, "%.*s", at ? (int)strcspn(at + strlen(mark), "\"") : 0,
             at ? at + strlen(mark) : "");
}

/* The id of an item that stands: a list knows it by its title. */
bool staff_find_id(struct sim *s, const char *title, char id[40])
{
    char mark[64], next[64] = "", target[120];
    struct message m;

    snprintf(mark, sizeof mark, "\"title\":\"%s\"", title);
    id[0] = '\0';
    do {
        const char *at, *open;

        snprintf(target, sizeof target, "/v1/items?n=500%s%s", next[0] ? "&cursor=" : "", next);
        if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m))
            return false;
        if ((at = strstr(m.text[1], mark)))
            for (open = m.text[1]; (open = strstr(open, "\"id\":\"")) && open < at; open += 6)
                snprintf(id, 37, "%s", open + 6);
        copy_behind(m.text[1], "\"next\":\"", next);
        message_done(&m);
    } while (!id[0] && next[0]);
    if (!id[0])
        lost(s, "the server does not list %s", title);
    return true;
}

/* Somebody cared for it. */
static bool has_votes(struct sim *s, const char *id)
{
    int least, useful, useless;

    folk_votes(s, id, "1", &least, &useful);
    folk_votes(s, id, "-1", &least, &useless);
    return useful + useless > 0;
}

void staff_take_away(struct sim *s)
{
    static const char *const verbs[] = { "withdraw", "gone" };
    static const char reason[] = "{\"reason\":\"内容有误\"}";
    int item = draw_item(s);
    const char *title = truth_title(s, item);
    char id[40], target[100];
    struct message m;

    if (!title[0])
        return;
    if (!staff_find_id(s, title, id)) {
        staff_mend(s, false, 0, "");
        return;
    }
    snprintf(target, sizeof target, "/v1/items/%s/%s", id, verbs[dice_roll(&s->dice, 2)]);
    s->item_version[item] = -1;
    poll_closes(s, id);
    if (!server_request(s, POST, target, json, reason, strlen(reason), OPERATOR, &m)) {
        staff_mend(s, true, item, "");
        return;
    }
    if (m.number != 200)
        lost(s, "%s is answered %d: %s", target, m.number, m.text[1]);
    note(s, "takes away n%04d", item);
    note_changed(s, item);
    if (has_votes(s, id))
        reached(PATH_voted_away);
    truth_add(s, item, "");
    message_done(&m);
}

/* Which is a change of the item: its text stays, and its end is now. */
void staff_close_survey(struct sim *s)
{
    int item = 1 + SURVEY_EVERY * (int)dice_roll(&s->dice, 3);
    const char *title = truth_title(s, item);
    char id[40], target[100], same[32];
    struct message m;

    if (!title[0])
        return;
    snprintf(same, sizeof same, "%s", title);
    if (!staff_find_id(s, title, id)) {
        staff_mend(s, false, 0, "");
        return;
    }
    snprintf(target, sizeof target, "/v1/surveys/%s/close", id);
    poll_closes(s, id);
    if (!server_request(s, POST, target, "", NULL, 0, OPERATOR, &m)) {
        staff_mend(s, true, item, same);
        return;
    }
    if (m.number != 200 && m.number != 409)
        lost(s, "%s is answered %d: %s", target, m.number, m.text[1]);
    note(s, "closes %s: %d", same, m.number);
    if (m.number == 200)
        truth_add(s, item, same);
    message_done(&m);
}

/* ---- backups ---- */

static void shell(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void shell(struct sim *s, const char *format, ...)
{
    char command[1000];
    va_list ap;

    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    if (system(command))
        lost(s, "%s", command);
}

void staff_back_up(struct sim *s)
{
    struct message m = { .kind = SERVER_BACKUP }, out;
    uint64_t seq = truth_now(s)->seq;

    shell(s, "rm -rf '%s'", s->backup_dir);
    s->backed_up = false;
    message_text(&m, 0, s->backup_dir, strlen(s->backup_dir));
    if (!server_ask(s, &m, &out)) {
        staff_mend(s, false, 0, "");
        return;
    }
    if (out.number)
        lost(s, "a backup failed: %d", out.number);
    note(s, "backs up at %" PRIu64, seq);
    message_done(&out);
    s->backup_seq = seq;
    s->backed_up = true;
    mail_backed_up(s);
    poll_backed_up(s);
    tally_backed_up(s);
}

void staff_restore(struct sim *s)
{
    if (!s->backed_up || s->npast == EPOCHS)
        return;
    note(s, "restores");
    reached(PATH_restored);
    server_end(s);
    shell(s,
          "cd '%s' && mkdir ../new && for f in epoch takedowns erased audit-heads; do [ ! -e "
          "$f ] || cp $f ../new/; done; "
          "cd .. && rm -rf server && mv new server",
          s->server_dir);
    server_begin(s, s->backup_dir, true);
    truth_restored(s);
    folk_restored(s, true);
    mail_restored(s);
    notice_restored(s);
    poll_restored(s);
    tally_restored(s);
}
