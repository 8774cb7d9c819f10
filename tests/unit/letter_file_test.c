/*
 * letter_file_test.c - files that belong to letters. Answers that become drafts of the library: letter_publish_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/citizen/adopt.h"
#include "server/citizen/letter_file.h"
#include "server/citizen/letter_room.h"
#include "server/citizen/letter_send.h"
#include "server/citizen/receipt.h"
#include "server/citizen/sealed_file.h"
#include "server/identity/reseal.h"
#include "server/library/org.h"
#include "tests/lib/library_world.h"

enum { WRITER = 900, OTHER = 901, DAY = 86400 };

static const char JPEG[] =
    "\xff\xd8\xff\xe1\0\x0c"
    "Exif\0\0GPS!"
    "\xff\xc0\0\x0b\x08\0\x1e\0\x28\1\1\x11\0\xff\xda\0\x08\1\1\0\0\x3f\0coded\xff\xd9";

static int set_up(void **state)
{
    struct org o = { .code = "heping", .name = "和平区" };
    struct library_world *t;
    struct err e;

    library_world_set_up(state);
    t = *state;
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(receipt_load(&e, t->dir), RC_OK);
    assert_int_equal(letter_files_open(&e, t->dir), RC_OK);
    world_begin(t);
    assert_int_equal(org_create(&t->w, &o), RC_OK);
    world_commit(t);
    return 0;
}

static int tear_down(void **state)
{
    receipt_forget();
    seal_forget();
    return library_world_tear_down(state);
}

static void be(struct library_world *t, int64_t account)
{
    t->w.who = (struct actor){ .account = account, .level = 1, .rights = RIGHT_SELF };
}

/* Sent in pieces of `step` bytes, each noted. */
static enum rc upload(struct library_world *t, const void *p, size_t n, size_t step,
                      struct letter_piece *out)
{
    struct letter_taken taken;
    enum rc rc = RC_OK;

    *out = (struct letter_piece){ .size = (int64_t)n };
    sha256(p, n, out->hash);
    for (size_t at = 0; at < n && !rc; at += step) {
        out->offset = (int64_t)at;
        out->p = (const char *)p + at;
        out->n = n - at < step ? n - at : step;
        if (!(rc = letter_file_take(&t->w, out, &taken))) {
            world_begin(t);
            rc = letter_file_note(&t->w, out, &taken);
            world_commit(t);
        }
        out->have = taken.have;
    }
    return rc;
}

static void a_picture_comes_in_pieces_and_is_kept_without_its_metadata(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;
    struct letter_file f;
    char *bytes;
    size_t n;

    be(t, WRITER);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 7, &p), RC_OK);
    assert_int_equal(p.have, p.size);
    assert_int_equal(letter_file_find(&t->w, WRITER, p.hash, &f), RC_OK);
    assert_int_equal(f.kind, FILE_JPEG);
    assert_int_equal(letter_file_read(&t->w, &f, &bytes, &n), RC_OK);
    assert_null(memmem(bytes, n, "GPS", 3));
    assert_non_null(memmem(bytes, n, "coded", 5));
    assert_int_equal(letter_file_find(&t->w, OTHER, p.hash, &f), RC_NOT_FOUND);
    /* Once more: it is there. */
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
}

static void a_piece_out_of_turn_is_told_where_to_go_on(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p = { .size = 20, .p = "%PDF-1.7 0123456789x", .n = 10 };
    struct letter_taken taken;

    be(t, WRITER);
    sha256(p.p, 20, p.hash);
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_OK);
    assert_int_equal(taken.have, 10);
    p.offset = 15;
    p.n = 5;
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_CONFLICT);
    assert_int_equal(taken.have, 10);
    p.n = 6; /* behind its end */
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_INVALID);
    be(t, OTHER); /* has nothing of it yet */
    p = (struct letter_piece){ .size = 20, .p = "", .offset = 0 };
    sha256("%PDF-1.7 0123456789x", 20, p.hash);
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_OK);
    assert_int_equal(taken.have, 0);
}

/* While another piece of it is being written nobody can say where to go on: he comes again. */
static void who_comes_while_another_writes_is_told_to_come_again(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p = { .size = 20, .p = "%PDF-1.7 0123456789x", .n = 10 };
    struct letter_taken taken;
    glob_t found;
    int fd;

    be(t, WRITER);
    sha256(p.p, 20, p.hash);
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_OK);
    assert_int_equal(
        glob(arena_printf(t->mem, "%s/letters/parts/*.part", t->dir), 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    fd = open(found.gl_pathv[0], O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    p.p = "123456789x";
    p.offset = 10;
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_BUSY);
    close(fd);
    globfree(&found);
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_OK);
    assert_int_equal(taken.have, 20);
}

