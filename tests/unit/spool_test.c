/*
 * spool_test.c - bodies on their way, as files: what a kill, a power cut or another hand leaves of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sync/spool.h"

static const char one[] = "/v1/sync/main/object/1.zst", two[] = "/v1/sync/main/object/2.zst";

struct place {
    char root[32], dir[64];
    struct follow_parts parts;
    struct sync_err e;
};

static void begin(struct place *p)
{
    strcpy(p->root, "/tmp/tjzw-spool-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    snprintf(p->dir, sizeof p->dir, "%s/parts/main", p->root);
    p->parts = spool_parts(p->dir);
}

static void end(struct place *p)
{
    spool_drop(p->dir);
    assert_int_equal(rmdir(p->root), 0);
}

static void put(struct place *p, const char *path, uint64_t at, const char *text,
                const char *etag, bool whole)
{
    assert_int_equal(
        p->parts.write(p->parts.ctx, &p->e, path, at, text, strlen(text), etag, whole),
        SYNC_OK);
}

static struct follow_part find(struct place *p, const char *path)
{
    struct follow_part part;

    assert_int_equal(p->parts.find(p->parts.ctx, &p->e, path, &part), SYNC_OK);
    return part;
}

static void assert_bytes(struct place *p, const char *path, const char *expected)
{
    char text[64] = "";
    size_t n, all = 0;

    do {
        assert_int_equal(p->parts.read(p->parts.ctx, &p->e, path, all, text + all, 3, &n),
                         SYNC_OK);
        all += n;
    } while (n);
    assert_string_equal(text, expected);
}

/* The file of the only body there, or its .is. */
static void file_of(const struct place *p, const char *suffix, char out[160])
{
    char command[160], line[128] = "";
    FILE *in;

    snprintf(command, sizeof command, "ls %s | grep -v '[.]is$'", p->dir);
    in = popen(command, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    assert_int_equal(pclose(in), 0);
    line[strcspn(line, "\n")] = '\0';
    snprintf(out, 160, "%s/%s%s", p->dir, line, suffix);
}

static void scribble(const char *file, const char *text)
{
    FILE *out = fopen(file, "w");

    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

/* ---- tests ---- */

static void a_body_comes_in_pieces(void **state)
{
    struct place p;

    (void)state;
    begin(&p);
    assert_int_equal(find(&p, one).bytes, 0);
    put(&p, one, 0, "abc", "\"e\"", false);
    put(&p, one, 3, "defgh", "\"e\"", false);
    assert_int_equal(find(&p, one).bytes, 8);
    assert_string_equal(find(&p, one).etag, "\"e\"");
    assert_false(find(&p, one).whole);
    assert_bytes(&p, one, "abcdefgh");
    put(&p, one, 8, "", "\"e\"", true);
    assert_true(find(&p, one).whole);
    assert_int_equal(find(&p, two).bytes, 0);
    assert_int_equal(spool_bytes(p.dir), 8);
    end(&p);
}

static void a_body_that_begins_anew_forgets_the_old_one(void **state)
{
    struct place p;

    (void)state;
    begin(&p);
    put(&p, one, 0, "abcdefgh", "\"old\"", true);
    put(&p, one, 0, "xy", "\"new\"", false);
    assert_int_equal(find(&p, one).bytes, 2);
    assert_string_equal(find(&p, one).etag, "\"new\"");
    assert_false(find(&p, one).whole);
    assert_bytes(&p, one, "xy");
    end(&p);
}

static void only_what_is_named_is_kept(void **state)
{
    const char *paths[] = { two };
    struct place p;

    (void)state;
    begin(&p);
    put(&p, one, 0, "abc", "", true);
    put(&p, two, 0, "xyz", "", true);
    assert_int_equal(p.parts.keep(p.parts.ctx, &p.e, paths, 1), SYNC_OK);
    assert_int_equal(find(&p, one).bytes, 0);
    assert_bytes(&p, two, "xyz");
    assert_int_equal(p.parts.keep(p.parts.ctx, &p.e, NULL, 0), SYNC_OK);
    assert_int_equal(access(p.dir, F_OK), -1);
    end(&p);
}

/* A kill between the two files, a short file, a foreign .is: no body at all, or one that is not whole. */
static void what_a_power_cut_leaves_is_never_whole(void **state)
{
    static const char *const no_is[] = { "", "\"e\"\n", "\"e\"\n/another\n3\n", "\"e\"\n\n" };
    char file[160], is[160];
    struct place p;

    (void)state;
    begin(&p);
    put(&p, one, 0, "abc", "\"e\"", true);
    file_of(&p, "", file);
    file_of(&p, ".is", is);
    assert_int_equal(truncate(file, 1), 0);
    assert_false(find(&p, one).whole);
    for (size_t i = 0; i < sizeof no_is / sizeof no_is[0]; i++) {
        scribble(is, no_is[i]);
        assert_int_equal(find(&p, one).bytes, 0);
        assert_string_equal(find(&p, one).etag, "");
    }
    put(&p, one, 0, "abc", "\"e\"", true);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(find(&p, one).bytes, 0);
    assert_bytes(&p, one, "");
    end(&p);
}

static void what_cannot_be_written_is_told(void **state)
{
    struct place p;

    (void)state;
    begin(&p);
    p.parts = spool_parts("/proc/tjzw/parts/main");
    assert_int_equal(p.parts.write(p.parts.ctx, &p.e, one, 0, "abc", 3, "", true), SYNC_STORE);
    assert_non_null(strstr(p.e.text, "/proc/tjzw"));
    p.parts = spool_parts(p.dir);
    put(&p, one, 0, "abc", "", false);
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_in_pieces),
        cmocka_unit_test(a_body_that_begins_anew_forgets_the_old_one),
        cmocka_unit_test(only_what_is_named_is_kept),
        cmocka_unit_test(what_a_power_cut_leaves_is_never_whole),
        cmocka_unit_test(what_cannot_be_written_is_told),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
