#include "commands.h"

#include "handlers.h"

// clang-format off
#define OPTION(name_, value_, help_)   {.name = (name_), .value = (value_), .help = (help_)}
#define REQUIRED(name_, value_, help_) {.name = (name_), .value = (value_), .help = (help_), .is_required = true}
#define PAGING                                                            \
    OPTION("--page-size",  "N",     "rows of the answer"),                \
    OPTION("--page-token", "TOKEN", "continue where a former answer ended")
#define END {.name = NULL}

static const struct grammar_option GLOBALS[] = {
    {"--endpoint",         NULL, "URL",  "METERCACHE_ENDPOINT",         "tcp://127.0.0.1:7101", "cache-service", false},
    {"--quota-endpoint",   NULL, "URL",  "METERCACHE_QUOTA_ENDPOINT",   "tcp://127.0.0.1:7102", "quota-service", false},
    {"--gateway-endpoint", NULL, "URL",  "METERCACHE_GATEWAY_ENDPOINT", "tcp://127.0.0.1:7104", "provider-gateway", false},
    {"--token-file",       NULL, "FILE", "METERCACHE_TOKEN_FILE",       NULL, "holds the token; or METERCACHE_TOKEN is it", false},
    {"--timeout",          NULL, "TIME", "METERCACHE_TIMEOUT",          "30s", "for each call", false},
    {"--user",             NULL, "NAME", "METERCACHE_USER",             NULL, "act for this user (roles service and staff)", false},
    {"--tls-ca-file",      NULL, "FILE", "METERCACHE_TLS_CA_FILE",      NULL, "CA of the services, with tls+tcp:// endpoints", false},
    {"--tls-cert-file",    NULL, "FILE", "METERCACHE_TLS_CERT_FILE",    NULL, "certificate to show them", false},
    {"--tls-key-file",     NULL, "FILE", "METERCACHE_TLS_KEY_FILE",     NULL, "its key", false},
    {"--json",             NULL, NULL,   NULL,                          NULL, "print one JSON document", false},
    {"--verbose",          "-v", NULL,   NULL,                          NULL, "tell on stderr how each call went", false},
    {"--help",             "-h", NULL,   NULL,                          NULL, "print help, also of one command", false},
    END,
};

static const struct grammar_option SEARCH_OPTIONS[] = {
    REQUIRED("--platform", "NAME", "instagram, tiktok or youtube"),
    OPTION("--filters", "JSON", "Modash filter object; @FILE and - (standard input) work too"),
    {.name = "--count", .value = "N", .fallback = "20", .help = "creators wanted, 1 to 100000"},
    OPTION("--sort", "JSON", "such as {\"field\":\"followers\",\"direction\":\"desc\"}"),
    PAGING,
    END,
};

static const struct grammar_option SELECT_OPTIONS[] = {
    OPTION("--report", "FILE", "write the provider's report to this file"),
    END,
};

static const struct grammar_option PAGE_OPTIONS[] = { PAGING, END };

static const struct grammar_option USAGE_OPTIONS[] = {
    OPTION("--scope", "SCOPE", "what the ledger counts of each user, endpoint or tenant, or of the share"),
    OPTION("--subject", "NAME", "only of this user, endpoint or tenant"),
    END,
};

static const struct grammar_option HISTORY_OPTIONS[] = {
    {.name = "--last", .value = "TIME", .fallback = "30d", .help = "how far back, in whole days, today included"},
    END,
};

static const struct grammar_option CHANGE_OPTIONS[] = {
    REQUIRED("--reason", "TEXT", "why; kept in the ledger"),
    OPTION("--op-id", "UUID", "of an earlier attempt: done once in all"),
    END,
};

#define RULE                                                                                     \
    REQUIRED("--scope", "SCOPE", "meter, user, endpoint, tenant, share or cooldown"),            \
    OPTION("--subject", "NAME", "user, endpoint, tenant, or what cooldown keys begin with; else each"), \
    {.name = "--mode", .value = "MODE", .fallback = "hard", .help = "hard, soft or shadow"},     \
    REQUIRED("--reason", "TEXT", "why; kept with the limit")

