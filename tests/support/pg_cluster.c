#include "support/pg_cluster.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/parse.h"

#define ROLES    4
#define START_MS 60000
#define POLL_MS  10

struct pg_cluster {
    char *programs; /* folder of initdb and postgres */
    char *home;
    char *urls[ROLES];
    pid_t server;
};

static const char *const ROLE_NAMES[ROLES] = {"owner", "runtime", "reader", "postgres"};

static void fail(const char *what, const char *detail)
{
    (void)fprintf(stderr, "pg_cluster: %s: %s\n", what, detail);
    exit(1);
}

/* ---- programs ---- */

/* Become who may run Postgres, in the child. */
static void drop_root(void)
{
    if (getuid() != 0)
        return;
    const struct passwd *user = getpwnam("postgres");
    if (user == NULL || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(126);
}

static void redirect(const char *log)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(125);
}

/* Run a program, output to the cluster's log; true when it ends with 0. */
static bool run(struct pg_cluster *cluster, bool as_postgres, char *const argv[])
{
    char *log = mem_printf("%s/log", cluster->home);
    pid_t child = fork();
    if (child < 0)
        fail("fork", strerror(errno));
    if (child == 0) {
        redirect(log);
        if (as_postgres) {
            drop_root();
            if (chdir("/") != 0)
                _exit(124);
        }
        execv(argv[0], argv);
        _exit(127);
    }
    mem_free(log);
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid", strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void show_log(struct pg_cluster *cluster)
{
    char line[512];
    char *path = mem_printf("%s/log", cluster->home);
    FILE *log = fopen(path, "r");
    mem_free(path);
    while (log != NULL && fgets(line, sizeof line, log) != NULL)
        (void)fputs(line, stderr);
    if (log != NULL)
        (void)fclose(log);
}

static void must_run(struct pg_cluster *cluster, bool as_postgres, char *const argv[])
{
    if (run(cluster, as_postgres, argv))
        return;
    show_log(cluster);
    fail("failed", argv[0]);
}

/* The newest Postgres that is installed. */
static char *find_programs(void)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        fail("no Postgres under", "/usr/lib/postgresql");
    const char *last = found.gl_pathv[found.gl_pathc - 1];
    char *folder = mem_strdup(last);
    folder[strlen(last) - strlen("/initdb")] = '\0';
    globfree(&found);
    return folder;
}

/* ---- the cluster ---- */

static void make_home(struct pg_cluster *cluster)
{
    const char *tmp = getenv("TMPDIR");
    const struct passwd *user = getpwnam("postgres");
    cluster->home = mem_printf("%s/metercache-pg.XXXXXX", tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(cluster->home) == NULL)
        fail(cluster->home, strerror(errno));
    if (getuid() == 0 &&
        (user == NULL || chown(cluster->home, user->pw_uid, user->pw_gid) != 0))
        fail(cluster->home, "cannot be given to the user postgres");
    for (size_t i = 0; i < ROLES; i++)
        cluster->urls[i] =
            mem_printf("postgresql://%s%s@/metercache?host=%s", i == 3 ? "" : "metercache_",
                       ROLE_NAMES[i], cluster->home);
}

static void configure(struct pg_cluster *cluster, const char *settings)
{
    char *path = mem_printf("%s/data/postgresql.conf", cluster->home);
    FILE *file = fopen(path, "a");
    if (file == NULL)
        fail(path, strerror(errno));
    (void)fprintf(file,
                  "listen_addresses = ''\nunix_socket_directories = '%s'\n"
                  "max_wal_size = 256MB\ntimezone = 'UTC'\n%s\n",
                  cluster->home, settings == NULL ? "" : settings);
    if (fclose(file) != 0)
        fail(path, strerror(errno));
    mem_free(path);
}

static void initialise(struct pg_cluster *cluster)
{
    char *initdb = mem_printf("%s/initdb", cluster->programs);
    char *data = mem_printf("%s/data", cluster->home);
    char *argv[] = {initdb,  "-D", data,   "-U",        "postgres",         "-A",
                    "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8", NULL};
    must_run(cluster, true, argv);
    mem_free(initdb);
    mem_free(data);
}

