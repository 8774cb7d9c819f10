/*
 * html_role.c - the allow-list.
 *
 * SVG is dropped whole. Of MathML the letters of its tokens are text. An element that is hidden,
 * by its attribute or its own style, is not read by anybody, and a hijacker's favourite place.
 */
#include "server/ingest/html_role.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 64, PARAGRAPHS_IN_CELL = 12 };

struct known {
    uint8_t role, count; /* count: offset into struct html_found, in ints, plus 1; 0: none */
};

#define COUNTS(member) (1 + offsetof(struct html_found, member) / sizeof(int))

static const struct known known[GUMBO_TAG_LAST + 1] = {
    [GUMBO_TAG_ADDRESS] = { ROLE_BLOCK },
    [GUMBO_TAG_ARTICLE] = { ROLE_BLOCK },
    [GUMBO_TAG_ASIDE] = { ROLE_BLOCK },
    [GUMBO_TAG_BLOCKQUOTE] = { ROLE_BLOCK },
    [GUMBO_TAG_BODY] = { ROLE_BLOCK },
    [GUMBO_TAG_CAPTION] = { ROLE_BLOCK },
    [GUMBO_TAG_CENTER] = { ROLE_BLOCK },
    [GUMBO_TAG_DD] = { ROLE_BLOCK },
    [GUMBO_TAG_DETAILS] = { ROLE_BLOCK },
    [GUMBO_TAG_DIR] = { ROLE_LIST },
    [GUMBO_TAG_DIV] = { ROLE_BLOCK },
    [GUMBO_TAG_DL] = { ROLE_BLOCK },
    [GUMBO_TAG_DT] = { ROLE_BLOCK },
    [GUMBO_TAG_FIELDSET] = { ROLE_BLOCK },
    [GUMBO_TAG_FIGCAPTION] = { ROLE_BLOCK },
    [GUMBO_TAG_FIGURE] = { ROLE_BLOCK },
    [GUMBO_TAG_FOOTER] = { ROLE_BLOCK },
    [GUMBO_TAG_HEADER] = { ROLE_BLOCK },
    [GUMBO_TAG_HGROUP] = { ROLE_BLOCK },
    [GUMBO_TAG_HR] = { ROLE_BLOCK },
    [GUMBO_TAG_HTML] = { ROLE_BLOCK },
    [GUMBO_TAG_LEGEND] = { ROLE_BLOCK },
    [GUMBO_TAG_MAIN] = { ROLE_BLOCK },
    [GUMBO_TAG_NAV] = { ROLE_BLOCK },
    [GUMBO_TAG_P] = { ROLE_BLOCK },
    [GUMBO_TAG_SECTION] = { ROLE_BLOCK },
    [GUMBO_TAG_SUMMARY] = { ROLE_BLOCK },
    [GUMBO_TAG_TBODY] = { ROLE_BLOCK },
    [GUMBO_TAG_TD] = { ROLE_BLOCK },
    [GUMBO_TAG_TFOOT] = { ROLE_BLOCK },
    [GUMBO_TAG_TH] = { ROLE_BLOCK },
    [GUMBO_TAG_THEAD] = { ROLE_BLOCK },
    [GUMBO_TAG_TR] = { ROLE_BLOCK },
    [GUMBO_TAG_LISTING] = { ROLE_LINES },
    [GUMBO_TAG_PLAINTEXT] = { ROLE_LINES },
    [GUMBO_TAG_PRE] = { ROLE_LINES },
    [GUMBO_TAG_XMP] = { ROLE_LINES },
    [GUMBO_TAG_H1] = { ROLE_HEADING },
    [GUMBO_TAG_H2] = { ROLE_HEADING },
    [GUMBO_TAG_H3] = { ROLE_HEADING },
    [GUMBO_TAG_H4] = { ROLE_HEADING },
    [GUMBO_TAG_H5] = { ROLE_HEADING },
    [GUMBO_TAG_H6] = { ROLE_HEADING },
    [GUMBO_TAG_OL] = { ROLE_LIST },
    [GUMBO_TAG_UL] = { ROLE_LIST },
    [GUMBO_TAG_MENU] = { ROLE_LIST },
    [GUMBO_TAG_LI] = { ROLE_ITEM },
    [GUMBO_TAG_TABLE] = { ROLE_TABLE },
    [GUMBO_TAG_A] = { ROLE_LINK },
    [GUMBO_TAG_IMG] = { ROLE_PICTURE },
    [GUMBO_TAG_IMAGE] = { ROLE_PICTURE },
    [GUMBO_TAG_BR] = { ROLE_BREAK },
    [GUMBO_TAG_FORM] = { ROLE_BLOCK, COUNTS(forms) },
    [GUMBO_TAG_SCRIPT] = { ROLE_DROP, COUNTS(scripts) },
    [GUMBO_TAG_STYLE] = { ROLE_DROP, COUNTS(styles) },
    [GUMBO_TAG_IFRAME] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_FRAME] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_FRAMESET] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_OBJECT] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_EMBED] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_APPLET] = { ROLE_DROP, COUNTS(frames) },
    [GUMBO_TAG_AREA] = { ROLE_DROP },
    [GUMBO_TAG_AUDIO] = { ROLE_DROP },
    [GUMBO_TAG_BASE] = { ROLE_DROP },
    [GUMBO_TAG_BGSOUND] = { ROLE_DROP },
    [GUMBO_TAG_CANVAS] = { ROLE_DROP },
    [GUMBO_TAG_DATALIST] = { ROLE_DROP },
    [GUMBO_TAG_HEAD] = { ROLE_DROP },
    [GUMBO_TAG_INPUT] = { ROLE_DROP },
    [GUMBO_TAG_LINK] = { ROLE_DROP },
    [GUMBO_TAG_MAP] = { ROLE_DROP },
    [GUMBO_TAG_META] = { ROLE_DROP },
    [GUMBO_TAG_METER] = { ROLE_DROP },
    [GUMBO_TAG_NOEMBED] = { ROLE_DROP },
    [GUMBO_TAG_NOFRAMES] = { ROLE_DROP },
    [GUMBO_TAG_NOSCRIPT] = { ROLE_DROP },
    [GUMBO_TAG_OPTGROUP] = { ROLE_DROP },
    [GUMBO_TAG_OPTION] = { ROLE_DROP },
    [GUMBO_TAG_PROGRESS] = { ROLE_DROP },
    [GUMBO_TAG_RP] = { ROLE_DROP },
    [GUMBO_TAG_SELECT] = { ROLE_DROP },
    [GUMBO_TAG_TEMPLATE] = { ROLE_DROP },
    [GUMBO_TAG_TEXTAREA] = { ROLE_DROP },
    [GUMBO_TAG_TITLE] = { ROLE_DROP },
    [GUMBO_TAG_VIDEO] = { ROLE_DROP },
};

