/*
 * rows.c - the least that SQLite takes for what an exchange writes: the floor that citizens' mutations are held against.
 *
 *     rows DATABASE CITIZENS MUTATIONS EXCHANGES TRANSACTION        says {"seconds"}
 *
 * Into the tables of a server that has never had a citizen: EXCHANGES of so many MUTATIONS each, of CITIZENS in turn, so many exchanges a TRANSACTION. Of a mutation its entry and its
 * result, of an exchange the citizen's number, how many favourites there are, and the device. Nothing is parsed, looked up, checked or answered; the settings are those
 * of the server's writer.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

enum { ENTRY, RESULT, CITIZEN, TALLY, DEVICE, STATEMENTS };

static sqlite3 *db;
static sqlite3_stmt *statements[STATEMENTS];

static void run(const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        errx(1, "%s: %s", sql, sqlite3_errmsg(db));
}

static void open_database(const char *path)
{
    static const char *const texts[STATEMENTS] = {
        [ENTRY] = "INSERT INTO entry (account, type, key, seq, at, gone, value) "
                  "VALUES (?1, 'fav', ?2, ?3, ?4, 0, ?5)",
        [RESULT] = "INSERT INTO device_result (account, device, n, hash, body) "
                   "VALUES (?1, ?2, ?3, ?4, ?5)",
        [CITIZEN] = "INSERT INTO citizen (account, seq, floor) VALUES (?1, ?2, 0) "
                    "ON CONFLICT (account) DO UPDATE SET seq = excluded.seq",
        [TALLY] = "INSERT INTO entry_tally (account, type, n) VALUES (?1, 'fav', ?2) "
                  "ON CONFLICT (account, type) DO UPDATE SET n = excluded.n",
        [DEVICE] =
            "INSERT INTO device (account, device, n, acked, seq, heard) "
            "VALUES (?1, ?2, ?3, 0, ?3, 0) "
            "ON CONFLICT (account, device) DO UPDATE SET n = excluded.n, seq = excluded.seq",
    };

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL))
        errx(1, "%s: %s", path, sqlite3_errmsg(db));
    run("PRAGMA secure_delete = ON; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
        "PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 4096");
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(db, texts[i], -1, &statements[i], NULL))
            errx(1, "%s: %s", texts[i], sqlite3_errmsg(db));
}

static void step(int which)
{
    if (sqlite3_step(statements[which]) != SQLITE_DONE)
        errx(1, "%s", sqlite3_errmsg(db));
    sqlite3_reset(statements[which]);
}

static void bind_text(int which, int i, const char *text)
{
    sqlite3_bind_text(statements[which], i, text, -1, SQLITE_STATIC);
}

static void put_mutation(int64_t account, const char *device, int64_t n)
{
    char key[64], value[64], result[64];
    uint8_t hash[16];

    snprintf(key, sizeof key, "main/0190b1c2-0000-7000-8000-%012lld", (long long)n);
    snprintf(value, sizeof value, "{\"at\":%lld}", (long long)n);
    snprintf(result, sizeof result, "{\"n\":%lld,\"result\":\"done\",\"seq\":%lld}",
             (long long)n, (long long)n);
    memset(hash, (int)n, sizeof hash);
    sqlite3_bind_int64(statements[ENTRY], 1, account);
    bind_text(ENTRY, 2, key);
    sqlite3_bind_int64(statements[ENTRY], 3, n);
    sqlite3_bind_int64(statements[ENTRY], 4, time(NULL));
    bind_text(ENTRY, 5, value);
    step(ENTRY);
    sqlite3_bind_int64(statements[RESULT], 1, account);
    bind_text(RESULT, 2, device);
    sqlite3_bind_int64(statements[RESULT], 3, n);
    sqlite3_bind_blob(statements[RESULT], 4, hash, sizeof hash, SQLITE_STATIC);
    bind_text(RESULT, 5, result);
    step(RESULT);
}

static void put_exchange(int64_t account, int64_t n, int mutations)
{
    char device[32];

    snprintf(device, sizeof device, "%022lld", (long long)account);
    for (int i = 0; i < mutations; i++)
        put_mutation(account, device, n + i + 1);
    sqlite3_bind_int64(statements[CITIZEN], 1, account);
    sqlite3_bind_int64(statements[CITIZEN], 2, n + mutations);
    step(CITIZEN);
    sqlite3_bind_int64(statements[TALLY], 1, account);
    sqlite3_bind_int64(statements[TALLY], 2, n + mutations);
    step(TALLY);
    sqlite3_bind_int64(statements[DEVICE], 1, account);
    bind_text(DEVICE, 2, device);
    sqlite3_bind_int64(statements[DEVICE], 3, n + mutations);
    step(DEVICE);
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    int citizens, mutations, exchanges, transaction;
    double start;

    if (argc != 6)
        errx(2, "usage: rows DATABASE CITIZENS MUTATIONS EXCHANGES TRANSACTION");
    open_database(argv[1]);
    citizens = atoi(argv[2]);
    mutations = atoi(argv[3]);
    exchanges = atoi(argv[4]);
    transaction = atoi(argv[5]);
    start = seconds();
    for (int i = 0; i < exchanges; i++) {
        if (i % transaction == 0)
            run("BEGIN IMMEDIATE");
        put_exchange(1 + i % citizens, i / citizens * mutations, mutations);
        if (i % transaction == transaction - 1 || i == exchanges - 1)
            run("COMMIT");
    }
    printf("{\"seconds\": %.6f}\n", seconds() - start);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(statements[i]);
    sqlite3_close(db);
    return 0;
}
