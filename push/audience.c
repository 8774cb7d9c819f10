/*
 * audience.c - an expression, evaluated block by block.
 *
 *     text --parse--> nodes in prefix order --open--> numbers of traits --block--> 65,536 answers at once
 *
 * A node knows where the next behind its whole part stands, so walking needs no pointers and depth no more than AUDIENCE_DEEP buffers of 8 KB. A trait that no device ever had is empty, not an
 * error: a new column has no follower yet.
 */
#include "push/audience.h"

#include <string.h>

#include "push/sets.h"
#include "push/trait.h"
#include "server/store/db.h"
#include "sync/state.h"

enum op { OP_AND, OP_OR, OP_NOT, OP_TRAIT, OP_ACCOUNTS };

struct node {
    enum op op;
    int end;          /* of its part: the place behind it */
    const char *word; /* OP_TRAIT */
    int64_t trait;    /* 0: no device has it */
};

struct audience {
    struct node nodes[AUDIENCE_TERMS * 2 + AUDIENCE_DEEP * 2];
    int n, terms;
    const json_t *value;
    const int64_t *devices; /* OP_ACCOUNTS: theirs, ascending */
    int ndevices;
    int64_t blocks;
    const char *refused[2]; /* words */
    int64_t refused_no[2];
    int nrefused;
};

enum { NODES = sizeof((struct audience *)0)->nodes / sizeof(struct node) };

/* What a term may say: a word of ours before it, and whose key it must look like. */
static const struct term {
    const char *name, *prefix;
    bool transport;
} terms[] = {
    { "column", "column/", false },      { "org", "org/", false },
    { "area", "area/", false },          { "tag", "tag/", false },
    { "transport", "transport/", true },
};

/* ---- reading ---- */

static enum rc parse(struct work *w, struct audience *a, const json_t *value, int deep);

/* The node a->n - 1; a part that holds others sets its end later. */
static enum rc add(struct work *w, struct audience *a, enum op op, const char *word)
{
    if (a->n == NODES)
        return err_set(&w->err, RC_INVALID, "the audience has too many parts");
    a->nodes[a->n] = (struct node){ .op = op, .end = a->n + 1, .word = word };
    a->n++;
    return RC_OK;
}

static enum rc parse_list(struct work *w, struct audience *a, enum op op, const json_t *list,
                          int deep)
{
    const json_t *part;
    int at = a->n;
    size_t i;
    enum rc rc;

    if (!json_is_array(list) || json_array_size(list) < 2)
        return err_set(&w->err, RC_INVALID,
                       "\"and\" and \"or\" want an array of two parts or more");
    if ((rc = add(w, a, op, NULL)))
        return rc;
    json_array_foreach(list, i, part) if ((rc = parse(w, a, part, deep + 1))) return rc;
    a->nodes[at].end = a->n;
    return RC_OK;
}

static enum rc parse_not(struct work *w, struct audience *a, const json_t *part, int deep)
{
    int at = a->n;
    enum rc rc;

    if ((rc = add(w, a, OP_NOT, NULL)) || (rc = parse(w, a, part, deep + 1)))
        return rc;
    a->nodes[at].end = a->n;
    return RC_OK;
}

static enum rc add_trait(struct work *w, struct audience *a, const char *word)
{
    if (++a->terms > AUDIENCE_TERMS)
        return err_set(&w->err, RC_INVALID, "an audience has at most %d terms", AUDIENCE_TERMS);
    return add(w, a, OP_TRAIT, word);
}

static enum rc parse_term(struct work *w, struct audience *a, const char *name,
                          const json_t *value)
{
    const char *text = json_string_value(value), *word;

    if (!strcmp(name, "all"))
        return json_is_true(value)
                   ? add_trait(w, a, "all")
                   : err_set(&w->err, RC_INVALID, "\"all\" is true or not there");
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const struct term *t = &terms[i];

        if (strcmp(t->name, name))
            continue;
        if (!text || strlen(text) > STATE_KEY_MAX)
            return err_set(&w->err, RC_INVALID, "\"%s\" wants a text", name);
        word = arena_printf(w->mem, "%s%s", t->prefix, text);
        if (t->transport ? !transport_parse(text)
                         : !state_key_ok(state_type_find("follow"), word))
            return err_set(&w->err, RC_INVALID, "this is no %s", name);
        return add_trait(w, a, word);
    }
    return err_set(
        &w->err, RC_INVALID,
        "a part of an audience is one of all, column, org, area, tag, transport, and, or, not");
}