const char *html_attribute(const GumboNode *element, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&element->v.element.attributes, name);

    return a ? a->value : NULL;
}

int html_number(const GumboNode *element, const char *name, int max, int otherwise)
{
    const char *s = html_attribute(element, name);
    long v = s ? strtol(s, NULL, 10) : 0;

    return v < 1 ? otherwise : v > max ? max : (int)v;
}

const GumboNode *html_child(const GumboNode *element, unsigned i)
{
    const GumboVector *children = &element->v.element.children;

    return i < children->length ? children->data[i] : NULL;
}

bool html_is(const GumboNode *node, GumboTag tag)
{
    return node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == tag &&
           node->v.element.tag_namespace == GUMBO_NAMESPACE_HTML;
}

/* What a style says of a property: its value, without blanks and in small letters, in `out`. The
 * last one counts. */
static bool style_value(const char *style, const char *property, char out[24])
{
    size_t n = strlen(property);
    bool found = false;

    while (style && *style) {
        size_t i = 0;

        style += strspn(style, " \t\r\n;");
        if (!strncasecmp(style, property, n) &&
            style[n + strspn(style + n, " \t\r\n")] == ':') {
            const char *p = strchr(style, ':') + 1;

            for (; *p && *p != ';' && i < 23; p++)
                if (!isspace((unsigned char)*p))
                    out[i++] = (char)tolower((unsigned char)*p);
            out[i] = '\0';
            found = true;
        }
        style += strcspn(style, ";");
    }
    return found;
}

