// SPDX-License-Identifier: Apache-2.0
// Users of Socket.IO by the thousand in one process: the load of bench/sockets.py.
//
//     load PORT USERS CONTACTS
//
// CONTACTS 0 is a star: everybody is a contact of user 0, and nobody of anybody else. Any other number is a ring: each has
// half as many contacts on either side. Contacts are mutual. Commands come as lines on stdin, and each is answered
// with a line of JSON on stdout:
//
//     open AT_ONCE                connect all, so many on their way at once; ready when their own presence was answered
//     toggle COUNT AT_ONCE        change a status that often, so many under way: in a star user 0's, in a ring one user's
//                                 after the other. Every contact must hear every change, once, in order
//     vanish                      break all connections but user 0's, without a word
//     offline COUNT SECONDS       wait until user 0 has heard of so many that they are offline
//     wait SECONDS                only answer pings
//
// Every answer has "lost", connections that the server ended, and "bad", what was heard and should not have been.
// Connections come from many addresses of the loopback, so that a server may limit what one address may take.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 64         // most toggles of one user under way
#define OF_ADDRESS 900    // connections from one address
#define STDIN_MARK UINT32_MAX
#define PATIENCE 120.0    // seconds for any command that has none of its own

enum stage { NONE, CONNECTING, UPGRADING, OPENING, ENTERING, ASKING, READY };

struct user {
    int fd;
    enum stage stage;
    char *rest;           // the beginning of a frame whose end has not come
    size_t rest_len;
    uint32_t toggles;     // of this user so far
    uint32_t done;        // of these, heard by all contacts
    double at[WINDOW];    // when each was sent
    uint32_t heard_by[WINDOW];
    uint32_t *seen;       // toggles heard of each source
    char offline;         // user 0 has heard that this one is
};

static const char *STATUS[2] = {"away", "busy"};  // toggle n of a user is STATUS[n % 2]
static struct user *users;
static int port, count, contacts, poller;
static uint64_t ready, delivered, finished, lost, bad, offline, vanished;
static float *delays;
static uint64_t delays_len, delays_cap;
static char input[1 << 20];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void say(struct user *u, const char *text) {
    unsigned char frame[256], mask[4] = {1, 2, 3, 4};
    size_t len = strlen(text);
    frame[0] = 0x81;
    frame[1] = 0x80 | len;  // all that we say is short
    memcpy(frame + 2, mask, 4);
    for (size_t i = 0; i < len; i++) frame[6 + i] = text[i] ^ mask[i & 3];
    if (send(u->fd, frame, 6 + len, MSG_NOSIGNAL) != (ssize_t)(6 + len)) lost++;
}

// --- who hears of whom

static int needed(void) { return contacts ? contacts : count - 1; }

static uint32_t *seen_of(int listener, int source) {
    if (!contacts) return source == 0 ? users[listener].seen : NULL;
    int half = contacts / 2, after = (listener - source + count) % count, before = (source - listener + count) % count;
    if (after >= 1 && after <= half) return users[listener].seen + after - 1;
    return before >= 1 && before <= half ? users[listener].seen + half + before - 1 : NULL;
}

static void updated(int listener, int source, const char *status, double t) {
    if (!strncmp(status, "offline", 7)) {
        if (listener == 0 && !users[source].offline) users[source].offline = 1, offline++;
        return;
    }
    if (strncmp(status, STATUS[0], 4) && strncmp(status, STATUS[1], 4)) return;  // online, on entry
    if (listener == source) return;  // some servers tell a user's own devices too
    struct user *u = &users[source];
    uint32_t *seen = seen_of(listener, source);
    if (!seen || *seen >= u->toggles || strncmp(status, STATUS[*seen % 2], 4)) {
        bad++;
        return;
    }
    int slot = (*seen)++ % WINDOW;
    delivered++;
    if (delays_len < delays_cap) delays[delays_len++] = t - u->at[slot];
    if (++u->heard_by[slot] == (uint32_t)needed()) u->heard_by[slot] = 0, u->done++, finished++;
}

// --- the protocols, as far as they are needed

