/* What tests of the fetcher stand on: a server of its own (fetch_server.py), a fetcher, a mailbox and its
 * reader. */
#ifndef TG_TEST_FETCH_BENCH_H
#define TG_TEST_FETCH_BENCH_H

#include <check.h>

#include "controlplane/modules/fetcher.h"

#define BENCH_RESULTS 1100

struct bench {
	pid_t server;
	int server_in; /* the server ends when this is closed */
	int port, tls_port;
	char dir[64], socket[96];
	struct settings settings;
	struct mailbox *box;
	struct fetcher *fetcher;
	struct fetcher_result *result[BENCH_RESULTS];
	int results;
};

extern struct bench bench;

/* Fixtures: the server once, the fetcher for each test. */
void bench_start_server(void);
void bench_stop_server(void);
void bench_open(void);
void bench_close(void);

/* "http://127.0.0.1:PORT" and path; one of a few buffers. */
const char *bench_url(const char *path);
uint64_t bench_submit(const char *method, const char *url, const char *body);
/* Fails the test when there aren't n results within ms. */
void bench_wait(int n, int ms);
/* One request and its result, which the bench frees. */
const struct fetcher_result *bench_fetch(const struct fetcher_request *request);
const struct fetcher_result *bench_get(const char *path);
uint64_t bench_ms(void);

#endif
