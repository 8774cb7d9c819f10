/*
 * strict.c - requests of HTTP/1 that nobody can read in two ways.
 *
 *     START --> METHOD SP TARGET SP VERSION CR LF --> { NAME ":" VALUE CR LF } --> CR LF --.
 *       ^-- no body -----------------------------------------------------------------------|
 *       ^-- BODY: Content-Length bytes <---------------------------------------------------|
 *       '-- LAST <-- 0 -- SIZE <-> DATA: chunks <------------------------------------------'
 *
 * Who stands before this server may have read a request otherwise: what one takes for a body the other takes
 * for the next request. So only one spelling of each thing is let through. A head is complete with its
 * last LF, and whether it is refused is known before that byte passes; so libh2o never acts on a request that
 * is refused in its head.
 *
 * Once the CR after the size of a chunk has passed, libh2o skips what comes, and after the LF of the last one it takes
 * anything for a trailer: nothing could then be said that it refuses. So the line ends of sizes pass
 * whole (what is withheld is known, so it need not be kept).
 *
 * Not here: how long a head or a body may be (libh2o and the edge).
 */
#include "server/http/strict.h"

#include <string.h>

/* What a byte is good for; each includes those before it. */
enum kind { CONTROL, BLANK, VISIBLE, TOKEN };

static const uint8_t kinds[256] = {
    ['\t'] = BLANK,        [' '] = BLANK,           ['!'] = TOKEN,
    ['"'] = VISIBLE,       ['#' ... '\''] = TOKEN,  ['(' ... ')'] = VISIBLE,
    ['*' ... '+'] = TOKEN, [','] = VISIBLE,         ['-' ... '.'] = TOKEN,
    ['/'] = VISIBLE,       ['0' ... '9'] = TOKEN,   [':' ... '@'] = VISIBLE,
    ['A' ... 'Z'] = TOKEN, ['[' ... ']'] = VISIBLE, ['^' ... 'z'] = TOKEN,
    ['{'] = VISIBLE,       ['|'] = TOKEN,           ['}'] = VISIBLE,
    ['~'] = TOKEN,         [128 ... 255] = VISIBLE,
};

enum state {
    START,
    EMPTY,
    METHOD,
    TARGET,
    VERSION,
    LINE,
    NAME,
    VALUE,
    VALUE_END,
    HEAD_END,
    BODY,
    SIZE,
    LAST,
    DATA,
    DATA_CR,
    DATA_LF,
    STATES
};

enum field { OTHER, HOST, LENGTH, CODING };

static const char version[] = "HTTP/1.?\r\n", chunked[] = "chunked", line_ends[] = "\r\n\r\n";

enum { MINOR = 7, VERSION_ALL = sizeof version - 1, CODING_ALL = sizeof chunked - 1 };

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* How many bytes from the first are of this kind at least. */
static size_t span(const uint8_t *p, size_t n, enum kind least)
{
    size_t i = 0;

    while (i < n && kinds[p[i]] >= least)
        i++;
    return i;
}

/* A control byte is wrong by itself. */
static enum strict_end blame(uint8_t c, enum strict_end why)
{
    return kinds[c] == CONTROL ? STRICT_BYTE : why;
}

static void go(struct strict *s, enum state to)
{
    s->state = to;
    s->got = 0;
}

/* ---- the request line ---- */

/* Like libh2o, and as RFC 9112, 2.2 has it, we take one empty line before a request. */
static size_t in_start(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    if (*p == '\r' && !s->empty) {
        s->state = EMPTY;
        return 1;
    }
    if (kinds[*p] < TOKEN) {
        *why = blame(*p, STRICT_LINE);
        return 0;
    }
    strict_init(s);
    s->state = METHOD;
    return 1;
}

static size_t in_empty(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    if (*p != '\n') {
        *why = STRICT_BYTE;
        return 0;
    }
    s->empty = true;
    s->state = START;
    return 1;
}

static size_t in_method(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = span(p, n, TOKEN);

    if (at == n)
        return at;
    if (p[at] != ' ') {
        *why = blame(p[at], STRICT_LINE);
        return at;
    }
    go(s, TARGET);
    return at + 1;
}