/* What is left of the account's files after a day: the picture that `named` of the two accounts has put into a letter is there, once. */
static void assert_kept(struct library_world *t, bool guest_names, bool owner_names)
{
    struct letter_piece p;
    struct letter_file f;

    be(t, OTHER);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
    be(t, WRITER);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
    world_begin(t);
    if (guest_names)
        assert_int_equal(letter_file_bind(&t->w, 5, OTHER, p.hash), RC_OK);
    if (owner_names)
        assert_int_equal(letter_file_bind(&t->w, 6, WRITER, p.hash), RC_OK);
    assert_int_equal(adopt(&t->w, OTHER, WRITER), RC_OK);
    world_commit(t);
    clock_set(clock_now() + LETTER_FILE_ORPHAN + 1);
    letter_file_tick(t->w.db, NULL);
    assert_int_equal(letter_file_find(&t->w, WRITER, p.hash, &f),
                     guest_names || owner_names ? RC_OK : RC_NOT_FOUND);
    world_vandalise(t, "DELETE FROM letter_file");
}

/* The same picture was sent as a guest and signed in. */
static void what_a_letter_of_either_names_stays(void **state)
{
    struct library_world *t = *state;

    world_vandalise(
        t, "INSERT INTO account (id, kind, state, state_at, level, subject, created) VALUES "
           "(900, 0, 0, 1, 1, randomblob(16), 1), (901, 0, 0, 1, 1, randomblob(16), 1)");
    assert_kept(t, true, false);
    assert_kept(t, false, true);
    assert_kept(t, true, true);
    assert_kept(t, false, false);
}

/* The keys of personal fields are others now, and the upload of yesterday begins anew; what was whole is read as ever. */
static void an_upload_outlives_no_retired_key(void **state)
{
    static const char pdf[] = "%PDF-1.7 0123456789x";
    struct library_world *t = *state;
    struct letter_piece p = { .size = 20, .p = pdf, .n = 10 };
    struct letter_taken taken;
    struct err e;
    char *path;

    be(t, WRITER);
    sha256(pdf, 20, p.hash);
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_OK);
    path = arena_printf(t->mem, "%s/seal.1", t->dir);
    assert_int_equal(remove(path), 0);
    assert_int_equal(seal_load(&e, t->dir, SEAL_SM4), RC_OK);
    p.offset = 10;
    p.p = pdf + 10;
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_CONFLICT);
    assert_int_equal(taken.have, 0);
    assert_int_equal(upload(t, pdf, 20, 10, &p), RC_OK);
}

static void what_is_no_picture_or_lies_is_refused(void **state)
{
    static const char zip[] = "PK\3\4 forty-two of them", script[] = "#!/bin/sh\n";
    struct library_world *t = *state;
    struct letter_taken taken;
    struct letter_piece p;

    be(t, WRITER);
    assert_int_equal(upload(t, zip, sizeof zip, 1000, &p), RC_INVALID);
    assert_int_equal(upload(t, script, sizeof script, 1000, &p), RC_INVALID);
    p = (struct letter_piece){ .size = 4, .p = JPEG, .n = 4 }; /* a hash that is another's */
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_INVALID);
    p.size = LETTER_FILE_MAX + 1;
    assert_int_equal(letter_file_take(&t->w, &p, &taken), RC_TOO_LARGE);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter_file WHERE kept IS NOT NULL"),
                     0);
}

static void a_day_has_so_many_files(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;

    be(t, WRITER);
    for (int i = 0; i < LETTER_FILES_DAY; i++) {
        char pdf[32];

        snprintf(pdf, sizeof pdf, "%%PDF-1.7 %d", i);
        assert_int_equal(upload(t, pdf, strlen(pdf), 1000, &p), RC_OK);
    }
    assert_int_equal(upload(t, "%PDF-1.7 x", 10, 1000, &p), RC_TOO_MANY);
    clock_set(WORLD_NOW + DAY + 1);
    assert_int_equal(upload(t, "%PDF-1.7 x", 10, 1000, &p), RC_OK);
}

/* ---- at rest ---- */

static void reseal(struct library_world *t)
{
    world_begin(t);
    reseal_begin(&t->w);
    world_commit(t);
    while (reseal_state().running)
        reseal_tick(t->w.db, NULL);
    assert_int_equal(reseal_state().failed, 0);
}

