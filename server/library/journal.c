/*
 * journal.c - a line an event, appended and on the disk before anybody is answered.
 *
 *     main 1763712000 995 withdraw 0190f3c2-7d1c-7a3e-9f00-3c1d5b7e9a11 2 内容有误 2026-11-22T08:00:00+08:00
 *     stream epoch seq verb item revision reason time
 *
 * `-` stands for no item, no reason. In a reason, control characters, spaces and % are %XX; the
 * rest is UTF-8 as it was. The file only grows. Lines of verb `replayed` and `void` speak of
 * lines above them (replay.c says how they are read).
 *
 * The order is: the line, fsync, COMMIT, answer. What a crash leaves:
 *     in the line             no \n: nobody was answered, the next start cuts it off
 *     between line and COMMIT a line whose seq the log does not have, or gave to another change:
 *                             the next start appends its `void`
 *     after COMMIT            line and change agree
 * So no takedown was answered that is not here, and what is here and did not happen is marked
 * before the log can go on. Of an append that fails (a full disk) the file keeps nothing.
 */
#include "server/library/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/store/backup.h"
#include "sync/wire.h"

enum { TAIL = 16384 }; /* no line is longer */

static struct {
    int fd;
    bool broken; /* it ends with half a line that could not be taken away */
    char path[PATH_MAX];
} journal = { .fd = -1 };

static const char *const verbs[JOURNAL_VERBS] = { "withdraw", "gone", "purge", "replayed",
                                                  "void" };

const char *journal_verb_name(enum journal_verb verb)
{
    return verbs[verb];
}

/* ---- a line ---- */

static bool is_plain(const char *s, size_t i)
{
    return (uint8_t)s[i] > ' ' && s[i] != '%' && s[i] != 0x7f;
}

static void print_reason(const char *s, struct buf *out)
{
    if (!*s || !strcmp(s, "-")) {
        buf_adds(out, *s ? "%2d" : "-");
        return;
    }
    for (size_t i = 0; s[i]; i++) {
        if (is_plain(s, i))
            buf_addc(out, s[i]);
        else
            buf_printf(out, "%%%02x", (uint8_t)s[i]);
    }
}

void journal_print(const struct journal_line *l, struct buf *out)
{
    static const struct id none;
    char id[ID_TEXT] = "-", at[CLOCK_TEXT];

    if (memcmp(&l->item, &none, sizeof none) != 0)
        id_text(&l->item, id);
    buf_printf(out, "%s %" PRId64 " %" PRId64 " %s %s %" PRId64 " ", l->stream, l->epoch,
               l->seq, verbs[l->verb], id, l->rev);
    print_reason(l->reason, out);
    buf_printf(out, " %s\n", clock_text(l->at, at));
}

/* Up to the next space or the end; at least one byte. */
static bool take_word(struct wire_text *t, struct wire_text *word)
{
    const char *end = memchr(t->at, ' ', (size_t)(t->end - t->at));

    *word = (struct wire_text){ t->at, end ? end : t->end };
    t->at = end ? end + 1 : t->end;
    return word->at < word->end;
}

static bool take_number(struct wire_text *t, int64_t *out)
{
    struct wire_text word;
    uint64_t n;

    if (!take_word(t, &word) || !wire_take_u64(&word, &n) || word.at != word.end ||
        n > INT64_MAX)
        return false;
    *out = (int64_t)n;
    return true;
}

static bool take_verb(struct wire_text *t, enum journal_verb *out)
{
    struct wire_text word;

    if (!take_word(t, &word))
        return false;
    for (int i = 0; i < JOURNAL_VERBS; i++)
        if (strlen(verbs[i]) == (size_t)(word.end - word.at) &&
            !memcmp(verbs[i], word.at, strlen(verbs[i]))) {
            *out = (enum journal_verb)i;
            return true;
        }
    return false;
}

static bool take_item(struct wire_text *t, struct id *out)
{
    struct wire_text word;

    *out = (struct id){ 0 };
    if (!take_word(t, &word))
        return false;
    return (word.end - word.at == 1 && *word.at == '-') ||
           id_parse(word.at, (size_t)(word.end - word.at), out);
}

static bool take_reason(struct wire_text *t, struct arena *mem, const char **out)
{
    struct wire_text word;
    char *s;
    size_t n = 0;

    if (!take_word(t, &word))
        return false;
    s = arena_alloc(mem, (size_t)(word.end - word.at) + 1);
    for (const char *p = word.at; p < word.end; p++) {
        uint8_t byte = (uint8_t)*p;

        if (*p == '%') {
            if (word.end - p < 3 || !hex_parse(p + 1, 2, &byte, 1) || !byte)
                return false;
            p += 2;
        } else if (!is_plain(p, 0)) {
            return false;
        }
        s[n++] = (char)byte;
    }
    s[n] = '\0';
    *out = word.end - word.at == 1 && *word.at == '-' ? "" : s;
    return true;
}