/* The server's own word in its pid file that it takes connections. */
static bool says_ready(struct pg_cluster *cluster)
{
    char line[1024];
    bool ready = false;
    char *path = mem_printf("%s/data/postmaster.pid", cluster->home);
    FILE *file = fopen(path, "r");
    mem_free(path);
    if (file == NULL)
        return false;
    while (!ready && fgets(line, sizeof line, file) != NULL)
        ready = strncmp(line, "ready", 5) == 0;
    (void)fclose(file);
    return ready;
}

/* A child of ours that ends with us, also when the test program is killed. */
static void exec_server(struct pg_cluster *cluster)
{
    char *server = mem_printf("%s/postgres", cluster->programs);
    char *data = mem_printf("%s/data", cluster->home);
    char *log = mem_printf("%s/log", cluster->home);
    redirect(log);
    drop_root();
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    execl(server, server, "-D", data, (char *)NULL);
    _exit(127);
}

void pg_cluster_resume(struct pg_cluster *cluster)
{
    cluster->server = fork();
    if (cluster->server < 0)
        fail("fork", strerror(errno));
    if (cluster->server == 0)
        exec_server(cluster);
    uint64_t deadline_us = clock_deadline_ms(START_MS);
    while (!says_ready(cluster)) {
        if (waitpid(cluster->server, NULL, WNOHANG) != 0 ||
            clock_left_ms(deadline_us) == 0) {
            show_log(cluster);
            fail("no server in", cluster->home);
        }
        (void)poll(NULL, 0, POLL_MS);
    }
}

static void wait_for_end(struct pg_cluster *cluster)
{
    while (waitpid(cluster->server, NULL, 0) < 0 && errno == EINTR) {}
    cluster->server = 0;
}

static void bootstrap(struct pg_cluster *cluster)
{
    char *psql = mem_printf("%s/psql", cluster->programs);
    char *url = mem_printf("postgresql://postgres@/postgres?host=%s", cluster->home);
    char *argv[] = {
        psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "migrations/bootstrap.sql",
        url,  NULL};
    must_run(cluster, false, argv);
    mem_free(psql);
    mem_free(url);
}

struct pg_cluster *pg_cluster_start(const char *settings)
{
    struct pg_cluster *cluster = mem_alloc(sizeof *cluster);
    cluster->programs = find_programs();
    make_home(cluster);
    initialise(cluster);
    configure(cluster, settings);
    pg_cluster_resume(cluster);
    bootstrap(cluster);
    return cluster;
}

void pg_cluster_stop(struct pg_cluster *cluster)
{
    if (cluster == NULL)
        return;
    if (cluster->server > 0) {
        (void)kill(cluster->server, SIGQUIT);
        wait_for_end(cluster);
    }
    char *argv[] = {"/bin/rm", "-rf", cluster->home, NULL};
    (void)run(cluster, false, argv);
    for (size_t i = 0; i < ROLES; i++)
        mem_free(cluster->urls[i]);
    mem_free(cluster->programs);
    mem_free(cluster->home);
    mem_free(cluster);
}

/* ---- crash ---- */

/* The parent of a process, 0 when it is gone. */
static int64_t parent_of(const char *pid)
{
    char line[256] = "";
    int parent = 0;
    char *path = mem_printf("/proc/%s/stat", pid);
    FILE *file = fopen(path, "r");
    mem_free(path);
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL) {
        const char *after_name = strrchr(line, ')');
        if (after_name != NULL && sscanf(after_name, ") %*c %d", &parent) != 1)
            parent = 0;
    }
    (void)fclose(file);
    return parent;
}

void pg_cluster_crash(struct pg_cluster *cluster)
{
    int64_t pid;
    (void)kill(cluster->server, SIGSTOP); /* so that it starts no backend meanwhile */
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        fail("/proc", strerror(errno));
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;)
        if (parse_i64(&pid, entry->d_name, 2, INT32_MAX) &&
            parent_of(entry->d_name) == cluster->server)
            (void)kill((pid_t)pid, SIGKILL);
    (void)closedir(processes);
    (void)kill(cluster->server, SIGKILL);
    wait_for_end(cluster);
    char *lock = mem_printf("%s/data/postmaster.pid", cluster->home);
    (void)unlink(lock); /* it would say "ready" for the next server */
    mem_free(lock);
}

const char *pg_cluster_url(struct pg_cluster *cluster, const char *role)
{
    for (size_t i = 0; i < ROLES; i++)
        if (strcmp(ROLE_NAMES[i], role) == 0)
            return cluster->urls[i];
    fail("no such role", role);
    return NULL;
}