static void its_key_is_sealed_anew_with_all_others(void **state)
{
    struct library_world *t = *state;
    struct reseal_needs needs[SEAL_KEYS_MAX + 1];
    struct letter_piece p;
    struct letter_file f;
    struct err e;
    char *bytes;
    size_t n;
    int no;

    be(t, WRITER);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
    assert_int_equal(letter_file_find(&t->w, WRITER, p.hash, &f), RC_OK);
    assert_int_equal(seal_rotate(&e, &no), RC_OK);
    assert_int_equal(reseal_needs(&t->w, needs), RC_OK);
    assert_int_equal(needs[1].values, 1);
    reseal(t);
    assert_int_equal(reseal_needs(&t->w, needs), RC_OK);
    assert_int_equal(needs[1].values, 0);
    assert_int_equal(remove(arena_printf(t->mem, "%s/seal.1", t->dir)), 0);
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(letter_file_read(&t->w, &f, &bytes, &n), RC_OK);
    assert_non_null(memmem(bytes, n, "coded", 5));
    /* Without its row nobody reads it. */
    world_vandalise(t, "UPDATE letter_file SET key = NULL");
    assert_int_equal(letter_file_read(&t->w, &f, &bytes, &n), RC_NOT_FOUND);
}

/* Both suites; a file of several records, damaged in every way that keeps its records whole. */
static void a_file_that_was_tampered_with_is_none(void **state)
{
    enum { LENGTH = 3 * SEALED_PIECE + 5, RECORD = 8 + 43 + SEALED_PIECE };
    static const uint8_t own[SECRET_BYTES] = "a key of its own";
    struct library_world *t = *state;
    struct sealed_file f = { .path = arena_printf(t->mem, "%s/sealed", t->dir),
                             .column = "letter_file",
                             .own = own };
    char *plain = arena_zalloc(t->mem, LENGTH), *sealed, *bytes;
    size_t sealed_n, n;
    struct err e;

    for (int i = 0; i < LENGTH; i++)
        plain[i] = (char)(i * 7 + i / 251);
    assert_int_equal(seal_load(&e, t->dir, SEAL_SM4), RC_OK);
    assert_int_equal(sealed_file_write(&t->w, &f, plain, LENGTH), RC_OK);
    assert_int_equal(seal_load(&e, t->dir, SEAL_XCHACHA), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_OK);
    assert_memory_equal(bytes, plain, LENGTH);
    assert_int_equal(sealed_file_write(&t->w, &f, plain, LENGTH), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH - 1, &bytes, &n), RC_CORRUPT);
    assert_int_equal(fs_read(&e, t->mem, f.path, 2 * LENGTH, &sealed, &sealed_n), RC_OK);
    assert_null(memmem(sealed, sealed_n, plain + 1000, 12));
    assert_int_equal(sealed_n, 3 * RECORD + 8 + 43 + 5);

    assert_int_equal(fs_write(&e, f.path, sealed, 2 * RECORD, 0600),
                     RC_OK); /* its end is gone */
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_CORRUPT);
    assert_int_equal(fs_write(&e, f.path, sealed + RECORD, sealed_n - RECORD, 0600), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_CORRUPT);
    bytes = arena_dup(t->mem, sealed, sealed_n); /* two records change places */
    memcpy(bytes, sealed + RECORD, RECORD);
    memcpy(bytes + RECORD, sealed, RECORD);
    assert_int_equal(fs_write(&e, f.path, bytes, sealed_n, 0600), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_CORRUPT);
    sealed[RECORD + 500] ^= 1;
    assert_int_equal(fs_write(&e, f.path, sealed, sealed_n, 0600), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_CORRUPT);
    assert_int_equal(fs_write(&e, f.path, "", 0, 0600), RC_OK);
    assert_int_equal(sealed_file_read(&t->w, &f, LENGTH, &bytes, &n), RC_CORRUPT);
}

static const char *given; /* the receipt of the last letter that was taken */

/* With the receipt that it got, or NULL. */
static enum rc send_as(struct library_world *t, struct id id, const struct letter_piece *p,
                       const char *with, struct letter *out)
{
    const char *receipt, *text;
    char hex[HASH_TEXT];
    json_t *v;
    enum rc rc;

    text = arena_printf(t->mem,
                        "{\"category\":\"consult\",\"files\":[{\"hash\":\"%s\",\"name\":\"路灯."
                        "jpg\"}],\"text\":"
                        "\"路灯不亮\",\"title\":\"路灯\",\"unit\":\"heping\"}",
                        hex_text(p->hash, HASH_BYTES, hex));
    assert_int_equal(jx_object(&t->w.err, t->mem, text, strlen(text), &v), RC_OK);
    if (with)
        json_object_set_new(v, "receipt", json_string(with));
    world_begin(t);
    rc = letter_send(&t->w, &id, v, out, &receipt);
    if (rc) {
        db_rollback(t->w.db);
    } else {
        world_commit(t);
        given = arena_strdup(t->mem, receipt);
    }
    return rc;
}