static const struct grammar_option LIMIT_SET_OPTIONS[] = {
    RULE,
    OPTION("--credits", "N", "of the meter's period; not for scope cooldown"),
    OPTION("--cooldown", "TIME", "one grant in this time for each key, such as 1h; scope cooldown"),
    OPTION("--anchor-day", "N", "1 to 31: when the meter's periods begin; scope meter"),
    OPTION("--thresholds", "N,N...", "percentages that are told, such as 50,80; scope meter"),
    END,
};

static const struct grammar_option LIMIT_REMOVE_OPTIONS[] = { RULE, END };

static const struct grammar_option CALLS_OPTIONS[] = {
    OPTION("--provider", "NAME", "only of this provider"),
    OPTION("--action", "NAME", "only this action, such as search"),
    OPTION("--for-user", "NAME", "only for this user"),
    OPTION("--outcome", "NAME", "only with this outcome, such as ok or provider-error"),
    OPTION("--last", "TIME", "only the last 24h, 28d ..."),
    PAGING,
    END,
};

static const struct grammar_option CALL_OPTIONS[] = {
    OPTION("--at", "SERVICE", "cache, quota or gateway, for health and admin methods"),
    OPTION("--idempotency-key", "TEXT", "makes a repetition safe; at most 64 bytes"),
    OPTION("--dry-run", NULL, "say what would be done, do nothing"),
    END,
};

static const struct grammar_option DESCRIBE_OPTIONS[] = {
    OPTION("--save", "FILE", "write the FileDescriptorSet of the running cache-service"),
    END,
};

static const struct grammar_option STATS_OPTIONS[] = {
    OPTION("--prefix", "TEXT", "only names that begin so"),
    END,
};

static const struct grammar_option TOKEN_OPTIONS[] = {
    REQUIRED("--id", "NAME", "of the token, in logs"),
    REQUIRED("--role", "ROLE", "client, staff, admin, cron or service"),
    OPTION("--subject", "NAME", "whose it is; else as --id"),
    OPTION("--expires-days", "N", "1 to 3650; else never"),
    OPTION("--write-token", "FILE", "write the token to a new file (0600) instead of printing it"),
    END,
};

static const char CREATOR_DETAILS[] =
    "PLATFORM is instagram, tiktok or youtube. CREATOR is the provider's id, or @handle.";
static const char SERVICE_DETAILS[] =
    "SERVICE is cache (also when left out), quota or gateway.";
static const char CALL_DETAILS[] =
    "METHOD is /metercache.v1.CreatorService/Search, CreatorService/Search, creators.Search, or\n"
    "Search where one service alone has it. JSON is an object, - (standard input) or @FILE; names\n"
    "in original or lowerCamelCase. The answer is JSON. See 'describe' for what is in a message.";
static const char USAGE_DETAILS[] =
    "SCOPE is meter, user, endpoint, tenant or share (scheduled work beside the interactive share).";
static const char CORRECT_DETAILS[] =
    "RESERVATION_ID is as 'quota unknown' prints it, CREDITS what the call did cost, such as 0 or 0.150.";
static const char ADJUST_DETAILS[] =
    "CREDITS are added to what the meter has spent, such as 12.5 or -3.";
static const char LIMIT_SET_DETAILS[] =
    "There is one rule for each meter, scope, subject and mode; setting it again replaces it. Scope\n"
    "share keeps credits of the meter from scheduled work.";
static const char VERIFY_DETAILS[] =
    "Exit status 25 when a row is wrong; the error names it.";
static const char TOKEN_DETAILS[] =
    "Line 1 is the token, line 2 goes into the services' tokens files (then SIGHUP). Nobody can\n"
    "show the token again. With --write-token only the second line is printed.";

