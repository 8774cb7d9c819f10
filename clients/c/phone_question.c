/*
 * phone_question.c - a question of a survey on a terminal: how each kind is put, how a line is read as its answer, how an answer is shown.
 *
 * People count choices from 1, the wire from 0, and some write the words of a choice. An empty line leaves a question out.
 */
#include "clients/c/phone_question.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static int number_of(const json_t *question, const char *name, int usual)
{
    const json_t *v = json_object_get(question, name);

    return json_is_integer(v) ? (int)json_integer_value(v) : usual;
}

/* ---- how it is put ---- */

static int choices_of(const json_t *question)
{
    return (int)json_array_size(json_object_get(question, "choices"));
}

static void hint_single(const json_t *question, FILE *out)
{
    fprintf(out, "选一项，写号码 1 到 %d", choices_of(question));
}

static void hint_multiple(const json_t *question, FILE *out)
{
    int n = choices_of(question), most = number_of(question, "most", n);

    fprintf(out, "可选几项，写号码，中间空一格");
    if (most < n)
        fprintf(out, "，最多 %d 项", most);
}

static void hint_rating(const json_t *question, FILE *out)
{
    fprintf(out, "打分，1 最低，%d 最高", number_of(question, "of", 5));
}

static void hint_text(const json_t *question, FILE *out)
{
    fprintf(out, "写几句，最多 %d 个字；请不要写姓名、电话等个人信息",
            number_of(question, "max", 300));
}

/* ---- how a line is read ---- */

/* Behind what people write between numbers. */
static const char *behind_gap(const char *at)
{
    static const char *const gaps[] = { " ", ",", "，", "、", "　" };
    size_t i = 0;

    while (i < sizeof gaps / sizeof *gaps) {
        size_t n = strlen(gaps[i++]);

        if (strncmp(at, gaps[i - 1], n) == 0) {
            at += n;
            i = 0;
        }
    }
    return at;
}

/* One digit, also a wide one as Chinese keyboards write them; -1: there is none. */
static int take_digit(const char **at)
{
    const unsigned char *c = (const unsigned char *)*at;

    if (c[0] >= '0' && c[0] <= '9') {
        *at += 1;
        return c[0] - '0';
    }
    if (c[0] == 0xef && c[1] == 0xbc && c[2] >= 0x90 && c[2] <= 0x99) {
        *at += 3;
        return c[2] - 0x90;
    }
    return -1;
}

/* The next number of a line, from `least` to `most`; *at moves behind it. */
static bool take_number(const char **at, int least, int most, int *out)
{
    const char *p = *at;
    int n = 0, digit, digits = 0;

    for (; digits < 3 && (digit = take_digit(&p)) >= 0; digits++)
        n = 10 * n + digit;
    if (!digits || n < least || n > most)
        return false;
    *out = n;
    *at = behind_gap(p);
    return true;
}

/* The next choice of a line, by its number or by its words. */
static bool take_choice(const char **at, const json_t *question, int *out)
{
    const json_t *choice;
    size_t i;

    if (take_number(at, 1, choices_of(question), out))
        return true;
    json_array_foreach(json_object_get(question, "choices"), i, choice)
    {
        const char *behind = *at + json_string_length(choice);

        if (strncmp(*at, json_string_value(choice), json_string_length(choice)) != 0 ||
            (*behind && behind_gap(behind) == behind))
            continue;
        *out = (int)i + 1;
        *at = behind_gap(behind);
        return true;
    }
    return false;
}

static json_t *read_single(const json_t *question, const char *line)
{
    int n;

    return take_choice(&line, question, &n) && !*line ? json_integer(n - 1) : NULL;
}

