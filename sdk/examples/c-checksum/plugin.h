/* What any plugwire plugin in C99 needs, with nothing but the standard library: frames, JSON, the conversation.
 *
 * No JSON library is needed. A body is scanned once, strictly; after that a value is only a piece of the body, and the
 * few members that matter are found by scanning again. An id is never turned into a number: it goes back as the text
 * that it came as, which keeps 1 and "1" apart for free. Ids in brackets name sentences of the spec.
 *
 * It is included by the one file of a plugin, which says before it what the plugin is: PLUGIN_NAME, which is its
 * service, too; PLUGIN_METHODS, a JSON array; PLUGIN_CAPABILITIES, which is "" or a member with a comma behind it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARSE_ERROR = -32700, INVALID_REQUEST = -32600, METHOD_NOT_FOUND = -32601, INVALID_PARAMS = -32602,
       NOT_INITIALIZED = -32002, UNSUPPORTED_VERSION = -32017 };
enum { MAX_HEADER = 4096 };                       /* FRM-15 */
#define MAX_INTEGER 9007199254740991LL            /* 2^53 - 1 [MSG-11] */

static enum { CREATED, INITIALIZING, READY, STOPPING } state = CREATED;
static long long max_frame = 4194304, max_depth = 128;   /* until `initialize` says otherwise */

/* A piece of the body. `at` is NULL where there is nothing. A string keeps its quotes and its escapes. */
struct piece { const char *at; size_t size; };
static const struct piece null_id = { "null", 4 };

/* FRM-10: when nobody knows where the next frame begins, saying why and leaving is all that is left. */
static void lose_boundary(const char *why)
{
    fprintf(stderr, PLUGIN_NAME ": %s\n", why);
    exit(2);
}

/* ---- Frames ------------------------------------------------------------------------------------------------------ */

static bool is_content_length(const char *name, size_t size)   /* in any letter case [FRM-05] */
{
    static const char wanted[] = "content-length";
    if (size != sizeof wanted - 1) return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
        if (c != wanted[i]) return false;
    }
    return true;
}

static void read_header(const char *line, size_t size, long long *length)
{
    size_t colon = 0;
    while (colon < size && line[colon] > ' ' && line[colon] < 127 && line[colon] != ':') colon++;
    if (colon == 0 || colon == size || line[colon] != ':')
        lose_boundary("a header line has no proper name and colon [FRM-16]");
    if (!is_content_length(line, colon)) return;                               /* FRM-06 */
    if (*length >= 0) lose_boundary("Content-Length stands twice [FRM-13]");
    const char *from = line + colon + 1, *to = line + size;
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
    if (to == from || to - from > 10) lose_boundary("the length is not 1 to 10 digits [FRM-12]");
    /* Not strtol: it would take blanks, signs and, with base 0, hexadecimal. */
    for (*length = 0; from < to; from++) {
        if (*from < '0' || *from > '9') lose_boundary("the length is not 1 to 10 digits [FRM-12]");
        *length = *length * 10 + (*from - '0');
    }
    if (*length > max_frame) lose_boundary("the length is above maxFrameBytes [FRM-17]");
}

/* The next body, to be freed by the caller; NULL when the input ends between two frames. */
static char *read_frame(size_t *size)
{
    char block[MAX_HEADER];
    size_t used = 0, start = 0;
    long long length = -1;
    for (;;) {
        int c = getchar();
        if (c == EOF && used == 0) return NULL;
        if (c == EOF) lose_boundary("the input ended inside a header block [FRM-18]");
        if (used == MAX_HEADER) lose_boundary("the header block has more than 4096 bytes [FRM-15]");
        block[used++] = (char)c;
        if (c != '\n') continue;                                               /* LF alone will do [FRM-07] */
        size_t line = used - 1 - start;
        if (line > 0 && block[start + line - 1] == '\r') line--;
        if (line == 0) break;
        read_header(block + start, line, &length);
        start = used;
    }
    if (length < 0) lose_boundary("a header block has no Content-Length [FRM-14]");
    char *body = malloc((size_t)length + 1);                                   /* + 1: malloc(0) may be NULL */
    if (!body) lose_boundary("there is no memory for a frame");
    if (fread(body, 1, (size_t)length, stdin) != (size_t)length)
        lose_boundary("the input ended inside a body [FRM-18]");
    *size = (size_t)length;
    return body;
}

/* Every answer fits: the only part of it that we do not choose is an id, which has at most 128 characters [MSG-11], so
 * 1538 bytes with each one escaped. The smallest maxFrameBytes is 4096, so ERR-06 is met without a check. */
