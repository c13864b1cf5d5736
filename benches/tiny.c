/* The smallest service: appends "<CLOCK_MONOTONIC ns> <pid>" to the file argv[1], then waits for a signal. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct timespec now;
  char line[64];
  if (argc < 2) return 2;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int length = snprintf(line, sizeof line, "%lld %d\n", now.tv_sec * 1000000000LL + now.tv_nsec, getpid());
  int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0 || write(file, line, length) != length) return 1;
  close(file);
  for (;;) pause();
}
