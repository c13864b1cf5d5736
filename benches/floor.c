/* What starting and stopping costs when nothing else is done: posix_spawn of a program N times; at SIGTERM each is
 * told to end and waited for. argv: N, program, its argument. */
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int count = atoi(argv[1]), signal = 0;
  pid_t *children = calloc(count, sizeof *children);
  char *child[] = {argv[2], argv[3], NULL};
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  /* A blocked signal stays blocked in a child unless it is told otherwise. */
  sigset_t none;
  posix_spawnattr_t attributes;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  for (int i = 0; i < count; i++)
    if (posix_spawn(&children[i], child[0], NULL, &attributes, child, environ) != 0) return 1;
  sigwait(&mask, &signal);
  for (int i = 0; i < count; i++) kill(children[i], SIGTERM);
  for (int i = 0; i < count; i++) waitpid(children[i], NULL, 0);
  return 0;
}