static void send_body(const char *format, ...)
{
    char body[4096];
    va_list values;
    va_start(values, format);
    int size = vsnprintf(body, sizeof body, format, values);
    va_end(values);
    printf("Content-Length: %d\r\n\r\n%s", size, body);                        /* FRM-01 */
    fflush(stdout);
}

static void send_result(struct piece id, const char *result)
{
    send_body("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}", (int)id.size, id.at, result);
}

static void send_error(struct piece id, int code, const char *message, const char *data)
{
    send_body("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"error\":{\"code\":%d,\"message\":\"%s\"%s%s}}", (int)id.size, id.at,
              code, message, data ? ",\"data\":" : "", data ? data : "");
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */
/* Each scan_… function gets the place where something begins and returns the place behind it, or NULL if it is wrong.
 * NULL goes in and comes out again, so that only the last of several steps has to be checked. */

static const char *skip_blanks(const char *p, const char *end)
{
    while (p && p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
    return p;
}

static int read_hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* One character of UTF-8 as RFC 3629 has it: the narrower ranges for the second byte keep out overlong forms,
 * surrogates and what lies above U+10FFFF [MSG-21]. */
static const char *scan_utf8(const char *p, const char *end)
{
    const unsigned char *b = (const unsigned char *)p;
    int more = b[0] < 0x80 ? 0 : b[0] >= 0xC2 && b[0] <= 0xDF ? 1 : b[0] >= 0xE0 && b[0] <= 0xEF ? 2
             : b[0] >= 0xF0 && b[0] <= 0xF4 ? 3 : -1;
    if (more < 0 || end - p <= more) return NULL;
    if (more > 0) {
        unsigned low = b[0] == 0xE0 ? 0xA0 : b[0] == 0xF0 ? 0x90 : 0x80;
        unsigned high = b[0] == 0xED ? 0x9F : b[0] == 0xF4 ? 0x8F : 0xBF;
        if (b[1] < low || b[1] > high) return NULL;
    }
    for (int i = 2; i <= more; i++) if (b[i] < 0x80 || b[i] > 0xBF) return NULL;
    return p + more + 1;
}

static const char *scan_string(const char *p, const char *end)
{
    if (!p || p == end || *p != '"') return NULL;
    for (p++; p && p < end && *p != '"';) {
        if ((unsigned char)*p < 0x20) return NULL;
        if (*p != '\\') { p = scan_utf8(p, end); continue; }
        if (end - p < 2) return NULL;
        if (p[1] != 'u') {
            if (p[1] == '\0' || !strchr("\"\\/bfnrt", p[1])) return NULL;
            p += 2;
            continue;
        }
        int unit = read_hex4(p + 2, end);
        if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) return NULL;
        p += 6;
        if (unit >= 0xD800 && unit <= 0xDBFF) {          /* the first half of a pair needs its partner [MSG-23] */
            if (end - p < 6 || p[0] != '\\' || p[1] != 'u') return NULL;
            unit = read_hex4(p + 2, end);
            if (unit < 0xDC00 || unit > 0xDFFF) return NULL;
            p += 6;
        }
    }
    return p && p < end ? p + 1 : NULL;
}

static const char *scan_digits(const char *p, const char *end)
{
    const char *start = p;
    while (p && p < end && *p >= '0' && *p <= '9') p++;
    return p == start ? NULL : p;
}

static const char *scan_number(const char *p, const char *end)
{
    if (p < end && *p == '-') p++;
    p = p < end && *p == '0' ? p + 1 : scan_digits(p, end);
    if (p && p < end && *p == '.') p = scan_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-')) p++;
        p = scan_digits(p, end);
    }
    return p;
}

static const char *scan_word(const char *p, const char *end, const char *word)
{
    size_t size = strlen(word);
    return (size_t)(end - p) >= size && memcmp(p, word, size) == 0 ? p + size : NULL;
}

/* `depth` counts the arrays and objects around this value; the limit keeps the recursion shallow [MSG-24]. */
static const char *scan_value(const char *p, const char *end, int depth)
{
    if (!p || p == end) return NULL;
    switch (*p) {
    case '"': return scan_string(p, end);
    case 't': return scan_word(p, end, "true");
    case 'f': return scan_word(p, end, "false");
    case 'n': return scan_word(p, end, "null");
    case '[': case '{': break;
    default: return scan_number(p, end);
    }
    char closing = *p == '{' ? '}' : ']';
    if (depth == max_depth) return NULL;
    p = skip_blanks(p + 1, end);
    if (p < end && *p == closing) return p + 1;
    for (;;) {
        if (closing == '}') {
            p = skip_blanks(scan_string(p, end), end);
            if (!p || p == end || *p != ':') return NULL;
            p = skip_blanks(p + 1, end);
        }
        p = skip_blanks(scan_value(p, end, depth + 1), end);
        if (!p || p == end) return NULL;
        if (*p == closing) return p + 1;
        if (*p != ',') return NULL;
        p = skip_blanks(p + 1, end);
    }
}