static void message(int id, const char *text, size_t len, double t) {
    struct user *u = &users[id];
    char own[32], told[96];
    if (len == 1 && *text == '2') {
        say(u, "3");
    } else if (u->stage == OPENING && *text == '0') {
        u->stage = ENTERING;
        say(u, "40");
    } else if (u->stage == ENTERING && len > 2 && !memcmp(text, "40", 2)) {
        u->stage = ASKING;
        snprintf(told, sizeof told, "42[\"user_authenticated\",%d]", id);
        say(u, told);
        snprintf(told, sizeof told, "42[\"get_presence\",[%d]]", id);
        say(u, told);
    } else if (len > 20 && !memcmp(text, "42[\"presence_updated\"", 21)) {
        const char *who = memmem(text, len, "\"user_id\":", 10), *status = memmem(text, len, "\"status\":\"", 10);
        int source = who ? atoi(who + 10) : -1;
        if (source < 0 || source >= count || !status) bad++;
        else updated(id, source, status + 10, t);
    } else if (u->stage == ASKING && len > 18 && !memcmp(text, "42[\"presence_info\"", 18)) {
        snprintf(own, sizeof own, "\"user_id\":%d,", id);  // the snapshot on entry has contacts only
        if (memmem(text, len, own, strlen(own))) u->stage = READY, ready++;
    } else if (len > 11 && !memcmp(text, "42[\"error\"", 10)) {
        if (!bad++) fprintf(stderr, "load: user %d: %.*s\n", id, (int)len, text);
    }
}

static void gone(int id) {
    struct user *u = &users[id];
    if (u->fd < 0) return;
    if (!lost++) fprintf(stderr, "load: user %d is lost in stage %d\n", id, u->stage);
    close(u->fd);
    u->fd = -1;
}

static size_t consume(int id, const char *data, size_t len, double t) {
    struct user *u = &users[id];
    size_t at = 0;
    if (u->stage == UPGRADING) {
        const char *end = memmem(data, len, "\r\n\r\n", 4);
        if (!end) return 0;
        if (len < 12 || memcmp(data + 9, "101", 3)) {
            fprintf(stderr, "load: refused: %.80s\n", data);
            exit(3);
        }
        u->stage = OPENING;
        at = end + 4 - data;
    }
    while (u->fd >= 0 && len - at >= 2) {
        const unsigned char *head = (const unsigned char *)data + at;
        size_t size = head[1] & 127, skip = 2;
        if (size == 126) {
            if (len - at < 4) break;
            size = head[2] << 8 | head[3], skip = 4;
        } else if (size == 127) {
            if (len - at < 10) break;
            size = (size_t)head[6] << 24 | head[7] << 16 | head[8] << 8 | head[9], skip = 10;
        }
        if (len - at < skip + size) break;
        if ((head[0] & 15) == 1) message(id, data + at + skip, size, t);
        else if ((head[0] & 15) == 8) gone(id);
        at += skip + size;
    }
    return at;
}

static void receive(int id) {
    struct user *u = &users[id];
    if (u->fd < 0) return;
    memcpy(input, u->rest, u->rest_len);
    ssize_t got = recv(u->fd, input + u->rest_len, sizeof input - u->rest_len, 0);
    if (got <= 0) {
        if (!got || errno != EAGAIN) gone(id);
        return;
    }
    size_t len = u->rest_len + got, used = consume(id, input, len, now());
    u->rest_len = len - used;
    u->rest = realloc(u->rest, u->rest_len);
    if (u->rest_len) memcpy(u->rest, input + used, u->rest_len);
}

