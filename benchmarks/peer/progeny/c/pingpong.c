/* pingpong N PAUSE CORES: N round trips of 64 bytes with a child over two blocking
 * pipes, each after a pause in microseconds. Writes what each took in
 * nanoseconds to standard output, as native 64-bit integers. With 1 or 2 CORES
 * parent and child are held on the same or on different ones, with 0 they are
 * where the kernel puts them. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* hold binds the process to the nth processor it may use. */
static int hold(int nth) {
#ifdef CPU_SET
	cpu_set_t may, is;
	if (sched_getaffinity(0, sizeof may, &may))
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &may) || nth-- > 0)
			continue;
		CPU_ZERO(&is);
		CPU_SET(i, &is);
		return sched_setaffinity(0, sizeof is, &is);
	}
#endif
	return -1;
}

int main(int argc, char **argv) {
	int to[2], from[2];
	char ping[64], pong[64];
	if (argc != 4 || pipe(to) || pipe(from))
		return 1;
	long n = atol(argv[1]), pause = atol(argv[2]), cores = atol(argv[3]);
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		if (cores && hold(cores - 1))
			_exit(1);
		close(to[1]);
		close(from[0]);
		while (read(to[0], pong, sizeof pong) == sizeof pong)
			if (write(from[1], pong, sizeof pong) != sizeof pong)
				return 1;
		_exit(0);
	}
	if (cores && hold(0))
		return 1;
	close(to[0]);
	close(from[1]);
	for (size_t i = 0; i < sizeof ping; i++)
		ping[i] = i;
	for (long i = 0; i < n; i++) {
		if (pause)
			usleep(pause);
		int64_t start = now();
		if (write(to[1], ping, sizeof ping) != sizeof ping || read(from[0], pong, sizeof pong) != sizeof pong)
			return 1;
		int64_t took = now() - start;
		if (memcmp(ping, pong, sizeof ping) || fwrite(&took, sizeof took, 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) != 0;
}