static enum rc send(struct library_world *t, const struct letter_piece *p, struct letter *out)
{
    return send_as(t, id_new(), p, NULL, out);
}

static void a_letter_names_its_writers_files_alone(void **state)
{
    struct library_world *t = *state;
    struct letter_file f;
    struct letter_piece p;
    struct letter l;
    char hex[HASH_TEXT];

    be(t, OTHER);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
    be(t, WRITER);
    assert_int_equal(send(t, &p, &l), RC_NOT_FOUND);
    assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
    assert_int_equal(send(t, &p, &l), RC_OK);
    assert_int_equal(letter_file_of(&t->w, &l, hex_text(p.hash, HASH_BYTES, hex), &f), RC_OK);
    assert_int_equal(letter_file_of(&t->w, &l, "00", &f), RC_NOT_FOUND);
    /* A day later only what a letter names is there. */
    clock_set(WORLD_NOW + LETTER_FILE_ORPHAN + 1);
    letter_file_tick(t->w.db, NULL);
    assert_int_equal(world_number(t, "SELECT COUNT(*) FROM letter_file"), 1);
}

static void a_letter_has_nine_files_at_most(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;
    struct letter l;
    char hex[HASH_TEXT];

    be(t, WRITER);
    for (int n = LETTER_FILES; n <= LETTER_FILES + 1; n++) {
        struct buf b = BUF_IN(t->mem);
        const struct id id = id_new();
        const char *receipt;
        json_t *v;
        enum rc rc;

        buf_adds(&b, "{\"category\":\"consult\",\"files\":[");
        for (int i = 0; i < n; i++) {
            assert_int_equal(upload(t, JPEG, sizeof JPEG - 1, 1000, &p), RC_OK);
            buf_printf(&b, "%s{\"hash\":\"%s\",\"name\":\"%d.jpg\"}", i ? "," : "",
                       hex_text(p.hash, HASH_BYTES, hex), i);
        }
        buf_adds(&b, "],\"text\":\"路灯不亮\",\"title\":\"路灯\",\"unit\":\"heping\"}");
        assert_int_equal(jx_object(&t->w.err, t->mem, b.p, b.n, &v), RC_OK);
        world_begin(t);
        rc = letter_send(&t->w, &id, v, &l, &receipt);
        db_rollback(t->w.db);
        assert_int_equal(rc, n > LETTER_FILES ? RC_INVALID : RC_OK);
        if (rc)
            assert_non_null(strstr(t->w.err.field, "files"));
    }
}

static void files_that_no_row_names_are_swept(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;
    struct letter_file f;
    char *bytes;
    size_t n;

    be(t, WRITER);
    assert_int_equal(upload(t, "%PDF-1.7", 8, 1000, &p), RC_OK);
    assert_int_equal(letter_file_find(&t->w, WRITER, p.hash, &f), RC_OK);
    clock_unset();
    clock_set(clock_now() + 2 * DAY);
    world_vandalise(t, "UPDATE letter_file SET at = 0");
    for (int i = 0; i < 256; i++) /* each folder */
        letter_file_tick(t->w.db, NULL);
    assert_int_equal(letter_file_read(&t->w, &f, &bytes, &n), RC_NOT_FOUND);
}

/* Not a day after it came first: docs/letters.md section 7. */
static void a_day_counts_from_when_it_was_last_uploaded(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;
    struct letter l;

    be(t, WRITER);
    assert_int_equal(upload(t, "%PDF-1.7", 8, 1000, &p), RC_OK);
    clock_set(WORLD_NOW + DAY * 5 / 6);
    assert_int_equal(upload(t, "%PDF-1.7", 8, 1000, &p), RC_OK);
    clock_set(WORLD_NOW + DAY * 5 / 4);
    letter_file_tick(t->w.db, NULL);
    assert_int_equal(send(t, &p, &l), RC_OK);
}

