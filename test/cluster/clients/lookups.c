/*
 * lookups.ts for another libc: getaddrinfo at a fixed rate, a thread for each lookup, the same lines. Compiled against musl, statically.
 *
 * usage: lookups LOOKUPS_PER_SECOND NAME=IPV4...
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long done, failed, wrong, over100Ms, over1000Ms;
static double longestMs;

static double nowMs(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void *look(void *pair) {
  char name[256], found[INET_ADDRSTRLEN] = "";
  const char *expected = strchr(pair, '=') + 1;
  snprintf(name, sizeof name, "%.*s", (int)(expected - 1 - (char *)pair), (char *)pair);
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *result;
  double start = nowMs();
  int error = getaddrinfo(name, NULL, &hints, &result);
  double took = nowMs() - start;
  if (error == 0) {
    inet_ntop(AF_INET, &((struct sockaddr_in *)result->ai_addr)->sin_addr, found, sizeof found);
    freeaddrinfo(result);
  }
  pthread_mutex_lock(&lock);
  done++;
  if (error != 0) failed++;
  else if (strcmp(found, expected) != 0) wrong++;
  if (took > 100) over100Ms++;
  if (took > 1000) over1000Ms++;
  if (took > longestMs) longestMs = took;
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void *report(void *unused) {
  for (;;) {
    sleep(1);
    pthread_mutex_lock(&lock);
    printf("{\"done\":%ld,\"failed\":%ld,\"wrong\":%ld,\"over100Ms\":%ld,\"over1000Ms\":%ld,\"longestMs\":%.3f}\n", done,
           failed, wrong, over100Ms, over1000Ms, longestMs);
    fflush(stdout);
    longestMs = 0;
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

int main(int count, char **words) {
  pthread_t thread;
  pthread_create(&thread, NULL, report, NULL);
  for (int made = 0;; made++) {
    if (pthread_create(&thread, NULL, look, words[2 + made % (count - 2)]) == 0) pthread_detach(thread);
    usleep(1000000 / atoi(words[1]));
  }
}
