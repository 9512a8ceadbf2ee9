/* The simulator: many seeds, in parallel, each one history. See --help. */
#include "runtime/log.h"
#include "sim/run.h"

#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 16, FAILED_SEEDS_SHOWN = 20 };

/* What the processes of a run share. */
struct job {
    uint64_t next; /* the seed to begin with, and the one under way */
    uint64_t done;
    uint64_t failed;
    uint64_t failed_seeds[FAILED_SEEDS_SHOWN];
    uint64_t counts[SIM_HAPPENING_COUNT];
};

struct arguments {
    uint64_t from, seeds;
    int jobs;
    uint32_t steps;
    uint64_t each_at_least;
    bool trace, until_failure;
};

static const char help[] =
    "usage: sim [--seeds N] [--from N] [--jobs N] [--steps N] [--each-at-least N] [--until-failure]\n"
    "       sim --seed N [--trace]\n"
    "Runs the worker in simulated worlds full of faults and checks the invariants after each.\n"
    "  --seed N           this one only\n"
    "  --trace            tell the whole history\n"
    "  --seeds N          so many, from --from on (default 200, from 1)\n"
    "  --jobs N           in so many processes (default 2)\n"
    "  --steps N          length of the part with faults (default 5000)\n"
    "  --each-at-least N  fail when a fault or recovery happened less often in all seeds together\n"
    "  --until-failure    stop at the first seed that fails\n"
    "Exit status: 0 all good, 1 a seed failed, 2 usage.\n";

static void work(const struct arguments *arguments, struct job *job, int number)
{
    for (; job->next < arguments->from + arguments->seeds; job->next += (uint64_t)arguments->jobs) {
        struct sim_options options = {job->next, arguments->steps, arguments->trace};
        if (!sim_run(&options, job->counts)) {
            if (job->failed < FAILED_SEEDS_SHOWN) {
                job->failed_seeds[job->failed] = job->next;
            }
            job->failed++;
        }
        job->done++;
        fflush(stdout);
        if (job->failed > 0 && arguments->until_failure) {
            return;
        }
    }
    (void)number;
}

/* A seed that ends its process (an assertion, a signal) has failed; the others go on. */
static void crashed(struct job *job, int jobs, int status)
{
    printf("seed %" PRIu64 ": the simulator died of %s\n", job->next,
           WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit");
    if (job->failed < FAILED_SEEDS_SHOWN) {
        job->failed_seeds[job->failed] = job->next;
    }
    job->failed++;
    job->done++;
    job->next += (uint64_t)jobs;
}

static pid_t start(const struct arguments *arguments, struct job *job, int number)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(arguments, job, number);
        fflush(stdout);
        _exit(0);
    }
    return pid;
}

static void run_jobs(const struct arguments *arguments, struct job *jobs)
{
    pid_t pids[JOBS_MAX];
    int running = arguments->jobs;
    for (int i = 0; i < arguments->jobs; i++) {
        jobs[i].next = arguments->from + (uint64_t)i;
        pids[i] = start(arguments, &jobs[i], i);
    }
    while (running > 0) {
        int status;
        pid_t pid = wait(&status);
        for (int i = 0; i < arguments->jobs; i++) {
            if (pids[i] != pid) {
                continue;
            }
            running--;
            if (status != 0) {
                crashed(&jobs[i], arguments->jobs, status);
                if (!arguments->until_failure) {
                    pids[i] = start(arguments, &jobs[i], i);
                    running++;
                }
            }
        }
    }
}

static int report(const struct arguments *arguments, const struct job *jobs, const char *program)
{
    uint64_t done = 0, failed = 0, rare = 0;
    printf("%-40s %12s\n", "happened", "times");
    for (int h = 0; h < SIM_HAPPENING_COUNT; h++) {
        uint64_t count = 0;
        for (int i = 0; i < arguments->jobs; i++) {
            count += jobs[i].counts[h];
        }
        /* Three crashes over one record, by chance: too seldom to ask for. test_worker.c makes them. */
        bool may_be_rare = h == SIM_PARTITION_RETRIED;
        bool is_rare = !may_be_rare && count < arguments->each_at_least;
        rare += is_rare;
        printf("%-40s %12" PRIu64 "%s\n", sim_happening_name((enum sim_happening)h), count,
               is_rare ? "  too rare" : "");
    }
    for (int i = 0; i < arguments->jobs; i++) {
        done += jobs[i].done;
        failed += jobs[i].failed;
        for (uint64_t j = 0; j < jobs[i].failed && j < FAILED_SEEDS_SHOWN; j++) {
            printf("replay: %s --seed %" PRIu64 " --steps %u --trace\n", program, jobs[i].failed_seeds[j],
                   arguments->steps);
        }
    }
    printf("sim: %" PRIu64 " seeds, %" PRIu64 " failed, %d kinds of happenings, %" PRIu64 " too rare\n", done, failed,
           SIM_HAPPENING_COUNT, rare);
    return failed > 0 || rare > 0;
}

static bool parse(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},
        {"steps", required_argument, NULL, 'p'},
        {"each-at-least", required_argument, NULL, 'e'},
        {"trace", no_argument, NULL, 't'},
        {"until-failure", no_argument, NULL, 'u'},
        {0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        uint64_t number = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (option) {
        case 's':
            ret->from = number;
            ret->seeds = 1;
            ret->jobs = 1;
            break;
        case 'n':
            ret->seeds = number;
            break;
        case 'f':
            ret->from = number;
            break;
        case 'j':
            ret->jobs = (int)number;
            break;
        case 'p':
            ret->steps = (uint32_t)number;
            break;
        case 'e':
            ret->each_at_least = number;
            break;
        case 't':
            ret->trace = true;
            break;
        case 'u':
            ret->until_failure = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && ret->jobs >= 1 && ret->jobs <= JOBS_MAX;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.from = 1, .seeds = 200, .jobs = 2, .steps = 5000};
    if (!parse(argc, argv, &arguments)) {
        fputs(help, stderr);
        return 2;
    }
    loy_log_open(LOY_LOG_ERROR, LOY_LOG_LOGFMT, 2);
    (void)mallopt(M_PERTURB, 0xdb); /* what is read after it was freed is not what it was */
    struct job *jobs = mmap(NULL, sizeof *jobs * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    run_jobs(&arguments, jobs);
    return report(&arguments, jobs, argv[0]);
}
