/*
 * blob_test.c - files named by their hash: whole and right, or not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/store/blob.h"

enum { SIZE = 100000, PIECE = 30000 };

struct world {
    char dir[64];
    struct err e;
    uint8_t bytes[SIZE], hash[HASH_BYTES];
};

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);

    strcpy(t->dir, "/tmp/tjzw-blob-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    for (int i = 0; i < SIZE; i++)
        t->bytes[i] = (uint8_t)(i * 7 + i / 256);
    sha256(t->bytes, SIZE, t->hash);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    free(t);
    return system(command);
}

static char *path_of(struct world *t, const char *suffix, char out[256])
{
    char name[HASH_TEXT];

    hex_text(t->hash, HASH_BYTES, name);
    snprintf(out, 256, "%s/blobs/%.2s/%s%s", t->dir, name, name, suffix);
    return out;
}

static void is_there_whole(struct world *t)
{
    uint8_t *read_back = malloc(SIZE);
    int64_t size = 0;
    int fd = -1;

    assert_int_equal(blob_open(&t->e, t->dir, t->hash, &fd, &size), RC_OK);
    assert_int_equal(size, SIZE);
    assert_int_equal(read(fd, read_back, SIZE), SIZE);
    assert_memory_equal(read_back, t->bytes, SIZE);
    close(fd);
    free(read_back);
}

/* One piece of the blob at `offset`. */
static enum rc send_piece(struct world *t, int64_t offset, size_t n, int64_t *have)
{
    return blob_chunk(&t->e, t->dir, t->hash, SIZE, offset, t->bytes + offset, n, have);
}

