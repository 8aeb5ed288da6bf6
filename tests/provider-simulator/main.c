/*
 * provider-simulator: imitates Modash and Clay for tests and for a stack without keys.
 * See README.md beside this file.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "parking.h"
#include "server.h"

enum { EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69, KEY_MAX = 256 };

struct options {
    char address[64];
    uint16_t port;
    char modash_key[KEY_MAX];
    char clay_key[KEY_MAX];
    uint32_t creators;
    uint64_t seed;
    int64_t credits_milli;
};

static const char usage[] =
    "usage: provider-simulator [options]\n"
    "  --listen ADDRESS:PORT   IPv4 address; port 0 picks a free one (default 0.0.0.0:8080)\n"
    "  --modash-key KEY        key clients must send (default modash-test-key)\n"
    "  --modash-key-file PATH  the same, first line of a file\n"
    "  --clay-key KEY          key clients must send (default clay-test-key)\n"
    "  --clay-key-file PATH    the same, first line of a file\n"
    "  --creators N            on each platform, 1..1000000 (default 20000)\n"
    "  --seed N                another population (default 1)\n"
    "  --credits N             Modash credits at the start, up to 3 decimals (default 100000)\n"
    "  --help\n";

static struct parking *signal_parking; /* what the signal handler stops */

static void on_signal(int number)
{
    (void)number;
    parking_stop(signal_parking);
}

static bool read_listen(const char *text, struct options *options)
{
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long port;

    if (colon == NULL || colon[1] < '0' || colon[1] > '9' ||
        (size_t)(colon - text) >= sizeof options->address) {
        return false;
    }
    port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || port > 65535) {
        return false;
    }
    snprintf(options->address, sizeof options->address, "%.*s", (int)(colon - text), text);
    options->port = (uint16_t)port;
    return true;
}

static bool read_key(const char *text, char key[KEY_MAX])
{
    size_t length = strcspn(text, "\r\n");

    if (length == 0 || length >= KEY_MAX) {
        return false;
    }
    memcpy(key, text, length);
    key[length] = '\0';
    return true;
}

static bool read_key_file(const char *path, char key[KEY_MAX])
{
    char line[KEY_MAX + 2];
    FILE *file = fopen(path, "r");
    bool read = file != NULL && fgets(line, sizeof line, file) != NULL;

    if (file != NULL) {
        fclose(file);
    }
    return read && read_key(line, key);
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *end;

    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

/* "12.5" -> 12500, without floating point. */
static bool read_credits(const char *text, int64_t *milli)
{
    char *end;
    long long whole;
    long long part = 0;
    int digits = 0;

    if (*text < '0' || *text > '9' || strlen(text) > 16) {
        return false;
    }
    whole = strtoll(text, &end, 10);
    if (*end == '.') {
        for (end++; *end >= '0' && *end <= '9' && digits < 3; end++, digits++) {
            part = part * 10 + (*end - '0');
        }
    }
    for (; digits < 3; digits++) {
        part *= 10;
    }
    if (*end != '\0' || whole > 1000000000000) {
        return false;
    }
    *milli = whole * 1000 + part;
    return true;
}

enum flag {
    LISTEN = 1,
    MODASH_KEY,
    MODASH_KEY_FILE,
    CLAY_KEY,
    CLAY_KEY_FILE,
    CREATORS,
    SEED,
    CREDITS,
    HELP,
};

static const struct option flags[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"modash-key", required_argument, NULL, MODASH_KEY},
    {"modash-key-file", required_argument, NULL, MODASH_KEY_FILE},
    {"clay-key", required_argument, NULL, CLAY_KEY},
    {"clay-key-file", required_argument, NULL, CLAY_KEY_FILE},
    {"creators", required_argument, NULL, CREATORS},
    {"seed", required_argument, NULL, SEED},
    {"credits", required_argument, NULL, CREDITS},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static bool read_option(enum flag flag, const char *value, struct options *options)
{
    uint64_t number = 0;

    switch (flag) {
    case LISTEN:
        return read_listen(value, options);
    case MODASH_KEY:
        return read_key(value, options->modash_key);
    case MODASH_KEY_FILE:
        return read_key_file(value, options->modash_key);
    case CLAY_KEY:
        return read_key(value, options->clay_key);
    case CLAY_KEY_FILE:
        return read_key_file(value, options->clay_key);
    case CREATORS:
        if (!read_number(value, 1, POPULATION_MAX, &number)) {
            return false;
        }
        options->creators = (uint32_t)number;
        return true;
    case SEED:
        return read_number(value, 0, UINT64_MAX, &options->seed);
    case CREDITS:
        return read_credits(value, &options->credits_milli);
    case HELP:
        break;
    }
    return false;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    int flag;
    int row = 0;

    while ((flag = getopt_long(argc, argv, "", flags, &row)) != -1) {
        if (flag == HELP) {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (flag == '?') {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
        if (!read_option((enum flag)flag, optarg, options)) {
            fprintf(stderr, "provider-simulator: bad value for --%s\n", flags[row].name);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "provider-simulator: unexpected argument '%s'\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

/* Two thousand connections need more descriptors than a shell usually grants. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void catch_signals(struct parking *parking)
{
    struct sigaction stop = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    signal_parking = parking;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

int main(int argc, char **argv)
{
    struct options options = {
        .address = "0.0.0.0",
        .port = 8080,
        .modash_key = "modash-test-key",
        .clay_key = "clay-test-key",
        .creators = 20000,
        .seed = 1,
        .credits_milli = INT64_C(100000000),
    };
    struct simulator simulator = {0};
    struct server *server;
    int status = read_options(argc, argv, &options);

    if (status >= 0) {
        return status;
    }
    raise_descriptor_limit();
    simulator.population = population_new(options.seed, options.creators);
    simulator.counts = counts_new();
    simulator.clay = clay_new();
    simulator.parking = parking_new();
    simulator.modash_key = options.modash_key;
    simulator.clay_key = options.clay_key;
    simulator.credits_milli_start = simulator.credits_milli = options.credits_milli;
    catch_signals(simulator.parking);

    server = server_start(&simulator, options.address, options.port);
    if (server == NULL) {
        fprintf(stderr, "provider-simulator: cannot listen on %s:%u: %s\n", options.address,
                options.port, strerror(errno));
        status = EXIT_UNAVAILABLE;
    } else {
        printf("provider-simulator: listening on %s:%u, %" PRIu32 " creators a platform\n",
               options.address, server_port(server), options.creators);
        fflush(stdout);
        parking_run(simulator.parking);
        server_stop(server);
        status = EXIT_SUCCESS;
    }
    parking_free(simulator.parking);
    clay_free(simulator.clay);
    counts_free(simulator.counts);
    population_free(simulator.population);
    return status;
}
