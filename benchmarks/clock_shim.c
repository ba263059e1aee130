/* Sets the system clock of one process, and of nobody else: for LD_PRELOAD.
 *
 * CLOCK_SHIM names a file with an int64, the nanoseconds by which CLOCK_REALTIME is off; it may
 * change at any time. As in the kernel, a wait until a time of that clock goes on until the clock
 * says so: set back by an hour, it lasts an hour longer. (A wait that is under way when the clock
 * is set forward ends no earlier here.) CLOCK_MONOTONIC stays as it is.
 *
 *     gcc -shared -fPIC -O2 -o clock_shim.so clock_shim.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static volatile int64_t *shared;
static int (*real_gettime)(clockid_t, struct timespec *);

static void begin(void) __attribute__((constructor));

static void begin(void)
{
    const char *path = getenv("CLOCK_SHIM");
    if (!real_gettime)
        real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    if (shared || !path)
        return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    void *page = mmap(0, sizeof *shared, PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED)
        shared = page;
    close(file);
}

static int64_t offset(void) { return shared ? *shared : 0; }

static int is_real(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static struct timespec moved(const struct timespec *time, int64_t by)
{
    int64_t ns = time->tv_nsec + by % SECOND, s = time->tv_sec + by / SECOND;
    if (ns < 0) { ns += SECOND; s--; }
    if (ns >= SECOND) { ns -= SECOND; s++; }
    return (struct timespec){ .tv_sec = s < 0 ? 0 : s, .tv_nsec = ns };
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!real_gettime)
        begin();
    int failed = real_gettime(clock, time);
    if (!failed && is_real(clock))
        *time = moved(time, offset());
    return failed;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result)
        *result = now.tv_sec;
    return now.tv_sec;
}

static int is_over(const struct timespec *deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec > deadline->tv_sec
        || (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* Wait until `deadline` of the moved clock, anew where it was set back meanwhile. */
#define UNTIL(deadline, timed_out, wait)                           \
    for (;;) {                                                     \
        struct timespec until = moved(deadline, -offset());        \
        int result = wait;                                         \
        if (!(timed_out) || is_over(deadline))                     \
            return result;                                         \
    }

/* pthread_cond_* has an older version, too, which dlsym might find. */
#define REAL(name, version)            \
    static __typeof__(&name) real;     \
    if (!real)                         \
        real = (__typeof__(&name))dlvsym(RTLD_NEXT, #name, version)

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                           const struct timespec *deadline)
{
    REAL(pthread_cond_timedwait, "GLIBC_2.3.2");
    /* glibc keeps the clock of a condition in bit 1 of its flags */
    if (cond->__data.__wrefs & 2)
        return real(cond, mutex, deadline);
    UNTIL(deadline, result == ETIMEDOUT, real(cond, mutex, &until))
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                           const struct timespec *deadline)
{
    REAL(pthread_cond_clockwait, "GLIBC_2.30");
    if (!is_real(clock))
        return real(cond, mutex, clock, deadline);
    UNTIL(deadline, result == ETIMEDOUT, real(cond, mutex, clock, &until))
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *deadline)
{
    REAL(pthread_mutex_timedlock, "GLIBC_2.2.5");
    UNTIL(deadline, result == ETIMEDOUT, real(mutex, &until))
}

int sem_timedwait(sem_t *semaphore, const struct timespec *deadline)
{
    REAL(sem_timedwait, "GLIBC_2.2.5");
    UNTIL(deadline, result && errno == ETIMEDOUT, real(semaphore, &until))
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *deadline)
{
    REAL(sem_clockwait, "GLIBC_2.30");
    if (!is_real(clock))
        return real(semaphore, clock, deadline);
    UNTIL(deadline, result && errno == ETIMEDOUT, real(semaphore, clock, &until))
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                    struct timespec *remaining)
{
    REAL(clock_nanosleep, "GLIBC_2.17");
    if (!is_real(clock) || !(flags & TIMER_ABSTIME))
        return real(clock, flags, time, remaining);
    UNTIL(time, result == 0, real(clock, flags, &until, remaining))
}
