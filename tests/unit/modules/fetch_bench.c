#include "tests/unit/modules/fetch_bench.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

struct bench bench;

void bench_start_server(void)
{
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 65536 ? files.rlim_max : 65536;
	setrlimit(RLIMIT_NOFILE, &files);
	strcpy(bench.dir, "/tmp/tollgate-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(bench.dir));
	snprintf(bench.socket, sizeof(bench.socket), "%s/http", bench.dir);
	int in[2], out[2];
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	bench.server = fork();
	if (!bench.server) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execlp("python3", "python3", FETCH_SERVER, bench.dir, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	bench.server_in = in[1];
	FILE *port = fdopen(out[0], "r");
	ck_assert_msg(fscanf(port, "%d %d", &bench.port, &bench.tls_port) == 2, "the server did not start");
	fclose(port);
}

void bench_stop_server(void)
{
	close(bench.server_in);
	kill(bench.server, SIGTERM);
	waitpid(bench.server, NULL, 0);
	unlink(bench.socket);
	rmdir(bench.dir);
}

static void deliver(struct mail *mail, void *reader)
{
	struct bench *b = reader;
	ck_assert_int_lt(b->results, BENCH_RESULTS);
	b->result[b->results++] = (struct fetcher_result *)mail;
}

void bench_open(void)
{
	settings_defaults(&bench.settings);
	bench.settings.allow[0] = (struct settings_range){
		{.b = {127, 0, 0, 1}, .family = TG_FAMILY_IPV4}, 32};
	bench.settings.allowed = 1;
	ck_assert_int_eq(mailbox_create(&bench.box), 0);
	ck_assert_int_eq(fetcher_create(&bench.fetcher, &bench.settings, bench.box, deliver), 0);
}

void bench_close(void)
{
	fetcher_destroy(bench.fetcher);
	mailbox_destroy(bench.box, &bench);
	for (int i = 0; i < bench.results; i++)
		fetcher_result_free(bench.result[i]);
}

const char *bench_url(const char *path)
{
	static char urls[8][1024];
	static unsigned n;
	char *url = urls[n++ % 8];
	snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%d%s", bench.port, path);
	return url;
}

uint64_t bench_submit(const char *method, const char *url, const char *body)
{
	struct fetcher_request request = {.url = url, .method = method, .body = body};
	uint64_t id = fetcher_submit(bench.fetcher, &request, NULL);
	ck_assert_uint_ne(id, 0);
	return id;
}

uint64_t bench_ms(void)
{
	return clock_mono_ns() / CLOCK_NS_PER_MS;
}

void bench_wait(int n, int ms)
{
	uint64_t end = bench_ms() + (uint64_t)ms;
	mailbox_drain(bench.box, &bench);
	while (bench.results < n) {
		uint64_t now = bench_ms();
		ck_assert_msg(now < end, "%d of %d results after %d ms", bench.results, n, ms);
		struct pollfd fd = {mailbox_fd(bench.box), POLLIN, 0};
		poll(&fd, 1, (int)(end - now));
		mailbox_drain(bench.box, &bench);
	}
}

const struct fetcher_result *bench_fetch(const struct fetcher_request *request)
{
	uint64_t id = fetcher_submit(bench.fetcher, request, &bench);
	ck_assert_uint_ne(id, 0);
	bench_wait(bench.results + 1, 20000);
	const struct fetcher_result *r = bench.result[bench.results - 1];
	ck_assert_uint_eq(r->id, id);
	ck_assert_ptr_eq(r->ctx, &bench);
	ck_assert((r->error_number == 0) == (r->error == NULL));
	return r;
}

const struct fetcher_result *bench_get(const char *path)
{
	return bench_fetch(&(struct fetcher_request){.url = bench_url(path), .method = "GET"});
}