/* From here on pieces were scanned before, so nothing can be wrong with them any more. */

static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) { *out++ = (char)c; return out; }
    if (c < 0x800) *out++ = (char)(0xC0 | c >> 6);
    else {
        if (c < 0x10000) *out++ = (char)(0xE0 | c >> 12);
        else { *out++ = (char)(0xF0 | c >> 18); *out++ = (char)(0x80 | (c >> 12 & 0x3F)); }
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *out++ = (char)(0x80 | (c & 0x3F));
    return out;
}

/* The bytes of a string without its quotes and escapes, never more than it had with them. To be freed by the caller. */
static char *unescape(struct piece string, size_t *size)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *p = string.at + 1, *end = string.at + string.size - 1;
    char *text = malloc(string.size), *out = text;
    if (!text) lose_boundary("there is no memory for a string");
    while (p < end) {
        if (*p != '\\') { *out++ = *p++; continue; }
        if (p[1] == 'u') {
            unsigned c = (unsigned)read_hex4(p + 2, end);
            p += 6;
            if (c >= 0xD800 && c <= 0xDBFF) {
                c = 0x10000 + ((c - 0xD800) << 10) + ((unsigned)read_hex4(p + 2, end) - 0xDC00);
                p += 6;
            }
            out = put_utf8(out, c);
        } else {
            const char *letter = strchr(letters, p[1]);
            *out++ = letter ? meanings[letter - letters] : p[1];
            p += 2;
        }
    }
    *size = (size_t)(out - text);
    return text;
}

static bool equals(struct piece value, const char *wanted)
{
    size_t size;
    if (!value.at || *value.at != '"') return false;
    char *text = unescape(value, &size);
    bool same = size == strlen(wanted) && memcmp(text, wanted, size) == 0;
    free(text);
    return same;
}

/* Names are compared after unescaping, byte by byte [MSG-08]. The search never stops early: the last one counts
 * [MSG-09]. */
static struct piece member(struct piece object, const char *name)
{
    struct piece found = { NULL, 0 };
    if (!object.at || *object.at != '{') return found;
    const char *end = object.at + object.size, *p = skip_blanks(object.at + 1, end);
    while (*p != '}') {
        struct piece key = { p, (size_t)(scan_string(p, end) - p) };
        p = skip_blanks(skip_blanks(p + key.size, end) + 1, end);              /* the 1 is the colon */
        struct piece value = { p, (size_t)(scan_value(p, end, 0) - p) };
        if (equals(key, name)) found = value;
        p = skip_blanks(p + value.size, end);
        if (*p == ',') p = skip_blanks(p + 1, end);
    }
    return found;
}

/* 1.0 and 1e0 are no integers here: the text decides, not the value [MSG-11]. */
static bool read_integer(struct piece value, long long *number)
{
    if (!value.at || value.size > 17) return false;
    const char *end = value.at + value.size, *p = *value.at == '-' ? value.at + 1 : value.at;
    for (*number = 0; p < end; p++) {
        if (*p < '0' || *p > '9') return false;
        *number = *number * 10 + (*p - '0');
    }
    if (*value.at == '-') *number = -*number;
    return *number >= -MAX_INTEGER && *number <= MAX_INTEGER;
}

static bool is_id(struct piece value)
{
    long long ignored;
    if (*value.at != '"') return read_integer(value, &ignored);
    size_t size, characters = 0;
    char *text = unescape(value, &size);
    for (size_t i = 0; i < size; i++) characters += ((unsigned char)text[i] & 0xC0) != 0x80;
    free(text);
    return characters <= 128;
}

/* ---- The conversation -------------------------------------------------------------------------------------------- */
/* What the plugin itself defines. */

static bool receive_call(struct piece id, struct piece method, struct piece params);     /* false: no method of ours */
static void receive_response(struct piece id, struct piece result, struct piece error);  /* to a call of ours */
static void receive_shutdown(struct piece id);        /* answered with null when nothing is in flight [LIF-13] */

/* ERR-05: says which path was wrong. The first wrong one will do. */
static void refuse_params(struct piece id, const char *path, const char *expected)
{
    char data[256];
    snprintf(data, sizeof data, "{\"problems\":[{\"path\":\"%s\",\"message\":\"expected %s\"}]}", path, expected);
    send_error(id, INVALID_PARAMS, "the params do not fit the method", data);
}