static bool is_hidden(const GumboNode *element)
{
    const char *style = html_attribute(element, "style");
    char value[24];

    return html_attribute(element, "hidden") ||
           (style_value(style, "display", value) && !strncmp(value, "none", 4)) ||
           (style_value(style, "visibility", value) &&
            (!strncmp(value, "hidden", 6) || !strncmp(value, "collapse", 8)));
}

bool html_is_bold(const GumboNode *element, bool outer)
{
    char value[24];

    if (style_value(html_attribute(element, "style"), "font-weight", value))
        return !strncmp(value, "bold", 4) || (value[0] >= '6' && value[0] <= '9');
    return outer || html_is(element, GUMBO_TAG_B) || html_is(element, GUMBO_TAG_STRONG);
}

static void count_handlers(const GumboNode *element, struct html_found *found)
{
    const GumboVector *all = &element->v.element.attributes;

    for (unsigned i = 0; i < all->length; i++)
        found->handlers += !strncasecmp(((const GumboAttribute *)all->data[i])->name, "on", 2);
}

enum role html_role(const GumboNode *element, struct html_found *found)
{
    const GumboElement *el = &element->v.element;
    const struct known *k = &known[el->tag < GUMBO_TAG_LAST ? el->tag : GUMBO_TAG_LAST];

    count_handlers(element, found);
    if (el->tag_namespace == GUMBO_NAMESPACE_SVG)
        return ROLE_DROP;
    if (el->tag_namespace == GUMBO_NAMESPACE_MATHML)
        return el->tag == GUMBO_TAG_ANNOTATION_XML ? ROLE_DROP : ROLE_INLINE;
    if (k->count)
        ((int *)found)[k->count - 1]++;
    if (k->role != ROLE_DROP && is_hidden(element)) {
        found->hidden++;
        return ROLE_DROP;
    }
    return (enum role)k->role;
}

struct shape {
    int columns, most; /* of the row at hand; of the widest */
    int paragraphs;    /* of the cell at hand */
    bool placing;      /* it only puts things in place */
};

static void look_at(const GumboNode *element, struct shape *s)
{
    for (unsigned i = 0; !s->placing && html_child(element, i); i++) {
        const GumboNode *node = html_child(element, i);
        enum role role;

        if (node->type != GUMBO_NODE_ELEMENT)
            continue;
        role = (enum role)known[node->v.element.tag].role;
        s->placing = role == ROLE_TABLE || role == ROLE_HEADING || role == ROLE_LIST;
        if (html_is(node, GUMBO_TAG_TR))
            s->columns = 0;
        if (html_is(node, GUMBO_TAG_TD) || html_is(node, GUMBO_TAG_TH)) {
            s->columns += html_number(node, "colspan", COLUMNS_MAX + 1, 1);
            s->most = s->columns > s->most ? s->columns : s->most;
            s->paragraphs = 0;
        }
        if (html_is(node, GUMBO_TAG_P) && ++s->paragraphs > PARAGRAPHS_IN_CELL)
            s->placing = true;
        look_at(node, s);
    }
}

bool html_is_data_table(const GumboNode *table)
{
    struct shape s = { 0 };

    look_at(table, &s);
    return !s.placing && s.most >= 2 && s.most <= COLUMNS_MAX;
}