static size_t in_target(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = span(p, n, VISIBLE);

    s->got |= at > 0;
    if (at == n)
        return at;
    if (p[at] != ' ' || !s->got) {
        *why = blame(p[at], STRICT_LINE);
        return at;
    }
    go(s, VERSION);
    return at + 1;
}

static size_t in_version(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = 0;

    for (; at < n && s->got < VERSION_ALL; at++, s->got++) {
        uint8_t c = p[at];

        if (s->got == MINOR ? c != '0' && c != '1' : c != version[s->got]) {
            *why = s->got > MINOR + 1 ? STRICT_BYTE : blame(c, STRICT_LINE);
            return at;
        }
        if (s->got == MINOR)
            s->is_old = c == '0';
    }
    if (s->got == VERSION_ALL)
        go(s, LINE);
    return at;
}

/* ---- fields ---- */

static size_t in_line(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    if (*p == '\r') {
        s->state = HEAD_END;
        return 1;
    }
    if (kinds[*p] < TOKEN) {
        *why = blame(*p, STRICT_FIELD);
        return 0;
    }
    go(s, NAME);
    return 0;
}

/* The name has ended. */
static enum strict_end begin_value(struct strict *s)
{
    static const char *const names[] = {
        [HOST] = "host", [LENGTH] = "content-length", [CODING] = "transfer-encoding"
    };
    bool *seen[] = {
        [HOST] = &s->has_host, [LENGTH] = &s->has_length, [CODING] = &s->is_chunked
    };

    s->field = OTHER;
    for (uint8_t i = HOST; i <= CODING; i++)
        if (s->got == strlen(names[i]) && !memcmp(s->name, names[i], s->got))
            s->field = i;
    go(s, VALUE);
    s->gap = false;
    if (s->field == OTHER)
        return STRICT_FINE;
    if (*seen[s->field])
        return s->field == HOST ? STRICT_HOST : STRICT_LENGTH;
    *seen[s->field] = true;
    return s->has_length && s->is_chunked ? STRICT_LENGTH : STRICT_FINE;
}

static size_t in_name(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = 0;

    for (; at < n && kinds[p[at]] == TOKEN; at++) {
        if (s->got < STRICT_NAME_MAX)
            s->name[s->got] = (char)lower(p[at]);
        s->got += s->got <= STRICT_NAME_MAX;
    }
    if (at == n)
        return at;
    if (p[at] != ':') {
        *why = blame(p[at], STRICT_FIELD);
        return at;
    }
    *why = begin_value(s);
    return *why ? at : at + 1;
}

/* A byte of a value that we read ourselves, but no blank around it. */
static enum strict_end see(struct strict *s, uint8_t c)
{
    switch (s->field) {
    case HOST: s->got = 1; return STRICT_FINE;
    case LENGTH:
        if (!is_digit(c) || s->got == STRICT_LENGTH_DIGITS)
            return STRICT_LENGTH;
        s->left = s->left * 10 + (c - '0');
        break;
    default:
        if (s->got == CODING_ALL || lower(c) != chunked[s->got])
            return STRICT_LENGTH;
    }
    s->got++;
    return STRICT_FINE;
}

static size_t read_value(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = 0;

    for (; at < n && kinds[p[at]] >= BLANK && !*why; at++) {
        if (kinds[p[at]] == BLANK)
            s->gap |= s->got > 0;
        else if (s->gap)
            *why = s->field == HOST ? STRICT_HOST : STRICT_LENGTH;
        else
            *why = see(s, p[at]);
    }
    return *why ? at - 1 : at;
}

static size_t in_value(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = s->field == OTHER ? span(p, n, BLANK) : read_value(s, p, n, why);

    if (at == n || *why)
        return at;
    if (p[at] != '\r')
        *why = STRICT_BYTE;
    else if ((s->field == LENGTH && !s->got) || (s->field == CODING && s->got < CODING_ALL))
        *why = STRICT_LENGTH;
    if (*why)
        return at;
    go(s, VALUE_END);
    return at + 1;
}

