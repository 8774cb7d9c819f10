/*
 * backup_test.c - what was put away comes back, as a history of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/log.h"
#include "server/citizen/entry.h"
#include "server/citizen/epoch.h"
#include "server/identity/session.h"
#include "server/store/backup.h"
#include "server/store/blob.h"
#include "server/store/db.h"
#include "sync/founding.h"

enum { NOW = 1800000000, FOUNDED = 1700000000, LAST_SEQ = 41 };

struct world {
    char dir[64];
    struct arena *mem;
    struct err e;
    struct work w; /* with a connection to the data directory's database, open all the time */
    uint8_t hash[HASH_BYTES]; /* of a blob */
    int64_t own, mirrored;    /* numbers of streams */
};

static const char *at(struct world *t, const char *path)
{
    return arena_printf(t->mem, "%s/%s", t->dir, path);
}

static void put(struct world *t, const char *path, const char *text)
{
    char *copy = arena_strdup(t->mem, at(t, path));

    *strrchr(copy, '/') = '\0';
    assert_int_equal(fs_mkdirs(&t->e, copy, 0700), RC_OK);
    assert_int_equal(fs_write(&t->e, at(t, path), text, strlen(text), 0600), RC_OK);
}

static const char *get(struct world *t, const char *path)
{
    char *text = NULL;
    size_t n;

    if (fs_read(&t->e, t->mem, at(t, path), 1 << 20, &text, &n))
        return NULL;
    return text;
}

static int64_t add_stream(struct world *t, const char *name)
{
    static const uint8_t chain[HASH_BYTES] = { 1, 2, 3 };
    struct rows q;
    int64_t no = 0;

    assert_int_equal(db_query(&t->w, SQL_stream_add, &q, "tibi", name, (int64_t)FOUNDED, chain,
                              sizeof chain, (int64_t)0),
                     RC_OK);
    if (rows_next(&q))
        no = rows_int(&q, 0);
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(db_change(&t->w, SQL_stream_advance, "iiiibi", no, (int64_t)LAST_SEQ,
                               (int64_t)1, (int64_t)0, chain, sizeof chain, (int64_t)0),
                     RC_OK);
    return no;
}