static const struct grammar_command ROWS[] = {
    {"creators search", "", "search creators; the cache first, discovery for the rest", NULL, SEARCH_OPTIONS, creators_search},
    {"creators get", "PLATFORM CREATOR", "basic profile, from the cache alone", CREATOR_DETAILS, NULL, creators_get},
    {"creators select", "PLATFORM CREATOR", "detailed profile; buys a report when none is young", CREATOR_DETAILS, SELECT_OPTIONS, creators_select},
    {"creators enrich", "PLATFORM CREATOR", "e-mail address of a selected creator", CREATOR_DETAILS, NULL, creators_enrich},
    {"creators searches", "", "your own searches, newest first", NULL, PAGE_OPTIONS, creators_searches},
    {"usage", "[METER]", "meters: limit, spent, held, left, reset", USAGE_DETAILS, USAGE_OPTIONS, quota_usage},
    {"quota usage", "[METER]", "the same as usage", USAGE_DETAILS, USAGE_OPTIONS, quota_usage},
    {"quota history", "[METER]", "spent by UTC day, all meters together or one", NULL, HISTORY_OPTIONS, quota_history},
    {"quota alerts", "[METER]", "thresholds, soft limits, overage, burn rate; newest first", NULL, PAGE_OPTIONS, quota_alerts},
    {"quota operation", "OP_ID", "what became of one operation", NULL, NULL, quota_operation},
    {"quota unknown", "", "calls presumed spent that nobody has corrected", NULL, PAGE_OPTIONS, quota_unknown},
    {"quota correct", "RESERVATION_ID CREDITS", "say once what such a call did cost", CORRECT_DETAILS, CHANGE_OPTIONS, quota_correct},
    {"quota adjust", "METER CREDITS", "add to what a meter has spent, or take away", ADJUST_DETAILS, CHANGE_OPTIONS, quota_adjust},
    {"quota limits", "[METER]", "limits in force", NULL, NULL, quota_limits},
    {"quota limit set", "METER", "set a limit", LIMIT_SET_DETAILS, LIMIT_SET_OPTIONS, quota_limit_set},
    {"quota limit remove", "METER", "remove one; a meter's hard limit goes back to its setting", NULL, LIMIT_REMOVE_OPTIONS, quota_limit_remove},
    {"quota verify", "", "recompute the counters and the chain of batches", VERIFY_DETAILS, NULL, quota_verify},
    {"calls list", "", "log of provider calls, newest first", NULL, CALLS_OPTIONS, calls_list},
    {"health", "", "ask all three services; 0 only when all serve", NULL, NULL, health_show},
    {"call", "METHOD [JSON]", "call any method of any service", CALL_DETAILS, CALL_OPTIONS, call_method},
    {"methods", "[SERVICE]", "methods of a running service, and who may call them", SERVICE_DETAILS, NULL, call_list_methods},
    {"describe", "[METHOD]", "services and messages of the API", NULL, DESCRIBE_OPTIONS, call_describe},
    {"ping", "[SERVICE]", "version, build and uptime", SERVICE_DETAILS, NULL, admin_ping},
    {"stats", "[SERVICE]", "counters of a service", SERVICE_DETAILS, STATS_OPTIONS, admin_stats},
    {"config", "[SERVICE]", "settings of a service, secrets hidden", SERVICE_DETAILS, NULL, admin_config},
    {"connections", "[SERVICE]", "who is connected to a service", SERVICE_DETAILS, NULL, admin_connections},
    {"log-level", "SERVICE LEVEL", "set error, warn, info or debug until the restart", NULL, NULL, admin_log_level},
    {"drain", "SERVICE", "finish what is in flight and end the process", NULL, NULL, admin_drain},
    {"token new", "", "make a credential", TOKEN_DETAILS, TOKEN_OPTIONS, token_new},
    {"completion", "SHELL", "print the completion of bash or zsh", "Use: source <(metercache completion bash)", NULL, info_completion},
    {"complete", "[WORD...]", "what may stand for the last word; used by completion", NULL, NULL, info_complete},
    {"version", "", "version and build of this program", NULL, NULL, info_version},
    {"help", "[COMMAND...]", "this list, or one command's page", NULL, NULL, info_help},
};
// clang-format on

const struct grammar COMMANDS = {
    .program = "metercache",
    .about = "the command line to cache-service, quota-service and provider-gateway",
    .notes =
        "exit status: 0 when all went well; 64 for wrong usage; else 10 + the code of the\n"
        "error (google.rpc.Code): 11 cancelled, 13 invalid argument, 14 deadline exceeded,\n"
        "15 not found, 16 already exists, 17 permission denied, 18 resource exhausted,\n"
        "19 failed precondition, 22 unimplemented, 23 internal, 24 unavailable,\n"
        "25 data loss, 26 unauthenticated.",
    .commands = ROWS,
    .command_count = sizeof(ROWS) / sizeof(ROWS[0]),
    .globals = GLOBALS,
};
