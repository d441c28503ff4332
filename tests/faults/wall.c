/* A wall clock that can be set for one process, loaded before libc: what the file named by WALL_STEP holds (a double, in
   seconds) is added to the time of day, and to no other clock. libfaketime 0.9.10 breaks time.sleep of Python 3.11
   (https://github.com/wolfcw/libfaketime/issues/426). The computer counts as one that is up for a day longer. */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile double *step;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("WALL_STEP");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        step = mapped;
    if (file >= 0)
        close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, clock, now);
    if (failed == 0 && step && clock == CLOCK_REALTIME) {
        double seconds = *step;
        long long nanoseconds = now->tv_nsec + (long long)((seconds - (long long)seconds) * 1e9);
        now->tv_sec += (time_t)seconds + (nanoseconds >= 1000000000) - (nanoseconds < 0);
        now->tv_nsec = (long)((nanoseconds + 1000000000) % 1000000000);
    }
    if (failed == 0 && clock == CLOCK_BOOTTIME)
        now->tv_sec += 86400;
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now)
        *now = precise.tv_sec;
    return precise.tv_sec;
}