static int set_up(void **state)
{
    struct world *t = calloc(1, sizeof *t);
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    log_set_fd(-1);
    clock_set(NOW);
    strcpy(t->dir, "/tmp/tjzw-backup-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    t->mem = arena_new();
    work_init(&t->w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(mkdir(at(t, "data"), 0700), 0);
    if (db_open(&t->e, at(t, "data/" DB_NAME), DB_WRITE, &t->w.db))
        fail_msg("%s", t->e.text);
    t->own = add_stream(t, "main");
    t->mirrored = add_stream(t, "district");
    put(t, "data/keys/platform.key", "a secret");
    put(t, "data/keys/stream-main.key", "another secret");
    put(t, "data/objects/ab/abcd", "made anew");
    put(t, "data/mirror/heping/abcd", "on its way");
    put(t, "data/epoch", "main 1700000000 41\n");
    put(t, "data/lock", "1234\n");
    sha256("a picture", 9, t->hash);
    assert_int_equal(blob_put(&t->e, at(t, "data"), t->hash, "a picture", 9), RC_OK);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", at(t, "data/admin.sock"));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct world *t = *state;
    char command[128];

    db_close(t->w.db);
    clock_unset();
    snprintf(command, sizeof command, "rm -rf '%s'", t->dir);
    arena_free(t->mem);
    free(t);
    return system(command);
}

static void make_backup(struct world *t)
{
    if (backup_make(&t->e, at(t, "data"), at(t, "backup"), NULL, NULL))
        fail_msg("%s", t->e.text);
}

static void restore_to(struct world *t, const char *target)
{
    if (backup_restore(&t->e, at(t, "backup"), at(t, target), NULL, NULL))
        fail_msg("%s", t->e.text);
}

/* "EPOCH:FIRST EPOCH:FIRST ..." of the stream in the restored database, after its present
 * epoch. */
static const char *ancestry(struct world *t, const char *data, int64_t stream)
{
    struct work w;
    struct rows q;
    struct buf out = BUF_IN(t->mem);

    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(
        db_open(&t->e, at(t, arena_printf(t->mem, "%s/" DB_NAME, data)), DB_READ, &w.db),
        RC_OK);
    assert_int_equal(db_one(&w, SQL_stream_by_no, &q, "i", stream), RC_OK);
    buf_printf(&out, "%lld.%lld", (long long)rows_int(&q, 2), (long long)rows_int(&q, 3));
    assert_int_equal(rows_done(&q), RC_OK);
    assert_int_equal(db_query(&w, SQL_ancestry_all, &q, "i", stream), RC_OK);
    while (rows_next(&q))
        buf_printf(&out, " %lld:%lld", (long long)rows_int(&q, 0), (long long)rows_int(&q, 1));
    assert_int_equal(rows_done(&q), RC_OK);
    db_close(w.db);
    return out.p;
}

static void a_backup_holds_what_cannot_be_made_anew(void **state)
{
    struct world *t = *state;
    struct stat st;

    make_backup(t);
    assert_string_equal(get(t, "backup/keys/platform.key"), "a secret");
    assert_true(blob_exists(at(t, "backup"), t->hash));
    assert_false(fs_exists(at(t, "backup/objects")));
    assert_false(fs_exists(at(t, "backup/mirror")));
    assert_false(fs_exists(at(t, "backup/epoch")));
    assert_false(fs_exists(at(t, "backup/lock")));
    assert_false(fs_exists(at(t, "backup/admin.sock")));
    assert_false(fs_exists(at(t, "backup/" DB_NAME "-wal")));
    assert_int_equal(stat(at(t, "backup/keys/platform.key"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(at(t, "backup/" DB_NAME), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_OK);
    assert_false(fs_exists(at(t, "backup/" DB_NAME "-shm")));
}

static void a_backup_goes_to_a_directory_of_its_own(void **state)
{
    struct world *t = *state;

    assert_int_equal(backup_make(&t->e, at(t, "data"), at(t, "data/backup"), NULL, NULL),
                     RC_INVALID);
    put(t, "full/file", "x");
    assert_int_equal(backup_make(&t->e, at(t, "data"), at(t, "full"), NULL, NULL), RC_CONFLICT);
    assert_string_equal(get(t, "full/file"), "x");
    assert_int_equal(backup_make(&t->e, at(t, "nothing"), at(t, "new"), NULL, NULL),
                     RC_NOT_FOUND);
    assert_int_equal(backup_check(&t->e, at(t, "new")), RC_NOT_FOUND);
    assert_int_equal(backup_check(&t->e, at(t, "full")), RC_NOT_FOUND);
}

static void a_changed_backup_is_refused(void **state)
{
    static const char *const files[] = { ("backup/" DB_NAME), "backup/keys/platform.key",
                                         "backup/MANIFEST" };
    struct world *t = *state;

    make_backup(t);
    for (int i = 0; i < 3; i++) {
        int fd = open(at(t, files[i]), O_RDWR);
        char byte = 0;

        assert_int_equal(pread(fd, &byte, 1, 5), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, 5), 1);
        assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_CORRUPT);
        assert_int_equal(backup_restore(&t->e, at(t, "backup"), at(t, "target"), NULL, NULL),
                         RC_CORRUPT);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, 5), 1);
        close(fd);
    }
    assert_false(fs_exists(at(t, "target/" DB_NAME)));
    assert_int_equal(unlink(at(t, "backup/keys/platform.key")), 0);
    assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_CORRUPT);
    assert_non_null(strstr(t->e.text, "platform.key is missing"));
}

static void a_manifest_leads_nowhere_else(void **state)
{
    static const char *const paths[] = { "../outside", "/etc/passwd", "a/../b", "a//b",
                                         "./a",        "a/",          "",       "a\tb" };
    struct world *t = *state;

    make_backup(t);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        put(t, "backup/MANIFEST",
            arena_printf(t->mem, "tjzw backup 1\ntime 1\nschema 1\nfile 1 %064d %s\nend 1\n", 0,
                         paths[i]));
        assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_CORRUPT);
        assert_non_null(strstr(t->e.text, "MANIFEST is damaged"));
    }
    put(t, "backup/MANIFEST", "tjzw backup 1\ntime 1\nschema 1\nend 1\n");
    assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_CORRUPT);
    put(t, "backup/MANIFEST", "tjzw backup 2\ntime 1\nschema 1\nend 0\n");
    assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_CORRUPT);
}