static json_t *read_multiple(const json_t *question, const char *line)
{
    int all = choices_of(question), most = number_of(question, "most", all), n;
    json_t *out = json_array();

    while (*line && take_choice(&line, question, &n))
        json_array_append_new(out, json_integer(n - 1));
    if (!*line && json_array_size(out) > 0 && (int)json_array_size(out) <= most)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *read_rating(const json_t *question, const char *line)
{
    int n;

    return take_number(&line, 1, number_of(question, "of", 5), &n) && !*line ? json_integer(n)
                                                                             : NULL;
}

static json_t *read_text(const json_t *question, const char *line)
{
    int n = 0;

    for (const char *c = line; *c; c++)
        n += (*c & 0xc0) != 0x80;
    return n <= number_of(question, "max", 300) ? json_string(line) : NULL;
}

/* ---- the kinds ---- */

static const struct kind {
    const char *name;
    void (*hint)(const json_t *question, FILE *out);
    json_t *(*read)(const json_t *question, const char *line); /* NULL: no answer to it */
} kinds[] = {
    { "single", hint_single, read_single },
    { "multiple", hint_multiple, read_multiple },
    { "rating", hint_rating, read_rating },
    { "text", hint_text, read_text },
};

/* NULL: a later version of the platform asks so. */
static const struct kind *kind_of(const json_t *question)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, member(question, "kind")) == 0)
            return &kinds[i];
    return NULL;
}

void phone_put_question(const json_t *question, size_t no, FILE *out)
{
    const struct kind *kind = kind_of(question);
    const json_t *choice;
    size_t i;

    fprintf(out, "\n%zu. %s（%s", no + 1, member(question, "title"),
            json_is_true(json_object_get(question, "required")) ? "必答，" : "");
    if (kind)
        kind->hint(question, out);
    else
        fprintf(out, "这个版本的程序还不会问，请升级");
    fprintf(out, "）\n");
    json_array_foreach(json_object_get(question, "choices"), i, choice)
        fprintf(out, "   %zu  %s\n", i + 1, json_string_value(choice));
}

static void show_choice(const json_t *question, const json_t *v)
{
    const json_t *choices = json_object_get(question, "choices");

    printf("%s", json_string_value(json_array_get(choices, (size_t)json_integer_value(v))));
}

void phone_show_answer(const json_t *question, const json_t *v)
{
    const json_t *one;
    size_t i;

    printf("   您的回答：");
    if (json_is_null(v))
        printf("（没有回答）");
    else if (json_is_string(v))
        printf("%s", json_string_value(v));
    else if (json_is_integer(v) && !json_object_get(question, "choices"))
        printf("%d 分", (int)json_integer_value(v));
    else if (json_is_integer(v))
        show_choice(question, v);
    json_array_foreach(v, i, one)
    {
        printf("%s", i ? "、" : "");
        show_choice(question, one);
    }
    putchar('\n');
}

/* ---- asking ---- */

static void tell_wrong(const json_t *question, size_t no, bool empty)
{
    const struct kind *kind = kind_of(question);

    fprintf(stderr, "第 %zu 题%s：", no + 1, empty ? "必须回答" : "这样答不行");
    if (kind)
        kind->hint(question, stderr);
    fprintf(stderr, "。\n");
}

json_t *phone_ask(const json_t *question, size_t no)
{
    bool terminal = isatty(STDIN_FILENO),
         required = json_is_true(json_object_get(question, "required"));
    const struct kind *kind = kind_of(question);
    json_t *answer = NULL;
    char *line = NULL;
    size_t room = 0;

    if (terminal)
        phone_put_question(question, no, stderr);
    do {
        if (terminal)
            fprintf(stderr, required ? "请回答：" : "请回答，不答就直接按回车：");
        if (getline(&line, &room, stdin) < 0)
            break;
        line[strcspn(line, "\r\n")] = '\0';
        if (!line[0] && !required)
            answer = json_null();
        else if (line[0] && kind)
            answer = kind->read(question, line);
        if (!answer)
            tell_wrong(question, no, !line[0]);
    } while (!answer && terminal && kind);
    free(line);
    return answer;
}
