/*
 * personal.h - all that is known of a person: which tables, which columns, what becomes of them. The table is personal.def.
 *
 * It is read twice: to give him all of it (PIPL article 45), and to remove it (article 47, erase.c).
 */
#ifndef IDENTITY_PERSONAL_H
#define IDENTITY_PERSONAL_H

#include "server/base/buf.h"
#include "server/base/id.h"
#include "server/base/work.h"
#include "server/store/db.h"

enum personal_key { PERSONAL_BY_NUMBER, PERSONAL_BY_ACTOR, PERSONAL_BY_PHONE };

enum personal_as {
    PERSONAL_HIDDEN, /* not his to know (a secret), or known to him without it */
    PERSONAL_NUMBER,
    PERSONAL_TEXT,
    PERSONAL_TIME,
    PERSONAL_SEALED,  /* for "table.column", of the number in the row's first column */
    PERSONAL_WHETHER, /* that there is one */
    PERSONAL_KIND,
    PERSONAL_STATE,
    PERSONAL_FACTOR,
    PERSONAL_SCOPES,
    PERSONAL_ACT
};

struct personal_table {
    const char *name, *chinese;
    enum personal_key key;
    enum sql find, erase; /* SQL_COUNT: there is none */
    const char *kept;     /* by which rule it stays; NULL: it goes with the account */
};

struct personal_column {
    const char *table, *name;
    enum personal_as as;
};

/* Both in the order of the table of tables: the account itself is the last. */
const struct personal_table *personal_tables(int *n);
const struct personal_column *personal_columns(int *n);

/* Whose rows are meant: the account, what was merged into it, and its phones. */
struct personal_keys {
    int64_t *numbers;
    uint8_t (*phones)[HASH_BYTES];
    int nnumbers, nphones;
};

/* In w->mem. */
enum rc personal_find_keys(struct work *w, int64_t account, struct personal_keys *out);
/* Removes the table's rows of all of them. Inside a writer job. */
enum rc personal_erase(struct work *w, const struct personal_table *t,
                       const struct personal_keys *k);
/* All of it as one JSON document, what is sealed opened. Reads that must agree: inside db_begin_read(). */
enum rc personal_export(struct work *w, int64_t account, struct buf *out);

#endif
