/*
 * scrub.c - the unused middle of a table's pages, overwritten.
 *
 *     page: | header 8 or 12 | pointers, 2 a cell --> | unused | <-- cells |
 *
 * `secure_delete` overwrites each cell that is deleted. But when the engine balances pages, it writes their cells anew from the end of the page
 * and leaves what stood lower as it was: copies of rows, which a later DELETE of the row knows nothing of. tests/unit/erase_test.c found
 * them. VACUUM would do, and stop the writer for as long as it takes to copy the whole library.
 *
 * So the middle is overwritten where it stands, in the file, by the engine's own file handle (another one's close() would drop its locks). That is sound
 * because nobody reads those bytes, and because this is the only thread that writes: the write-ahead log is empty, so every page stands in the
 * file alone, and the pages that this connection keeps are given up afterwards, or it would write the old bytes back with its next change. Whatever moment a
 * crash chooses, a page means the same. `dbstat` says which pages are the table's.
 */
#include <sqlite3.h>
#include <string.h>

#include "server/store/db.h"
#include "server/store/db_sqlite.h"

enum {
    PAGE = 4096, /* as db_sqlite.c makes them */
    INDEX_INNER = 2,
    TABLE_INNER = 5,
    INDEX_LEAF = 10,
    TABLE_LEAF = 13
};

static const char pages_of[] = "SELECT s.pageno FROM sqlite_master AS m JOIN dbstat AS s ON "
                               "s.name = m.name WHERE m.tbl_name = ?1 AND m.rootpage > 1";

static unsigned two(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Where the unused middle begins and ends; false: this is no page of cells. */
static bool find_middle(const uint8_t page[PAGE], size_t *from, size_t *to)
{
    bool leaf = page[0] == INDEX_LEAF || page[0] == TABLE_LEAF;

    if (!leaf && page[0] != INDEX_INNER && page[0] != TABLE_INNER)
        return false;
    *from = (leaf ? 8 : 12) + (size_t)2 * two(page + 3);
    *to = two(page + 5);
    return *from < *to && *to <= PAGE;
}

/* RC_OK, too, where there is nothing to do. */
static int scrub_page(sqlite3_file *file, sqlite3_int64 at, bool *wrote)
{
    static const uint8_t zeros[PAGE];
    uint8_t page[PAGE];
    size_t from, to;
    int code = file->pMethods->xRead(file, page, PAGE, at);

    if (code || !find_middle(page, &from, &to) || !memcmp(page + from, zeros, to - from))
        return code;
    *wrote = true;
    return file->pMethods->xWrite(file, zeros, (int)(to - from), at + (sqlite3_int64)from);
}

static int scrub_pages(sqlite3_stmt *pages, sqlite3_file *file, bool (*go_on)(void))
{
    bool wrote = false;
    int code, step;

    while ((step = sqlite3_step(pages)) == SQLITE_ROW) {
        if (!go_on())
            return SQLITE_INTERRUPT;
        if ((code = scrub_page(file, (sqlite3_column_int64(pages, 0) - 1) * PAGE, &wrote)))
            return code;
    }
    if (step != SQLITE_DONE)
        return step;
    return wrote ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : SQLITE_OK;
}

static bool always(void)
{
    return true;
}

bool db_scrub(struct db *db, const char *table)
{
    return db_scrub_while(db, table, always);
}

bool db_scrub_while(struct db *db, const char *table, bool (*go_on)(void))
{
    sqlite3_file *file = NULL;
    sqlite3_stmt *pages = NULL;
    int code;

    if (!db_forget_log(db))
        return false;
    code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (!code)
        code = sqlite3_prepare_v2(db->handle, pages_of, -1, &pages, NULL);
    if (!code)
        code = sqlite3_bind_text(pages, 1, table, -1, SQLITE_STATIC);
    if (!code)
        code = scrub_pages(pages, file, go_on);
    sqlite3_finalize(pages);
    sqlite3_db_release_memory(db->handle);
    return !code;
}