/* What was taken goes its way, however often it comes. */
static void a_letter_comes_again_after_its_file_was_found_infected(void **state)
{
    struct library_world *t = *state;
    struct letter_piece p;
    struct letter l, again;

    be(t, WRITER);
    assert_int_equal(upload(t, "%PDF-1.7", 8, 1000, &p), RC_OK);
    assert_int_equal(send(t, &p, &l), RC_OK);
    world_vandalise(t, "UPDATE letter_file SET scan = 2");
    assert_int_equal(send_as(t, l.id, &p, NULL, &again), RC_OK);
    assert_string_equal(again.number, l.number);
    assert_int_equal(send(t, &p, &again), RC_INVALID); /* another letter */
    world_vandalise(t, "DELETE FROM letter; DELETE FROM letter_step");
    assert_int_equal(send_as(t, l.id, &p, NULL, &again), RC_INVALID);
    assert_int_equal(send_as(t, l.id, &p, given, &again), RC_OK);
    assert_string_equal(again.number, l.number);
}

static void be_guest(struct library_world *t, int64_t account)
{
    t->w.who = (struct actor){ .account = account, .rights = RIGHT_STATE };
}

/* One more document of 20 bytes, from that client. */
static enum rc put_one(struct library_world *t, uint64_t client, int n)
{
    const char *pdf = arena_printf(t->mem, "%%PDF-1.7 %010d", n);
    struct letter_piece p = { .size = 19, .p = pdf, .n = 19, .client = client };
    struct letter_taken taken;
    enum rc rc;

    sha256(pdf, 19, p.hash);
    if ((rc = letter_file_take(&t->w, &p, &taken)))
        return rc;
    world_begin(t);
    rc = letter_file_note(&t->w, &p, &taken);
    world_commit(t);
    return rc;
}

/* A guest is whoever asks to be one: what counts is where they come from, and what all of them leave lying. */
static void guests_do_not_fill_the_disk(void **state)
{
    struct library_world *t = *state;

    letter_room_open(50, 0);
    be_guest(t, WRITER);
    assert_int_equal(put_one(t, 7, 1), RC_OK);
    be_guest(t, OTHER); /* another guest, the same phone */
    assert_int_equal(put_one(t, 7, 2), RC_OK);
    assert_int_equal(put_one(t, 7, 3), RC_TOO_MANY);
    assert_non_null(strstr(t->w.err.text, "登录"));
    assert_int_equal(put_one(t, 8, 3), RC_OK);
    be(t, WRITER); /* who has signed in is not held up */
    assert_int_equal(put_one(t, 7, 4), RC_OK);
    clock_set(clock_now() + 86400);
    be_guest(t, OTHER);
    assert_int_equal(put_one(t, 7, 5), RC_OK);
    letter_room_open(0, 60);
    letter_file_tick(t->w.db, NULL); /* five of them wait */
    assert_int_equal(put_one(t, 9, 6), RC_FULL);
    be(t, WRITER);
    assert_int_equal(put_one(t, 9, 7), RC_OK);
    clock_set(clock_now() + 2 * 86400); /* nobody's letter named them */
    letter_file_tick(t->w.db, NULL);
    be_guest(t, OTHER);
    assert_int_equal(put_one(t, 9, 8), RC_OK);
    letter_room_open(0, 0);
}

static void a_guests_day_is_shorter(void **state)
{
    struct library_world *t = *state;

    be_guest(t, WRITER);
    for (int i = 0; i < LETTER_FILES_DAY_GUEST; i++)
        assert_int_equal(put_one(t, 7, i), RC_OK);
    assert_int_equal(put_one(t, 7, 99), RC_TOO_MANY);
    be(t, WRITER); /* he signs in */
    assert_int_equal(put_one(t, 7, 99), RC_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_picture_comes_in_pieces_and_is_kept_without_its_metadata),
        T(a_piece_out_of_turn_is_told_where_to_go_on),
        T(a_day_counts_from_when_it_was_last_uploaded),
        T(a_letter_comes_again_after_its_file_was_found_infected),
        T(who_comes_while_another_writes_is_told_to_come_again),
        T(an_upload_outlives_no_retired_key),
        T(what_a_letter_of_either_names_stays),
        T(what_is_no_picture_or_lies_is_refused),
        T(a_day_has_so_many_files),
        T(its_key_is_sealed_anew_with_all_others),
        T(a_file_that_was_tampered_with_is_none),
        T(a_letter_names_its_writers_files_alone),
        T(a_letter_has_nine_files_at_most),
        T(files_that_no_row_names_are_swept),
        T(guests_do_not_fill_the_disk),
        T(a_guests_day_is_shorter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