static void a_restored_directory_is_whole_and_of_a_new_epoch(void **state)
{
    struct world *t = *state;

    make_backup(t);
    restore_to(t, "target");
    assert_string_equal(get(t, "target/keys/stream-main.key"), "another secret");
    assert_true(blob_exists(at(t, "target"), t->hash));
    assert_false(fs_exists(at(t, "target/restore.part")));
    assert_false(fs_exists(at(t, "target/MANIFEST")));
    assert_string_equal(ancestry(t, "target", t->own),
                        "1800000000.41 1700000000:1 1800000000:42");
    assert_string_equal(get(t, "target/epoch"), "main 1800000000 41\n");
    /* A stream whose key we do not have is somebody else's history. */
    assert_string_equal(ancestry(t, "target", t->mirrored), "1700000000.41");
    /* The backup is still one. */
    assert_int_equal(backup_check(&t->e, at(t, "backup")), RC_OK);
}

static void an_epoch_that_was_signed_is_never_given_again(void **state)
{
    struct world *t = *state;

    make_backup(t);
    put(t, "target/epoch", "old 5 6\nmain 1900000000 99\n");
    put(t, "target/lock", "1\n");
    restore_to(t, "target");
    assert_string_equal(ancestry(t, "target", t->own),
                        "1900000001.41 1700000000:1 1900000001:42");
    assert_string_equal(get(t, "target/epoch"), "old 5 6\nmain 1900000001 41\n");
}

static void a_restore_signs_everybody_out(void **state)
{
    struct session_new who = {
        .account = 1, .kind = SESSION_CITIZEN, .level = 1, .device = "示例"
    };
    struct session_tokens tokens;
    struct world *t = *state;
    struct session *there;
    struct work w;
    int64_t id;
    int n;

    assert_int_equal(session_open(&t->w, &who, &id, &tokens), RC_OK);
    assert_int_equal(session_list(&t->w, 1, &there, &n), RC_OK);
    assert_int_equal(n, 1);
    make_backup(t);
    restore_to(t, "target");
    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&t->e, at(t, "target/" DB_NAME), DB_READ, &w.db), RC_OK);
    assert_int_equal(session_list(&w, 1, &there, &n), RC_OK);
    assert_int_equal(n, 0);
    db_close(w.db);
}

/* A release that was called off since, and a post that went since. */
static void what_waited_does_not_go_out_of_a_restored_server_by_itself(void **state)
{
    struct world *t = *state;
    struct id item = id_new();
    struct rows q;
    struct work w;

    assert_int_equal(db_run(&t->w, SQL_schedule_set, "biiti", item.b, sizeof item.b, (int64_t)1,
                            clock_now() + 60, "account:1", clock_now()),
                     RC_OK);
    assert_int_equal(db_query(&t->w, SQL_channel_task_add, &q, "iitit", (int64_t)1, (int64_t)1,
                              "publish", clock_now(), NULL),
                     RC_OK);
    assert_true(rows_next(&q));
    assert_int_equal(rows_done(&q), RC_OK);
    make_backup(t);
    restore_to(t, "target");
    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&t->e, at(t, "target/" DB_NAME), DB_READ, &w.db), RC_OK);
    assert_int_equal(db_one(&w, SQL_schedule_next, &q, ""), RC_NOT_FOUND);
    assert_int_equal(rows_done(&q), RC_NOT_FOUND);
    assert_int_equal(db_one(&w, SQL_channel_task_count_state, &q, "t", "unknown"), RC_OK);
    assert_int_equal(rows_int(&q, 0), 1);
    assert_int_equal(rows_done(&q), RC_OK);
    db_close(w.db);
}

static void two_restores_do_not_share_an_epoch(void **state)
{
    struct world *t = *state;

    make_backup(t);
    restore_to(t, "first");
    put(t, "second/epoch", get(t, "first/epoch"));
    restore_to(t, "second");
    assert_string_equal(ancestry(t, "second", t->own),
                        "1800000001.41 1700000000:1 1800000001:42");
}

/* How far the order of an account has come in a restored directory. */
static int64_t come(struct world *t, const char *target, int64_t account)
{
    struct citizen c;
    struct work w;

    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(
        db_open(&t->e, at(t, arena_printf(t->mem, "%s/" DB_NAME, target)), DB_WRITE, &w.db),
        RC_OK);
    assert_int_equal(epoch_load(&w), RC_OK);
    assert_int_equal(citizen_get(&w, account, &c), RC_OK);
    db_close(w.db);
    return c.seq;
}