static enum rc parse(struct work *w, struct audience *a, const json_t *value, int deep)
{
    void *first = json_object_iter((json_t *)(uintptr_t)value);
    const char *name;
    const json_t *inner;

    if (deep > AUDIENCE_DEEP)
        return err_set(&w->err, RC_INVALID, "an audience is at most %d levels deep",
                       AUDIENCE_DEEP);
    if (!json_is_object(value) || json_object_size(value) != 1)
        return err_set(&w->err, RC_INVALID,
                       "a part of an audience is an object with one member");
    name = json_object_iter_key(first);
    inner = json_object_iter_value(first);
    if (!strcmp(name, "and") || !strcmp(name, "or"))
        return parse_list(w, a, *name == 'a' ? OP_AND : OP_OR, inner, deep);
    return strcmp(name, "not") ? parse_term(w, a, name, inner) : parse_not(w, a, inner, deep);
}

static enum rc parse_accounts(struct work *w, struct audience *a, const json_t *list)
{
    const json_t *number;
    size_t i;

    if (!json_is_array(list) || !json_array_size(list) ||
        json_array_size(list) > AUDIENCE_ACCOUNTS)
        return err_set(&w->err, RC_INVALID, "\"accounts\" is an array of 1 to %d numbers",
                       AUDIENCE_ACCOUNTS);
    json_array_foreach(
        list, i, number) if (!json_is_integer(number) ||
                             json_integer_value(number) <
                                 1) return err_set(&w->err, RC_INVALID,
                                                   "\"accounts\" holds what is no account");
    return add(w, a, OP_ACCOUNTS, NULL);
}

enum rc audience_parse(struct work *w, const json_t *value, struct audience **out)
{
    struct audience *a = arena_alloc(w->mem, sizeof *a);
    const json_t *accounts = json_object_get(value, "accounts");
    enum rc rc;

    *a = (struct audience){ .value = value };
    if (accounts && json_object_size(value) == 1)
        rc = parse_accounts(w, a, accounts);
    else
        rc = parse(w, a, value, 1);
    if (!rc)
        *out = a;
    return rc;
}

void audience_print(const struct audience *a, struct buf *out)
{
    jx_canonical(out, a->value);
}

void audience_refusals(struct work *w, struct audience *a, const char *class,
                       const char *column)
{
    a->refused[a->nrefused++] = arena_printf(w->mem, "out/class/%s", class);
    if (column)
        a->refused[a->nrefused++] = arena_printf(w->mem, "out/column/%s", column);
}

/* ---- evaluating ---- */

static enum rc number_of(struct work *w, const char *word, int64_t *no)
{
    enum rc rc = trait_find(w, word, no);

    if (rc == RC_NOT_FOUND)
        *no = 0;
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc find_devices(struct work *w, struct audience *a)
{
    struct buf list = BUF_IN(w->mem);
    const json_t *number, *accounts = json_object_get(a->value, "accounts");
    struct rows q;
    size_t i;
    enum rc rc;

    json_array_foreach(accounts, i, number)
    {
        if ((rc = db_query(w, SQL_push_address_of, &q, "i", json_integer_value(number))))
            return rc;
        while (rows_next(&q)) {
            int64_t no = rows_int(&q, 0);

            buf_add(&list, &no, sizeof no);
        }
        if ((rc = rows_done(&q)))
            return rc;
    }
    a->devices = (const int64_t *)(void *)list.p;
    a->ndevices = (int)(list.n / sizeof *a->devices);
    return RC_OK;
}

enum rc audience_open(struct work *w, struct audience *a)
{
    struct rows q;
    enum rc rc, end;

    for (int i = 0; i < a->n; i++)
        if (a->nodes[i].op == OP_TRAIT &&
            (rc = number_of(w, a->nodes[i].word, &a->nodes[i].trait)))
            return rc;
    for (int i = 0; i < a->nrefused; i++)
        if ((rc = number_of(w, a->refused[i], &a->refused_no[i])))
            return rc;
    if (a->nodes[0].op == OP_ACCOUNTS && (rc = find_devices(w, a)))
        return rc;
    if (!(rc = db_one(w, SQL_push_address_last, &q, "")))
        a->blocks = rows_int(&q, 0) / BITS + 1;
    end = rows_done(&q);
    return rc ? rc : end;
}

int64_t audience_blocks(const struct audience *a)
{
    return a->blocks;
}

static enum rc read_trait(struct work *w, int64_t trait, int64_t block, struct bits *out)
{
    if (trait)
        return sets_read(w, trait, block, out);
    bits_clear(out);
    return RC_OK;
}

static enum rc evaluate(struct work *w, const struct audience *a, int at, int64_t block,
                        struct bits *out);

static enum rc evaluate_list(struct work *w, const struct audience *a, int at, int64_t block,
                             struct bits *out)
{
    const struct node *n = &a->nodes[at];
    struct bits part;
    enum rc rc;