bool journal_parse(const char *text, size_t n, struct arena *mem, struct journal_line *out)
{
    struct wire_text t = { text, text + n }, word;
    struct journal_line l = { 0 };

    if (!take_word(&t, &word) || !wire_stream_ok(word.at, (size_t)(word.end - word.at)))
        return false;
    memcpy(l.stream, word.at, (size_t)(word.end - word.at));
    if (!take_number(&t, &l.epoch) || !take_number(&t, &l.seq) || !take_verb(&t, &l.verb) ||
        !take_item(&t, &l.item) || !take_number(&t, &l.rev) ||
        !take_reason(&t, mem, &l.reason) || !take_word(&t, &word) || t.at != t.end ||
        clock_parse(word.at, (size_t)(word.end - word.at), &l.at))
        return false;
    *out = l;
    return true;
}

/* ---- the file ---- */

/* What a crash left of the last line. */
static enum rc cut_tail(struct err *e, int fd, const char *path)
{
    char tail[TAIL];
    struct stat st;
    off_t from;
    ssize_t n;
    const char *end;

    if (fstat(fd, &st))
        return err_errno(e, "look at %s", path);
    from = st.st_size > TAIL ? st.st_size - TAIL : 0;
    n = pread(fd, tail, sizeof tail, from);
    if (n < 0)
        return err_errno(e, "read %s", path);
    if (!n || tail[n - 1] == '\n')
        return RC_OK;
    end = memrchr(tail, '\n', (size_t)n);
    if (!end && from)
        return err_set(e, RC_CORRUPT, "%s does not end with a line", path);
    return ftruncate(fd, from + (end ? end + 1 - tail : 0)) || fsync(fd)
               ? err_errno(e, "shorten %s", path)
               : RC_OK;
}

enum rc journal_open(struct err *e, const char *data)
{
    enum rc rc;
    int fd;

    journal_close();
    if ((size_t)snprintf(journal.path, sizeof journal.path, "%s/" TAKEDOWNS_NAME, data) >=
        sizeof journal.path)
        return err_set(e, RC_INVALID, "the data directory's path is too long");
    fd = open(journal.path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, "open %s", journal.path);
    if ((rc = cut_tail(e, fd, journal.path)) || (rc = fs_sync_dir(e, data))) {
        close(fd);
        return rc;
    }
    journal.fd = fd;
    return RC_OK;
}

bool journal_is_open(void)
{
    return journal.fd >= 0;
}

void journal_close(void)
{
    if (journal.fd >= 0)
        close(journal.fd);
    journal.fd = -1;
    journal.broken = false;
}

const char *journal_path(void)
{
    return journal.fd >= 0 ? journal.path : "";
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return !fdatasync(fd);
}

enum rc journal_append(struct err *e, const struct journal_line *lines, int n)
{
    struct buf text = BUF_HEAP;
    struct stat st;
    enum rc rc = RC_OK;

    if (journal.fd < 0 || !n)
        return RC_OK;
    if (journal.broken)
        return err_set(e, RC_IO, "%s could not be written: start again", journal.path);
    for (int i = 0; i < n; i++)
        journal_print(&lines[i], &text);
    if (fstat(journal.fd, &st))
        rc = err_errno(e, "look at %s", journal.path);
    else if (!st.st_nlink)
        rc = err_set(e, RC_IO, "%s was removed: put it back and start again", journal.path);
    else if (!write_all(journal.fd, text.p, text.n)) {
        rc = err_unwritten(e, "write %s", journal.path);
        journal.broken = ftruncate(journal.fd, st.st_size) != 0;
    }
    buf_done(&text);
    return rc;
}

static enum rc read_lines(struct err *e, struct arena *mem, FILE *in, const char *path,
                          struct buf *list)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    enum rc rc = RC_OK;

    for (int no = 1; !rc && (n = getline(&text, &room, in)) > 0; no++) {
        struct journal_line l;

        if (text[n - 1] == '\n' && journal_parse(text, (size_t)n - 1, mem, &l))
            buf_add(list, &l, sizeof l);
        else if (text[n - 1] == '\n') /* without: a crash, or a server that is just writing */
            rc = err_set(e, RC_CORRUPT, "%s: line %d is not one of a takedown", path, no);
    }
    if (!rc && ferror(in))
        rc = err_errno(e, "read %s", path);
    free(text);
    return rc;
}

enum rc journal_read(struct err *e, struct arena *mem, const char *path,
                     struct journal_line **out, int *n)
{
    AUTO(fclosep) FILE *in = fopen(path, "re");
    struct buf list = BUF_IN(mem);
    enum rc rc;

    if (!in)
        return err_errno(e, "open %s", path);
    if ((rc = read_lines(e, mem, in, path, &list)))
        return rc;
    *out = (struct journal_line *)(void *)list.p;
    *n = (int)(list.n / sizeof **out);
    return RC_OK;
}
