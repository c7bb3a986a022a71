/* The floor under a fan-out of one write per delivery: send() of the same bytes to many loopback sockets.
 * send_loop SOCKETS BYTES ROUNDS CORE READER_CORE; prints the CPU time of one send(), user and system, in ns.
 * A child process connects and drains on the other core, and is not counted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) { perror(what); exit(1); }

static void stay_on(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  if (sched_setaffinity(0, sizeof cores, &cores)) fail("sched_setaffinity");
}

static double cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Reads everything; says on `done` each time that another `due` bytes have come. */
static void drain(struct sockaddr_in *server, int sockets, long due, int done) {
  static char buffer[65536];
  struct epoll_event events[512];
  int epoll = epoll_create1(0);
  long got = 0;
  for (int i = 0; i < sockets; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)server, sizeof *server)) fail("connect");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) fail("epoll_ctl");
  }
  for (;;) {
    int ready = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < ready; i++) {
      ssize_t size = recv(events[i].data.fd, buffer, sizeof buffer, 0);
      if (size <= 0) exit(0);
      got += size;
    }
    while (got >= due) {
      got -= due;
      if (write(done, "", 1) != 1) exit(0);
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return fprintf(stderr, "send_loop SOCKETS BYTES ROUNDS CORE READER_CORE\n"), 2;
  int sockets = atoi(argv[1]), bytes = atoi(argv[2]), rounds = atoi(argv[3]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), done[2];
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  if (pipe(done)) fail("pipe");
  pid_t reader = fork();
  if (reader == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stay_on(atoi(argv[5]));
    drain(&address, sockets, (long)sockets * bytes, done[1]);
  }
  stay_on(atoi(argv[4]));
  int *fds = calloc(sockets, sizeof *fds), one = 1;
  for (int i = 0; i < sockets; i++) {
    if ((fds[i] = accept(listener, 0, 0)) < 0) fail("accept");
    setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  }
  char *message = malloc(bytes), byte;
  memset(message, 'x', bytes);
  double start = 0;
  for (int round = -1; round < rounds; round++) { /* the first one is a warm-up */
    if (round == 0) start = cpu_ns();
    for (int i = 0; i < sockets; i++)
      if (send(fds[i], message, bytes, MSG_NOSIGNAL) != bytes) fail("send");
    if (read(done[0], &byte, 1) != 1) fail("read"); /* until all have been read: none ever blocks */
  }
  printf("%.1f\n", (cpu_ns() - start) / ((double)rounds * sockets));
  kill(reader, SIGKILL);
  waitpid(reader, 0, 0);
  return 0;
}