    if ((rc = evaluate(w, a, at + 1, block, out)))
        return rc;
    for (int i = a->nodes[at + 1].end; i < n->end; i = a->nodes[i].end) {
        if ((rc = evaluate(w, a, i, block, &part)))
            return rc;
        (n->op == OP_AND ? bits_and : bits_or)(out, &part);
    }
    return RC_OK;
}

/* Everyone else: of those who have an address at all, which the caller sees to. */
static enum rc evaluate_not(struct work *w, const struct audience *a, int at, int64_t block,
                            struct bits *out)
{
    enum rc rc = evaluate(w, a, at + 1, block, out);

    for (int i = 0; i < BITS_WORDS; i++)
        out->word[i] = ~out->word[i];
    return rc;
}

static enum rc evaluate_accounts(const struct audience *a, int64_t block, struct bits *out)
{
    bits_clear(out);
    for (int i = 0; i < a->ndevices; i++)
        if (a->devices[i] / BITS == block)
            bits_put(out, (unsigned)(a->devices[i] % BITS));
    return RC_OK;
}

static enum rc evaluate(struct work *w, const struct audience *a, int at, int64_t block,
                        struct bits *out)
{
    switch (a->nodes[at].op) {
    case OP_TRAIT: return read_trait(w, a->nodes[at].trait, block, out);
    case OP_NOT: return evaluate_not(w, a, at, block, out);
    case OP_ACCOUNTS: return evaluate_accounts(a, block, out);
    default: return evaluate_list(w, a, at, block, out);
    }
}

/* The root may be a "not": all others are among those who have an address. */
static enum rc keep_addressed(struct work *w, int64_t block, struct bits *out)
{
    struct bits all;
    int64_t no;
    enum rc rc;

    if ((rc = number_of(w, "all", &no)) || (rc = read_trait(w, no, block, &all)))
        return rc;
    bits_and(out, &all);
    return RC_OK;
}

enum rc audience_block(struct work *w, const struct audience *a, int64_t block,
                       struct bits *out)
{
    struct bits refused;
    enum rc rc;

    if ((rc = evaluate(w, a, 0, block, out)) || (rc = keep_addressed(w, block, out)))
        return rc;
    for (int i = 0; i < a->nrefused; i++) {
        if ((rc = read_trait(w, a->refused_no[i], block, &refused)))
            return rc;
        bits_without(out, &refused);
    }
    return RC_OK;
}

/* ---- counting ---- */

static enum rc find_transports(struct work *w, int64_t traits[TRANSPORT_COUNT])
{
    enum rc rc = RC_OK;

    for (int i = 0; i < TRANSPORT_COUNT && !rc; i++) {
        const struct transport_type *t = transport_type(i);

        traits[i] = 0;
        if (t)
            rc = number_of(w, arena_printf(w->mem, "transport/%s", t->word), &traits[i]);
    }
    return rc;
}

static enum rc count_block(struct work *w, const struct bits *b, int64_t block,
                           const int64_t traits[TRANSPORT_COUNT], struct audience_counts *out)
{
    struct bits part;
    int n = bits_count(b);
    enum rc rc;

    out->all += n;
    for (int i = 0; i < TRANSPORT_COUNT && n; i++) {
        if (!traits[i])
            continue;
        if ((rc = sets_read(w, traits[i], block, &part)))
            return rc;
        bits_and(&part, b);
        out->by[i] += bits_count(&part);
    }
    return RC_OK;
}

enum rc audience_count(struct work *w, const struct audience *a, struct audience_counts *out)
{
    int64_t traits[TRANSPORT_COUNT];
    enum rc rc = find_transports(w, traits);
    struct bits b;

    *out = (struct audience_counts){ 0 };
    for (int64_t block = 0; block < a->blocks && !rc; block++)
        if (!(rc = audience_block(w, a, block, &b)))
            rc = count_block(w, &b, block, traits, out);
    return rc;
}