static void dial(int id) {
    struct user *u = &users[id];
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int yes = 1;
    from.sin_addr.s_addr = htonl(0x7f000001 + id / OF_ADDRESS);
    to.sin_addr.s_addr = htonl(0x7f000001);
    u->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (u->fd < 0) die("socket");
    setsockopt(u->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(u->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct linger at_once = {1, 0};  // closing it is a reset, and no port is left waiting
    setsockopt(u->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (bind(u->fd, (void *)&from, sizeof from)) die("bind");
    if (connect(u->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) die("connect");
    struct epoll_event wish = {.events = EPOLLOUT, .data.u32 = id};
    epoll_ctl(poller, EPOLL_CTL_ADD, u->fd, &wish);
    u->stage = CONNECTING;
}

static void connected(int id) {
    struct user *u = &users[id];
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        errno = error;
        die("connect");
    }
    char request[256];
    int size = snprintf(request, sizeof request,
                        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", port);
    if (send(u->fd, request, size, MSG_NOSIGNAL) != size) die("send");
    struct epoll_event wish = {.events = EPOLLIN, .data.u32 = id};
    epoll_ctl(poller, EPOLL_CTL_MOD, u->fd, &wish);
    u->stage = UPGRADING;
}

// Serve connections for a moment; returns whether a command waits.
static int serve(int milliseconds) {
    struct epoll_event events[1024];
    int command = 0, found = epoll_wait(poller, events, 1024, milliseconds);
    for (int i = 0; i < found; i++) {
        uint32_t id = events[i].data.u32;
        if (id == STDIN_MARK) command = 1;
        else if (users[id].stage == CONNECTING) connected(id);
        else receive(id);
    }
    return command;
}

// --- commands

static void forget_delays(uint64_t most) {
    delays_len = 0, delays_cap = most;
    delays = realloc(delays, (most + 1) * sizeof *delays);
}

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double percentile(double part) { return delays_len ? delays[(uint64_t)((delays_len - 1) * part)] * 1e3 : 0; }

static void answer(const char *more) {
    printf("{\"lost\": %lu, \"bad\": %lu%s}\n", lost, bad, more);
    fflush(stdout);
}

static void open_all(int at_once) {
    double began = now();
    for (int opened = 0; ready < (uint64_t)count && now() - began < PATIENCE && !lost;) {
        while (opened < count && opened - (int)ready < at_once) dial(opened++);
        serve(50);
    }
    char more[96];
    snprintf(more, sizeof more, ", \"ready\": %lu, \"seconds\": %.4f", ready, now() - began);
    answer(more);
}

static void toggle(int id) {
    struct user *u = &users[id];
    char told[64];
    snprintf(told, sizeof told, "42[\"update_status\",\"%s\"]", STATUS[u->toggles % 2]);
    u->at[u->toggles++ % WINDOW] = now();
    say(u, told);
}

static void toggle_all(uint64_t goal, uint64_t at_once) {
    static int next;
    uint64_t sent = 0, before = delivered;
    finished = 0;
    forget_delays(goal * needed());
    double began = now();
    while (finished < goal && now() - began < PATIENCE && !lost) {
        while (sent < goal && sent - finished < at_once) {
            while (contacts && users[next].toggles != users[next].done) next = (next + 1) % count;
            toggle(contacts ? next : 0);
            if (contacts) next = (next + 7) % count;
            sent++;
        }
        serve(50);
    }
    double seconds = now() - began;
    qsort(delays, delays_len, sizeof *delays, by_size);
    char more[192];
    snprintf(more, sizeof more, ", \"messages\": %lu, \"seconds\": %.4f, \"p50\": %.4f, \"p99\": %.4f", delivered - before,
             seconds, percentile(.5), percentile(.99));
    answer(more);
}

static void vanish(void) {
    for (int id = 1; id < count; id++) {
        if (users[id].fd < 0) continue;
        close(users[id].fd);
        users[id].fd = -1;
        vanished++;
    }
    char more[48];
    snprintf(more, sizeof more, ", \"vanished\": %lu", vanished);
    answer(more);
}

static void await_offline(uint64_t goal, double seconds) {
    double began = now();
    while (offline < goal && now() - began < seconds) serve(50);
    char more[64];
    snprintf(more, sizeof more, ", \"offline\": %lu, \"seconds\": %.4f", offline, now() - began);
    answer(more);
}

static void rest(double seconds) {
    for (double end = now() + seconds; now() < end;) serve(50);
    answer("");
}

int main(int argc, char **argv) {
    if (argc != 4) return 1;
    port = atoi(argv[1]), count = atoi(argv[2]), contacts = atoi(argv[3]);
    if (contacts % 2 || contacts >= count || count < 2) return 1;
    users = calloc(count, sizeof *users);
    poller = epoll_create1(0);
    for (int id = 0; id < count; id++) {
        users[id].fd = -1;
        users[id].seen = calloc(contacts ? contacts : 1, sizeof *users[id].seen);
    }
    struct epoll_event wish = {.events = EPOLLIN, .data.u32 = STDIN_MARK};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &wish)) die("stdin");
    char line[128];
    unsigned long a, b;
    double seconds;
    setvbuf(stdin, NULL, _IONBF, 0);  // what is read must not hide from epoll
    while (1) {
        while (!serve(-1)) {}
        if (!fgets(line, sizeof line, stdin)) return 0;
        if (sscanf(line, "open %lu", &a) == 1) open_all(a);
        else if (sscanf(line, "toggle %lu %lu", &a, &b) == 2) toggle_all(a, b);
        else if (sscanf(line, "offline %lu %lf", &a, &seconds) == 2) await_offline(a, seconds);
        else if (sscanf(line, "wait %lf", &seconds) == 1) rest(seconds);
        else if (!strcmp(line, "vanish\n")) vanish();
        else return 1;
    }
}
