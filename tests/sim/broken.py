#!/usr/bin/env python3
"""broken.py - the program with deliberate mistakes, of which one is chosen when it runs: to see that the simulation catches them.

    broken.py OUT SOURCE    writes SOURCE with its breakages to OUT
    broken.py --list        their numbers, one a line, and what is wrong in each

A row: its number, what is wrong, the file, a piece of it that stands there once, and what stands there instead. breaks(N) is true if N was chosen
(TJZW_SIM_BROKEN, broken.c). A piece that is no longer in its file ends the build: a breakage keeps up with what it breaks.
"""
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

ROWS = [
    (1, "a COMMIT is answered that is not on the disk", "server/store/db_sqlite.c",
     "    rc = db_script(e, db->handle, path, of_mode[db->mode]);",
     '    rc = db_script(e, db->handle, path, breaks(1) ? "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" : of_mode[db->mode]);'),
    (3, "a phone does not apply tombstones", "clients/c/stream.c",
     "    (void)frame; /* is made of the columns again",
     "    if (breaks(3) && f->op != 1)\n        return touch(s, e, f->born, leaf);\n"
     "    (void)frame; /* is made of the columns again"),
    (4, "a restored server goes on in the old epoch", "server/store/restore.c",
     "        rc = new_epoch(r, &rows[i]);",
     "        rc = breaks(4) ? RC_OK : new_epoch(r, &rows[i]);"),
    (6, "a phone accepts an older head", "sync/verify.c",
     "    if (next->epoch < held->epoch)\n",
     "    if (breaks(6)) {\n        *step = VERIFY_AHEAD;\n        return SYNC_OK;\n    }\n    if (next->epoch < held->epoch)\n"),
    (7, "what is sent again is done again", "server/citizen/visit.c",
     "if ((rc = m->n > d->n ? take(w, m, hash, d, &body) : recall(w, m, hash, &body)))",
     "if ((rc = m->n > d->n || breaks(7) ? take(w, m, hash, d, &body) : recall(w, m, hash, &body)))"),
    (8, "the result is not in the transaction of its effect", "server/citizen/visit.c",
     "    return device_result_put(w, m->account, m->device, m->n, hash, *body);",
     "    return breaks(8) ? RC_OK : device_result_put(w, m->account, m->device, m->n, hash, *body);"),
    (9, "read marks: the last writer wins", "server/citizen/entry.c",
     "    e.value = merge_value(t->rule, held.value, value, united);",
     "    e.value = merge_value(breaks(9) ? MERGE_LAST : t->rule, held.value, value, united);"),
    (10, "compaction drops tombstones that a phone has not read, and does not tell it", "server/citizen/compact.c",
     "    return raise_floor(w, account, highest);",
     "    return breaks(10) ? RC_OK : raise_floor(w, account, highest);"),
    (11, "the answer to what was sent moves the cursor over what others wrote", "server/citizen/visit.c",
     "    if ((rc = entry_list(w, v->account, page)))",
     "    if (breaks(11) && v->n)\n        page->since = c.seq;\n    if ((rc = entry_list(w, v->account, page)))"),
    (12, "a mutation is numbered anew when it is sent again", "clients/c/exchange.c",
     "        if (!(rc = again(x, e)) && !(rc = add_numbered(x, all, &bytes, e)))",
     "        if (!(rc = again(x, e)) && breaks(12))\n"
     "            rc = person_new_device(x->l->t, &x->p, e);\n"
     "        if (!rc && !(rc = add_numbered(x, all, &bytes, e)))"),
    (13, "a phone forgets its old refresh token before it has the new one", "clients/c/call.c",
     '    call_json(&c, json_pack("{s:s}", "refresh", p->refresh));',
     '    if (breaks(13))\n'
     '        (void)!store_do(l->t, e, STMT_PERSON_SESSION, "iiiittttt", p->no, p->account, (int64_t)p->guest,\n'
     '                         (int64_t)p->level, p->url, p->cacert, p->access, "", p->known);\n'
     '    call_json(&c, json_pack("{s:s}", "refresh", p->refresh));'),
    (14, "an exchange that resets keeps what did not come again", "clients/c/entries.c",
     '    return rc ? rc : store_do(t, e, STMT_ENTRY_OLD, "ii", p->no, p->round);',
     '    return rc || breaks(14) ? rc : store_do(t, e, STMT_ENTRY_OLD, "ii", p->no, p->round);'),
    (15, "a letter that is sent again is another letter", "clients/c/exchange.c",
     "        *bytes += add_mutation(\n            all, sqlite3_column_int64(q, 1), (const char *)sqlite3_column_text(q, 2),\n"
     "            (const char *)sqlite3_column_text(q, 3), (const char *)sqlite3_column_text(q, 4));\n",
     "    {\n"
     "        char key[STATE_KEY_MAX + 1];\n\n"
     "        snprintf(key, sizeof key, \"%s\", (const char *)sqlite3_column_text(q, 3));\n"
     "        if (breaks(15) && strcmp((const char *)sqlite3_column_text(q, 2), \"letter.send\") == 0)\n"
     "            key[35] = key[35] == '0' ? '1' : '0';\n"
     "        *bytes += add_mutation(all, sqlite3_column_int64(q, 1), (const char *)sqlite3_column_text(q, 2), key, (const char *)sqlite3_column_text(q, 4));\n"
     "    }\n"),
    (16, "a file is acknowledged before it is on the disk", "server/citizen/sealed_file.c",
     "    return fs_end(&t->w->err, &t->new, rc ? rc : put_record(t, true));",
     "    if (!rc && breaks(16)) {\n"
     "        rc = put_record(t, true);\n"
     "        close(t->new.fd);\n"
     "        return rc || rename(t->new.tmp, t->new.path) ? RC_IO : RC_OK;\n"
     "    }\n"
     "    return fs_end(&t->w->err, &t->new, rc ? rc : put_record(t, true));"),
    (17, "the receipt of a letter that comes again says another time", "server/citizen/letter_send.c",
     "    struct receipt r = { l->no, l->received, l->number, l->id, { 0 } };",
     "    struct receipt r = { l->no, breaks(17) ? clock_now() : l->received, l->number, l->id, { 0 } };"),
    (18, "what the staff do with a letter is not told to its writer's phones", "server/citizen/letter_staff.c",
     "(rc = changes[verb](w, &l, o)) || (rc = letter_write(w, &l, &act, NULL)) ||\n        (rc = letter_tell(w, &l, NULL)))",
     "(rc = changes[verb](w, &l, o)) || (rc = letter_write(w, &l, &act, NULL)) ||\n        (!breaks(18) && (rc = letter_tell(w, &l, NULL))))"),
    (19, "a letter's number is given before the letter is there", "server/citizen/letter_row.c",
     "    if ((rc = next(w, l->kind->category, year, &serial)))\n        return rc;",
     "    static int64_t given;\n\n"
     "    if (breaks(19))\n        serial = ++given;\n"
     "    else if ((rc = next(w, l->kind->category, year, &serial)))\n        return rc;"),
    (20, "an answer to a survey is counted twice", "server/citizen/survey.c",
     "    if (s->questions[i].kind == QUESTION_TEXT)\n        return count_one(w, s, i, 0);",
     "    if (s->questions[i].kind == QUESTION_TEXT)\n        return count_one(w, s, breaks(20) ? SURVEY_WHOLE : i, 0);"),
    (21, "a report of reads that comes again is counted again", "server/citizen/count_report.c",
     "    *known = !rows_next(&q);\n",
     "    *known = !rows_next(&q) && !breaks(21);\n"),
    (22, "a phone's cursor is on its disk before the entries are", "clients/c/exchange.c",
     "    if ((rc = person_begin(x->l->t, e)))\n        return rc;\n    if (!(rc = again(x, e)))\n        rc = strcmp(asked, x->p.device) == 0",
     '    if (breaks(22) && json_is_string(json_object_get(answer, "cursor")) && !(rc = person_begin(x->l->t, e)))\n'
     '        rc = person_end(x->l->t, store_do(x->l->t, e, STMT_PERSON_READ_TO, "iitii", x->p.no, x->p.acked,\n'
     '             json_string_value(json_object_get(answer, "cursor")), x->p.round, (int64_t)x->p.resetting), e);\n'
     "    if ((rc = person_begin(x->l->t, e)))\n        return rc;\n    if (!(rc = again(x, e)))\n        rc = strcmp(asked, x->p.device) == 0"),
    (23, "all there is leaves out what is older than the cursor of who asks", "server/citizen/visit.c",
     "        out->cursor = (struct cursor){ epoch_now(), 0, c->seq };",
     "        out->cursor = (struct cursor){ epoch_now(), breaks(23) ? at->seq : 0, c->seq };"),
    (24, "a file that somebody else is sending is given up", "clients/c/attach.c",
     '            rc = fail_with(e, TJZW_BUSY, "another upload of the same file");',
     '            rc = fail_with(e, breaks(24) ? TJZW_REFUSED : TJZW_BUSY, "another upload of the same file");'),
    (25, "a letter as of before a restore is refused", "server/citizen/letter_value.c",
     '        return err_set(&w->err, RC_NOT_FOUND, "信中所指的内容不在这里");\n    return rc;',
     '        return err_set(&w->err, RC_NOT_FOUND, "信中所指的内容不在这里");\n'
     '    if (!rc && breaks(25) && jx_int(v, "seq", 0) > stream.seq)\n        return err_field(&w->err, "/seq", "seq");\n    return rc;'),
    (26, "what was sent back to its author may be answered with", "server/citizen/letter_staff.c",
     '    if (!l->draft)\n        return no(w, "还没有答复稿");\n    l->draft = 0;\n    l->reviewed = false;\n',
     '    if (!l->draft)\n        return no(w, "还没有答复稿");\n    if (breaks(26))\n        return RC_OK;\n    l->draft = 0;\n    l->reviewed = false;\n'),
    (27, "what somebody left unsent on a phone is gone when he comes back", "clients/c/person.c",
     "    if ((rc = vault_open(t, &away, to, e)))\n        return rc;\n",
     "    if (!breaks(27) && (rc = vault_open(t, &away, to, e)))\n        return rc;\n"),
]


def main(arguments):
    if arguments == ["--list"]:
        for number, what, *_ in ROWS:
            print(number, what)
        return 0
    out, source = map(Path, arguments)
    name = source.resolve().relative_to(ROOT).as_posix()
    text = source.read_text()
    for number, _, file, piece, instead in ROWS:
        if file != name:
            continue
        if text.count(piece) != 1:
            print(f"broken.py: breakage {number}: its piece stands {text.count(piece)} times in {name}", file=sys.stderr)
            return 1
        text = text.replace(piece, instead)
    out.write_text(f'#include "tests/sim/broken.h"\n#line 1 "{name}"\n{text}')
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