/* The number of a message is of this order: what a phone has to say of one that is lost is said of no other. */
static void what_is_lost_keeps_its_number_also_of_who_had_no_state(void **state)
{
    enum { LI = 1, HAN, BEFORE = 5, LOST = 500, MILLION = 1000000 };
    struct world *t = *state;
    int64_t first[2], second[2];

    assert_int_equal(db_run(&t->w, SQL_state_epoch_set, "i", (int64_t)FOUNDED), RC_OK);
    assert_int_equal(db_run(&t->w, SQL_citizen_set_seq, "ii", (int64_t)LI, (int64_t)BEFORE),
                     RC_OK);
    make_backup(t);
    restore_to(t, "first");
    put(t, "second/epoch", get(t, "first/epoch"));
    restore_to(t, "second");
    for (int i = 0; i < 2; i++) {
        first[i] = come(t, "first", LI + i);
        second[i] = come(t, "second", LI + i);
    }
    assert_in_range(first[0], BEFORE + MILLION, INT64_MAX);
    assert_in_range(first[1], MILLION, INT64_MAX); /* he had none in the backup */
    for (int i = 0; i < 2; i++) /* of the same backup, after what was given behind the first */
        assert_in_range(second[i], first[i] + LOST, INT64_MAX);
}

/* sync/founding.c writes and reads DATA/epoch, too: both must mean the same by it. */
static void the_publisher_goes_on_in_the_new_epoch(void **state)
{
    struct world *t = *state;
    int64_t no = 0;
    struct work w;

    make_backup(t);
    put(t, "target/epoch", "main 1900000000 99\n");
    restore_to(t, "target");
    clock_set(1950000000);
    work_init(&w, t->mem, NULL, "test", RIGHT_ALL);
    assert_int_equal(db_open(&t->e, at(t, "target/" DB_NAME), DB_WRITE, &w.db), RC_OK);
    assert_int_equal(db_begin(&w), RC_OK);
    if (sync_founding(&w, at(t, "target"), "main", &no))
        fail_msg("%s", w.err.text);
    assert_int_equal(db_commit(&w), RC_OK);
    db_close(w.db);
    assert_int_equal(no, t->own);
    assert_string_equal(ancestry(t, "target", t->own),
                        "1900000001.41 1700000000:1 1900000001:42");
}

static void only_an_empty_directory_is_restored_to(void **state)
{
    struct world *t = *state;

    make_backup(t);
    assert_int_equal(backup_restore(&t->e, at(t, "backup"), at(t, "data"), NULL, NULL),
                     RC_CONFLICT);
    put(t, "target/epoch", "main 5 notanumber\n");
    assert_int_equal(backup_restore(&t->e, at(t, "backup"), at(t, "target"), NULL, NULL),
                     RC_CORRUPT);
    put(t, "target/epoch", "");
    put(t, "target/restore.part/keys/left", "by a restore that was killed");
    restore_to(t, "target");
    assert_false(fs_exists(at(t, "target/keys/left")));
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_no_half_backup(void **state)
{
    struct world *t = *state;
    enum rc rc;

    signal(SIGXFSZ, SIG_IGN);
    limit_files(16384);
    rc = backup_make(&t->e, at(t, "data"), at(t, "backup"), NULL, NULL);
    limit_files(RLIM_INFINITY);
    assert_int_equal(rc, RC_FULL);
    assert_false(fs_exists(at(t, "backup")));
    make_backup(t);
    limit_files(16384);
    rc = backup_restore(&t->e, at(t, "backup"), at(t, "target"), NULL, NULL);
    limit_files(RLIM_INFINITY);
    assert_true(rc == RC_FULL || rc == RC_IO);
    assert_false(fs_exists(at(t, "target/" DB_NAME)));
    assert_false(fs_exists(at(t, "target/restore.part")));
    restore_to(t, "target");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_holds_what_cannot_be_made_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_backup_goes_to_a_directory_of_its_own, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_changed_backup_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_manifest_leads_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_restored_directory_is_whole_and_of_a_new_epoch,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_epoch_that_was_signed_is_never_given_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_restore_signs_everybody_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_waited_does_not_go_out_of_a_restored_server_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_restores_do_not_share_an_epoch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_keeps_its_number_also_of_who_had_no_state,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_publisher_goes_on_in_the_new_epoch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_backup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_an_empty_directory_is_restored_to, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