/* Tells the major version from a `protocolVersion`; -1 if it is none. */
static long long read_major(struct piece value)
{
    if (!value.at || *value.at != '"') return -1;
    size_t size;
    char *text = unescape(value, &size);
    const char *end = text + size, *dot = scan_digits(text, end);
    const char *after = dot && dot < end && *dot == '.' ? scan_digits(dot + 1, end) : NULL;
    long long major = -1;
    if (after == end && dot - text <= 5 && after - dot <= 6                     /* 5 digits each, no leading zeros */
        && (text[0] != '0' || dot == text + 1) && (dot[1] != '0' || after == dot + 2))
        read_integer((struct piece){ text, (size_t)(dot - text) }, &major);
    free(text);
    return major;
}

static void answer_initialize(struct piece id, struct piece params)
{
    if (state != CREATED) { send_error(id, INVALID_REQUEST, "initialize was sent before", NULL); return; }  /* LIF-01 */
    long long major = read_major(member(params, "protocolVersion")), frame, depth;
    if (major < 0) { refuse_params(id, "$.protocolVersion", "two numbers like 1.0 in a string"); return; }
    if (major != 1) {                                                          /* LIF-05; minor ones differ freely */
        send_error(id, UNSUPPORTED_VERSION, "this plugin speaks version 1", "{\"supported\":[\"1.0\"]}");
        return;
    }
    struct piece limits = member(params, "limits");
    if (!limits.at || *limits.at != '{') { refuse_params(id, "$.limits", "an object"); return; }
    if (!read_integer(member(limits, "maxFrameBytes"), &frame) || frame < 4096 || frame > 1073741824) {
        refuse_params(id, "$.limits.maxFrameBytes", "an integer from 4096 to 1073741824");
        return;
    }
    if (!read_integer(member(limits, "maxDepth"), &depth) || depth < 16 || depth > 512) {
        refuse_params(id, "$.limits.maxDepth", "an integer from 16 to 512");
        return;
    }
    max_frame = frame;
    max_depth = depth;
    state = INITIALIZING;
    send_result(id, "{\"protocolVersion\":\"1.0\",\"plugin\":{\"name\":\"" PLUGIN_NAME "\",\"version\":\"1.0.0\"},"
                    PLUGIN_CAPABILITIES "\"provides\":[{\"service\":\"" PLUGIN_NAME "\",\"version\":\"1.0.0\","
                    "\"methods\":" PLUGIN_METHODS "}]}");
}

static void receive_request(struct piece id, struct piece method, struct piece params)
{
    if (equals(method, "ping")) send_result(id, "null");                       /* in every state [LIF-18] */
    else if (equals(method, "initialize")) answer_initialize(id, params);
    else if (state != READY) send_error(id, NOT_INITIALIZED, "the connection is not ready", NULL);   /* LIF-01 */
    else if (equals(method, "shutdown")) { state = STOPPING; receive_shutdown(id); }
    else if (!receive_call(id, method, params))
        send_error(id, METHOD_NOT_FOUND, "there is no such method", NULL);                          /* CAL-06 */
}

static int exit_code(void) { return state == STOPPING ? 0 : 1; }               /* LIF-15, LIF-16 */

/* Others are ignored. $/cancelRequest is one of them: what is in flight is answered soon anyway [CAL-20, CAL-21]. */
static void receive_notification(struct piece method)
{
    if (equals(method, "initialized") && state == INITIALIZING) state = READY;
    if (equals(method, "exit")) exit(exit_code());
}

static void receive_body(const char *body, size_t size)
{
    const char *end = body + size, *start = skip_blanks(body, end);
    const char *after = scan_value(start, end, 0);
    if (!after || skip_blanks(after, end) != end) {                            /* MSG-26; and on we go [FRM-11] */
        send_error(null_id, PARSE_ERROR, "the body is not JSON", NULL);
        return;
    }
    struct piece message = { start, (size_t)(after - start) };
    struct piece id = member(message, "id"), method = member(message, "method"), params = member(message, "params");
    bool id_fits = id.at && is_id(id);
    struct piece result = member(message, "result"), error = member(message, "error");
    if (!method.at && (result.at || error.at)) { receive_response(id, result, error); return; }
    if (*start != '{' || !equals(member(message, "jsonrpc"), "2.0")            /* MSG-10, MSG-01 */
        || !method.at || *method.at != '"' || method.size == 2                 /* MSG-02; 2 is the quotes alone */
        || (params.at && *params.at != '{') || (id.at && !id_fits))            /* MSG-03, MSG-11 */
        send_error(id_fits ? id : null_id, INVALID_REQUEST, "the body is no valid message", NULL);   /* MSG-27 */
    else if (id.at) receive_request(id, method, params);
    else receive_notification(method);
}

int main(void)
{
    size_t size;
    char *body;
    while ((body = read_frame(&size)) != NULL) {
        receive_body(body, size);
        free(body);
    }
    return exit_code();
}