static size_t in_value_end(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    if (*p != '\n') {
        *why = STRICT_BYTE;
        return 0;
    }
    go(s, LINE);
    return 1;
}

/* What no single byte tells. A proxy of HTTP/1.0 does not know what chunks are. */
static enum strict_end judge_head(const struct strict *s)
{
    if (!s->is_old && !s->has_host)
        return STRICT_HOST;
    return s->is_old && s->is_chunked ? STRICT_LENGTH : STRICT_FINE;
}

static size_t in_head_end(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    *why = *p == '\n' ? judge_head(s) : STRICT_BYTE;
    if (*why)
        return 0;
    if (s->is_chunked)
        go(s, SIZE);
    else if (s->left)
        go(s, BODY);
    else
        strict_init(s);
    return 1;
}

/* ---- bodies ---- */

static size_t skip(struct strict *s, size_t n)
{
    size_t step = n < s->left ? n : (size_t)s->left;

    s->left -= step;
    return step;
}

static size_t in_body(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = skip(s, n);

    (void)p, (void)why;
    if (!s->left)
        strict_init(s);
    return at;
}

static int hex(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t in_size(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = 0;

    for (; at < n && hex(p[at]) >= 0; at++, s->got++) {
        if (s->got == STRICT_CHUNK_DIGITS) {
            *why = STRICT_CHUNK;
            return at;
        }
        s->left = s->left * 16 + (uint64_t)hex(p[at]);
    }
    if (at == n)
        return at;
    if (p[at] != '\r' || !s->got)
        *why = blame(p[at], STRICT_CHUNK);
    else
        s->state = LAST;
    return at;
}

/* The end of the line, and of the body if the size was 0: none of it passes before all of it is there. */
static size_t in_last(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t want = s->left ? 2 : 4;

    for (size_t i = 0; i < n && i < want; i++)
        if (p[i] != line_ends[i]) {
            *why = i == 2 && kinds[p[i]] > CONTROL ? STRICT_CHUNK : STRICT_BYTE;
            return 0;
        }
    if (n < want)
        return 0;
    if (s->left)
        go(s, DATA);
    else
        strict_init(s);
    return want;
}

static size_t in_data(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    size_t at = skip(s, n);

    (void)p, (void)why;
    if (!s->left)
        s->state = DATA_CR;
    return at;
}

static size_t in_data_end(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why)
{
    (void)n;
    if (*p != (s->state == DATA_CR ? '\r' : '\n')) {
        *why = STRICT_CHUNK;
        return 0;
    }
    go(s, s->state == DATA_CR ? DATA_LF : SIZE);
    return 1;
}

/* ---- the walk ---- */

typedef size_t (*step_fn)(struct strict *s, const uint8_t *p, size_t n, enum strict_end *why);

static const step_fn steps[STATES] = {
    [START] = in_start,       [EMPTY] = in_empty,     [METHOD] = in_method,
    [TARGET] = in_target,     [VERSION] = in_version, [LINE] = in_line,
    [NAME] = in_name,         [VALUE] = in_value,     [VALUE_END] = in_value_end,
    [HEAD_END] = in_head_end, [BODY] = in_body,       [SIZE] = in_size,
    [LAST] = in_last,         [DATA] = in_data,       [DATA_CR] = in_data_end,
    [DATA_LF] = in_data_end,
};

void strict_init(struct strict *s)
{
    *s = (struct strict){ .state = START };
}

bool strict_is_in_body(const struct strict *s)
{
    return s->state >= BODY;
}

bool strict_in_chunks(const struct strict *s)
{
    return s->state >= SIZE;
}

struct strict_verdict strict_take(struct strict *s, const uint8_t *p, size_t n)
{
    struct strict_verdict v = { 0 };
    size_t step;
    uint8_t state;

    while (v.pass < n && !v.end) {
        state = s->state;
        step = steps[state](s, p + v.pass, n - v.pass, &v.end);
        v.pass += step;
        if (!step && state == s->state)
            break;
    }
    return v;
}