static void what_is_put_is_found(void **state)
{
    struct world *t = *state;
    char path[256];
    struct stat st;

    assert_false(blob_exists(t->dir, t->hash));
    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_OK);
    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_OK);
    is_there_whole(t);
    assert_int_equal(stat(path_of(t, "", path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void other_bytes_are_refused(void **state)
{
    struct world *t = *state;

    t->bytes[5] ^= 1;
    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_INVALID);
    assert_false(blob_exists(t->dir, t->hash));
}

static void an_empty_blob_is_a_blob(void **state)
{
    struct world *t = *state;
    int64_t have = -1, size;
    int fd;

    sha256("", 0, t->hash);
    assert_int_equal(blob_chunk(&t->e, t->dir, t->hash, 0, 0, NULL, 0, &have), RC_OK);
    assert_int_equal(blob_open(&t->e, t->dir, t->hash, &fd, &size), RC_OK);
    assert_int_equal(size, 0);
    close(fd);
}

static void pieces_in_order_make_the_blob(void **state)
{
    struct world *t = *state;
    int64_t have = -1;
    char path[256];

    assert_int_equal(send_piece(t, 0, 0, &have), RC_OK);
    assert_int_equal(have, 0);
    for (int64_t at = 0; at < SIZE; at = have) {
        assert_false(blob_exists(t->dir, t->hash));
        assert_int_equal(
            send_piece(t, at, at + PIECE < SIZE ? PIECE : SIZE - (size_t)at, &have), RC_OK);
    }
    assert_int_equal(have, SIZE);
    is_there_whole(t);
    assert_false(fs_exists(path_of(t, ".part", path)));
    /* The last answer was lost: the sender says it again. */
    assert_int_equal(send_piece(t, 3 * PIECE, SIZE - 3 * PIECE, &have), RC_OK);
    assert_int_equal(have, SIZE);
}

static void a_piece_at_another_place_is_told_the_right_one(void **state)
{
    struct world *t = *state;
    int64_t have;

    assert_int_equal(send_piece(t, 0, PIECE, &have), RC_OK);
    assert_int_equal(send_piece(t, 0, PIECE, &have), RC_CONFLICT);
    assert_int_equal(have, PIECE);
    assert_int_equal(send_piece(t, 2 * PIECE, PIECE, &have), RC_CONFLICT);
    assert_int_equal(have, PIECE);
    assert_int_equal(send_piece(t, PIECE, PIECE, &have), RC_OK);
    assert_int_equal(have, 2 * PIECE);
}

static void pieces_of_something_else_leave_nothing(void **state)
{
    struct world *t = *state;
    char path[256];
    int64_t have;

    t->bytes[SIZE - 1] ^= 1;
    for (int64_t at = 0; at < 3 * PIECE; at += PIECE)
        assert_int_equal(send_piece(t, at, PIECE, &have), RC_OK);
    assert_int_equal(send_piece(t, 3 * PIECE, SIZE - 3 * PIECE, &have), RC_INVALID);
    assert_int_equal(have, 0);
    assert_false(blob_exists(t->dir, t->hash));
    assert_false(fs_exists(path_of(t, ".part", path)));
}

static void sizes_have_limits(void **state)
{
    struct world *t = *state;
    int64_t have;

    assert_int_equal(
        blob_chunk(&t->e, t->dir, t->hash, (int64_t)BLOB_MAX + 1, 0, t->bytes, 1, &have),
        RC_TOO_LARGE);
    assert_int_equal(
        blob_chunk(&t->e, t->dir, t->hash, BLOB_MAX, 0, t->bytes, BLOB_CHUNK_MAX + 1, &have),
        RC_TOO_LARGE);
    assert_int_equal(blob_chunk(&t->e, t->dir, t->hash, 10, 5, t->bytes, 6, &have), RC_INVALID);
    assert_int_equal(blob_chunk(&t->e, t->dir, t->hash, 10, -1, t->bytes, 1, &have),
                     RC_INVALID);
    assert_int_equal(blob_chunk(&t->e, t->dir, t->hash, 10, INT64_MAX, t->bytes, 1, &have),
                     RC_INVALID);
    assert_int_equal(blob_chunk(&t->e, t->dir, t->hash, -1, 0, t->bytes, 0, &have), RC_INVALID);
}

/* The first piece is there, and its sender is writing the next. */
static int begun_by_another(struct world *t)
{
    char path[256];
    int64_t have;
    int fd;

    assert_int_equal(send_piece(t, 0, PIECE, &have), RC_OK);
    fd = open(path_of(t, ".part", path), O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

static void two_senders_do_not_mix(void **state)
{
    struct world *t = *state;
    int fd = begun_by_another(t);
    int64_t have;

    assert_int_equal(send_piece(t, PIECE, PIECE, &have), RC_BUSY);
    assert_non_null(strstr(t->e.text, "another upload"));
    close(fd);
    assert_int_equal(send_piece(t, PIECE, PIECE, &have), RC_OK);
}

/* Whoever was quicker sent the same bytes. */
static void who_comes_second_finds_it_done(void **state)
{
    struct world *t = *state;
    int fd = begun_by_another(t);
    int64_t have;

    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_OK);
    assert_int_equal(send_piece(t, PIECE, PIECE, &have), RC_OK);
    assert_int_equal(have, SIZE);
    close(fd);
    is_there_whole(t);
}

struct sender {
    struct world *t;
    pthread_t thread;
    enum rc rc;
    int64_t have;
};

static void *send_whole(void *arg)
{
    struct sender *s = arg;
    struct err e;

    s->rc = blob_chunk(&e, s->t->dir, s->t->hash, PIECE, 0, s->t->bytes, PIECE, &s->have);
    return NULL;
}

static void many_senders_of_one_blob_end_well(void **state)
{
    struct world *t = *state;

    sha256(t->bytes, PIECE, t->hash);
    for (int round = 0; round < 30; round++) {
        struct sender s[4] = { 0 };

        for (int i = 0; i < 4; i++) {
            s[i].t = t;
            assert_int_equal(pthread_create(&s[i].thread, NULL, send_whole, &s[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(s[i].thread, NULL);
            assert_true(s[i].rc ? s[i].rc == RC_BUSY : s[i].have == PIECE);
        }
        assert_true(blob_exists(t->dir, t->hash));
        assert_int_equal(blob_remove(&t->e, t->dir, t->hash), RC_OK);
    }
}

static void a_crash_before_the_last_answer_is_mended(void **state)
{
    struct world *t = *state;
    char path[256];
    int64_t have;
    int fd;

    assert_int_equal(send_piece(t, 0, PIECE, &have), RC_OK);
    fd = open(path_of(t, ".part", path), O_WRONLY);
    assert_int_equal(pwrite(fd, t->bytes, SIZE, 0), SIZE);
    close(fd);
    assert_int_equal(send_piece(t, 3 * PIECE, SIZE - 3 * PIECE, &have), RC_OK);
    assert_int_equal(have, SIZE);
    is_there_whole(t);
}

static void what_is_removed_is_gone(void **state)
{
    struct world *t = *state;
    int64_t size;
    int fd;

    assert_int_equal(blob_remove(&t->e, t->dir, t->hash), RC_NOT_FOUND);
    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_OK);
    assert_int_equal(blob_remove(&t->e, t->dir, t->hash), RC_OK);
    assert_int_equal(blob_open(&t->e, t->dir, t->hash, &fd, &size), RC_NOT_FOUND);
}

static void only_old_beginnings_are_swept(void **state)
{
    struct world *t = *state;
    int64_t have;
    int n;

    assert_int_equal(blob_sweep(&t->e, t->dir, clock_now() + 60, &n), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(send_piece(t, 0, PIECE, &have), RC_OK);
    assert_int_equal(blob_sweep(&t->e, t->dir, clock_now() - 60, &n), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(blob_sweep(&t->e, t->dir, clock_now() + 60, &n), RC_OK);
    assert_int_equal(n, 1);
    assert_int_equal(blob_put(&t->e, t->dir, t->hash, t->bytes, SIZE), RC_OK);
    assert_int_equal(blob_sweep(&t->e, t->dir, clock_now() + 60, &n), RC_OK);
    assert_int_equal(n, 0);
    is_there_whole(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_bytes_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_blob_is_a_blob, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pieces_in_order_make_the_blob, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_piece_at_another_place_is_told_the_right_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pieces_of_something_else_leave_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(sizes_have_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_senders_do_not_mix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_comes_second_finds_it_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_senders_of_one_blob_end_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_crash_before_the_last_answer_is_mended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_removed_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_old_beginnings_are_swept, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
