/* An agent that can outrun any client: what it says is built beforehand and written a pipe's length at a time.
 *
 * A prompt is an order of up to five words:
 *   stream COUNT SIZE RATE KIND   COUNT notifications of SIZE bytes of text, RATE a second (0: as fast as they are
 *                                 read), then the text "END" and the answer; KIND is text, mixed or stamped: text, and
 *                                 before END when the prompt was read and when this is said (monotonic ns), and who we are
 *   silent                        one chunk, a tool that runs, and then nothing, until it is cancelled
 *   orphan                        the same, with a grandchild that keeps stdout open for five seconds
 * It leaves when its stdin ends. agent.py does the same where there is no compiler.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536
#define UPDATE "{\"jsonrpc\":\"2.0\",\"method\":\"session/update\",\"params\":{\"sessionId\":\"s\",\"update\":{"
#define CHUNK "\"sessionUpdate\":\"agent_%s_chunk\",\"content\":{\"type\":\"text\",\"text\":\""

static char in[1 << 20];
static size_t have;
static int64_t heard; /* when the prompt was read */

static void say(const char *data, size_t size)
{
    while (size) {
        ssize_t n = write(1, data, size);
        if (n <= 0)
            exit(0);
        data += n, size -= (size_t)n;
    }
}

static void say_text(const char *text) { say(text, strlen(text)); }

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Wait up to `ms` for our stdin (-1: for ever); return whether the turn was cancelled meanwhile. */
static int cancelled(int ms)
{
    struct pollfd fd = {.fd = 0, .events = POLLIN};
    if (poll(&fd, 1, ms) <= 0)
        return 0;
    ssize_t n = read(0, in + have, sizeof in - 1 - have);
    if (n <= 0)
        exit(0);
    have += (size_t)n;
    in[have] = 0;
    if (!strstr(in, "session/cancel"))
        return 0;
    have = 0;
    return 1;
}

/* Write notification number `i` to `to`; return its length. */
static size_t build(char *to, long i, long size, int mixed)
{
    static const char *kinds[] = {"message", "message", "message", "message", "thought", "thought", "message"};
    char *p = to;
    p += sprintf(p, UPDATE);
    if (mixed && i % 10 == 7)
        p += sprintf(p, "\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"t%ld\",\"kind\":\"read\",\"status\":\"pending\""
                        ",\"title\":\"Reading\"}}}\n", i / 10);
    else if (mixed && i % 10 > 7)
        p += sprintf(p, "\"sessionUpdate\":\"tool_call_update\",\"toolCallId\":\"t%ld\",\"status\":\"%s\"}}}\n", i / 10,
                     i % 10 == 8 ? "in_progress" : "completed");
    else {
        p += sprintf(p, CHUNK, mixed ? kinds[i % 10] : "message");
        for (long k = 0; k < size; k++)
            *p++ = "word "[k % 5];
        p += sprintf(p, "\"}}}}\n");
    }
    return (size_t)(p - to);
}

/* Return whether the turn was cancelled. */
static int stream(long count, long size, long rate, int mixed)
{
    long lines = BLOCK / (size + 160) / 10 * 10;
    if (lines < 10)
        lines = 10;
    if (lines > count)
        lines = count;
    char *block = malloc((size_t)lines * (size_t)(size + 512));
    size_t *ends = malloc((size_t)(lines + 1) * sizeof *ends);
    ends[0] = 0;
    for (long i = 0; i < lines; i++)
        ends[i + 1] = ends[i] + build(block + ends[i], i, size, mixed);
    int stopped = 0;
    int64_t begin = now();
    for (long done = 0; done < count && !stopped;) {
        if (rate) {
            int64_t due = begin + done * 1000000000LL / rate, left = due - now();
            struct timespec rest = {.tv_sec = left / 1000000000LL, .tv_nsec = left % 1000000000LL};
            if (left > 0)
                nanosleep(&rest, NULL);
            say(block + ends[done % lines], ends[done % lines + 1] - ends[done % lines]);
            done++;
        } else {
            long some = count - done < lines ? count - done : lines;
            say(block, ends[some]);
            done += some;
        }
        stopped = cancelled(0);
    }
    free(block);
    free(ends);
    return stopped;
}

static int hang(int with_orphan)
{
    if (with_orphan && fork() == 0) {
        close(0);
        close(2);
        sleep(5);
        _exit(0);
    }
    say_text(UPDATE "\"sessionUpdate\":\"agent_message_chunk\",\"content\":{\"type\":\"text\",\"text\":\"x\"}}}}\n"
             UPDATE "\"sessionUpdate\":\"tool_call\",\"toolCallId\":\"t\",\"title\":\"Building\",\"kind\":\"execute\","
             "\"status\":\"in_progress\"}}}\n");
    while (!cancelled(-1))
        ;
    return 1;
}

static void say_end(int stamped)
{
    char stamp[80] = "", text[512];
    if (stamped)
        sprintf(stamp, " STAMP %lld %lld %d ", (long long)heard, (long long)now(), (int)getpid());
    sprintf(text, UPDATE CHUNK "%sEND\"}}}}\n", "message", stamp);
    say_text(text);
}

/* Return whether the prompt's turn was cancelled. The order is a block of its own, maybe behind others. */
static int obey(const char *line)
{
    const char *order = line;
    while ((order = strstr(order, "\"stream ")) && order > line && order[-1] == '\\') /* quoted by another block */
        order++;
    long count, size, rate;
    char kind[16] = "";
    if (order && sscanf(order, "\"stream %ld %ld %ld %15[a-z]", &count, &size, &rate, kind) == 4) {
        int stopped = count > 0 && stream(count, size, rate, kind[0] == 'm');
        say_end(kind[0] == 's');
        return stopped;
    }
    return hang(strstr(line, "\"orphan") != NULL);
}

static void answer(const char *id, const char *result)
{
    char text[512];
    id += 4 + strspn(id + 4, ": ");
    sprintf(text, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n", (int)strcspn(id, ",} "), id, result);
    say_text(text);
}

static void take(const char *line)
{
    const char *id = strstr(line, "\"id\"");
    char name[64];
    if (!id)
        return;
    snprintf(name, sizeof name, "%s", id); /* the line is gone when the turn has ended */
    if (strstr(line, "\"initialize\""))
        answer(name, "{\"protocolVersion\":1,\"agentCapabilities\":{},\"authMethods\":[]}");
    else if (strstr(line, "\"session/new\""))
        answer(name, "{\"sessionId\":\"s\"}");
    else if (strstr(line, "\"session/prompt\"") && (heard = now()))
        answer(name, obey(line) ? "{\"stopReason\":\"cancelled\"}" : "{\"stopReason\":\"end_turn\"}");
    else
        answer(name, "null");
}

int main(void)
{
    static char line[sizeof in];
    for (;;) {
        char *end = memchr(in, '\n', have);
        if (end) {
            size_t size = (size_t)(end - in);
            memcpy(line, in, size);
            line[size] = 0;
            have -= size + 1;
            memmove(in, end + 1, have);
            take(line);
        } else {
            cancelled(-1); /* reads; outside of a turn there is nothing to cancel */
        }
    }
}
