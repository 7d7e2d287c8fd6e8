#include "tests/unit/modules/fetch_bench.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check_answer(const struct fetcher_result *r, int status, const char *body)
{
	ck_assert_msg(r->error_number == 0, "%s", r->error);
	ck_assert_int_eq(r->status, status);
	ck_assert_uint_eq(r->body_len, strlen(body));
	ck_assert_str_eq(r->body_len ? r->body : "", body);
}

static void check_failure(const struct fetcher_result *r, int number, const char *word)
{
	ck_assert_int_eq(r->error_number, number);
	ck_assert_msg(strstr(r->error, word) != NULL, "\"%s\" doesn't say \"%s\"", r->error, word);
	ck_assert_int_eq(r->status, 0);
	ck_assert_ptr_null(r->body);
}

static void check_took(uint64_t begin_ms, unsigned least_ms, unsigned most_ms)
{
	uint64_t took = bench_ms() - begin_ms;
	ck_assert_msg(took >= least_ms && took < most_ms, "took %u ms, not %u to %u", (unsigned)took,
		least_ms, most_ms);
}

START_TEST(document)
{
	const struct fetcher_result *r = bench_get("/ok?a=b#rc=0");
	check_answer(r, 200, "<Response/>");
	ck_assert_str_eq(r->content_type, "text/xml");
	ck_assert_str_eq(r->final_url, bench_url("/ok?a=b#rc=0"));
}
END_TEST

START_TEST(what_is_sent)
{
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	struct fetcher_request request = {.url = bench_url("/echo/../echo?x=%20#tt=9000"),
		.method = "POST",
		.body = "To=%2B1555",
		.header = {"X-Twilio-Signature: abc", "X-Other: d"},
		.headers = 2};
	const struct fetcher_result *r = bench_fetch(&request);
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_nonnull(strstr(r->body, "POST /echo?x=%20 HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(r->body, "\r\nUser-Agent: Tollgate/" TG_VERSION "\r\n"));
	ck_assert_ptr_nonnull(strstr(r->body, "\r\nX-Twilio-Signature: abc\r\n"));
	ck_assert_ptr_nonnull(strstr(r->body, "\r\nX-Other: d"));
	ck_assert_ptr_nonnull(strstr(r->body, "\r\nContent-Type: application/x-www-form-urlencoded\n\n"));
	ck_assert_ptr_nonnull(strstr(r->body, "\n\nTo=%2B1555"));
	ck_assert_ptr_null(strstr(r->body, "Expect"));
	request = (struct fetcher_request){.url = bench_url("/echo"), .method = "DELETE"};
	ck_assert_ptr_nonnull(strstr(bench_fetch(&request)->body, "DELETE /echo HTTP/1.1\r\n"));
	request = (struct fetcher_request){.url = bench_url("/echo"), .method = "POST"};
	ck_assert_ptr_nonnull(strstr(bench_fetch(&request)->body, "\r\nContent-Length: 0"));
}
END_TEST

START_TEST(requests_that_can_not_be_sent)
{
	static const char *const bad[] = {"", "ftp://127.0.0.1/", "file:///etc/passwd", "/ok", "http://",
		"gopher://h/", "dict://127.0.0.1:1/x", "http://a b/"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_failure(
			bench_fetch(&(struct fetcher_request){.url = bad[i], .method = "GET"}), 11100, "URL");
	check_failure(bench_fetch(&(struct fetcher_request){.method = "GET"}), 11100, "URL");
	const char *url = bench_url("/echo");
	struct fetcher_request request = {.url = url, .method = "PUT"};
	check_failure(bench_fetch(&request), 11100, "request");
	request = (struct fetcher_request){.url = url, .method = "GET", .body = "x"};
	check_failure(bench_fetch(&request), 11100, "request");
	request = (struct fetcher_request){
		.url = url, .method = "GET", .header = {"A: b\r\nC: d"}, .headers = 1};
	check_failure(bench_fetch(&request), 11100, "request");
	request.headers = FETCHER_HEADERS_MAX + 1;
	request.header[0] = request.header[1] = request.header[2] = request.header[3] = "A: b";
	check_failure(bench_fetch(&request), 11100, "request");
}
END_TEST

START_TEST(statuses)
{
	const struct fetcher_result *r = bench_get("/status/404");
	ck_assert_int_eq(r->status, 404);
	ck_assert_int_eq(r->error_number, 11200);
	ck_assert_ptr_nonnull(strstr(r->error, "4xx"));
	ck_assert_str_eq(r->body, "sorry");
	r = bench_get("/status/500");
	ck_assert_int_eq(r->status, 500);
	ck_assert_int_eq(r->error_number, 11200);
	ck_assert_ptr_nonnull(strstr(r->error, "5xx"));
	check_answer(bench_get("/status/201"), 201, "sorry");
}
END_TEST

START_TEST(timeouts)
{
	uint64_t begin = bench_ms();
	check_failure(bench_get("/slow/5000#rt=300"), 11205, "answer in time");
	check_took(begin, 300, 1500);
	begin = bench_ms();
	check_failure(bench_get("/stall#rt=300"), 11205, "answer in time");
	check_took(begin, 300, 1500);
	begin = bench_ms();
	check_failure(bench_get("/drip/100#rt=300&tt=500"), 11205, "did not end in time");
	check_took(begin, 500, 1500);
	begin = bench_ms();
	check_failure(bench_get("/slow/5000#rt=300&rp=rt&rc=5&tt=1000"), 11205, "time");
	check_took(begin, 600, 2000);
	check_answer(bench_get("/drip/100#rt=500"), 200, "xxxxxxxxxx");
	begin = bench_ms();
	struct fetcher_request request = {.url = bench_url("/slow/5000"), .method = "GET", .total_ms = 400};
	check_failure(bench_fetch(&request), 11205, "did not end in time");
	check_took(begin, 400, 1500);
}
END_TEST

/* A socket with a port of its own that doesn't listen yet. */
static int closed_port(struct sockaddr_in *in)
{
	socklen_t len = sizeof(*in);
	*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(s, (void *)in, len), 0);
	ck_assert_int_eq(getsockname(s, (void *)in, &len), 0);
	return s;
}

START_TEST(connect_timeout)
{
	/* A full backlog: the third connection gets no answer. */
	struct sockaddr_in in;
	int s = closed_port(&in), waiting[8];
	ck_assert_int_eq(listen(s, 0), 0);
	for (int i = 0; i < 8; i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		ck_assert_int_ne(connect(waiting[i], (void *)&in, sizeof(in)), 0);
	}
	usleep(100000);
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/#ct=200&rc=1", ntohs(in.sin_port));
	uint64_t begin = bench_ms();
	struct fetcher_request request = {.url = url, .method = "GET"};
	check_failure(bench_fetch(&request), 11205, "connection was not established");
	check_took(begin, 400, 1500);
	for (int i = 0; i < 8; i++)
		close(waiting[i]);
	close(s);
}
END_TEST

START_TEST(redirects)
{
	const struct fetcher_result *r = bench_get("/hop/9#rc=0");
	check_answer(r, 200, "<Response/>");
	ck_assert_str_eq(r->final_url, bench_url("/ok#rc=0"));
	check_failure(bench_get("/hop/10"), 11215, "more than 10");
	check_failure(bench_get("/nowhere"), 11215, "without a valid");
	check_failure(bench_get("/to/302/file:///etc/passwd"), 11215, "without a valid");
	check_failure(bench_get("/to/302/ftp://127.0.0.1/"), 11215, "without a valid");
}
END_TEST

START_TEST(redirected_posts)
{
	struct fetcher_request request = {.url = bench_url("/to/302//echo"),
		.method = "POST",
		.body = "a=b",
		.header = {"X-Twilio-Signature: abc"},
		.headers = 1};
	const char *body = bench_fetch(&request)->body;
	ck_assert_ptr_nonnull(strstr(body, "GET /echo HTTP/1.1"));
	ck_assert_ptr_null(strstr(body, "a=b"));
	ck_assert_ptr_nonnull(strstr(body, "X-Twilio-Signature: abc"));
	request.url = bench_url("/to/307//echo");
	body = bench_fetch(&request)->body;
	ck_assert_ptr_nonnull(strstr(body, "POST /echo HTTP/1.1"));
	ck_assert_ptr_nonnull(strstr(body, "\n\na=b"));
	/* Another origin doesn't get the headers. */
	bench.settings.allow[0] = (struct settings_range){{.b = {127}, .family = TG_FAMILY_IPV4}, 8};
	char path[128];
	snprintf(path, sizeof(path), "/to/307/http://127.0.0.1:%d/echo", bench.port);
	char url[256];
	snprintf(url, sizeof(url), "http://localhost:%d%s", bench.port, path);
	request.url = url;
	body = bench_fetch(&request)->body;
	ck_assert_ptr_nonnull(strstr(body, "POST /echo HTTP/1.1"));
	ck_assert_ptr_null(strstr(body, "X-Twilio-Signature"));
}
END_TEST

START_TEST(refused_addresses)
{
	static const char *const refused[] = {"http://127.0.0.2/", "http://10.0.0.1/",
		"http://169.254.169.254/", "http://0x7f.0.0.2/", "http://2130706434/", "http://[::1]/",
		"http://[::ffff:127.0.0.2]/", "https://192.168.0.1/", "http://0.0.0.0/"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct fetcher_request request = {.url = refused[i], .method = "GET"};
		check_failure(bench_fetch(&request), 11210, "http.allow");
	}
	char path[96];
	snprintf(path, sizeof(path), "/to/302/http://127.0.0.2:%d/ok#rp=all", bench.port);
	check_failure(bench_get(path), 11210, "http.allow");
	/* A name is no way round: it is the address that counts. */
	bench.settings.allowed = 0;
	struct fetcher_request request = {.url = "http://localhost/", .method = "GET"};
	check_failure(bench_fetch(&request), 11210, "http.allow");
}
END_TEST

START_TEST(sizes)
{
	check_failure(bench_get("/big/65537"), 11750, "larger");
	check_failure(bench_get("/chunked/65537"), 11750, "larger");
	ck_assert_uint_eq(bench_get("/big/65536")->body_len, 65536);
	ck_assert_uint_eq(bench_get("/chunked/65536")->body_len, 65536);
	struct fetcher_request request = {.url = bench_url("/chunked/11"), .method = "GET", .max_body = 10};
	check_failure(bench_fetch(&request), 11750, "larger");
	request.max_body = 11;
	check_answer(bench_fetch(&request), 200, "xxxxxxxxxxx");
	check_answer(bench_get("/big/0"), 200, "");
}
END_TEST

START_TEST(broken_answers)
{
	check_failure(bench_get("/garbage"), 11206, "HTTP");
	check_failure(bench_get("/drop"), 11200, "closed");
	check_failure(bench_get("/half"), 11200, "closed");
}
END_TEST

START_TEST(retries_by_status)
{
	check_answer(bench_get("/flaky/2/a#rp=5xx&rc=2"), 200, "3");
	ck_assert_int_eq(bench_get("/flaky/2/b#rp=5xx&rc=1")->status, 503);
	ck_assert_int_eq(bench_get("/flaky/1/c")->status, 503);
	ck_assert_int_eq(bench_get("/flaky/1/d#rp=4xx,rt&rc=5")->status, 503);
	check_answer(bench_get("/flaky/1/e#rp=all"), 200, "2");
}
END_TEST

/* Answers the next connection, whatever it asks. */
static void answer_once(int s, const char *answer)
{
	char request[2048];
	ck_assert_int_eq(listen(s, 1), 0);
	int peer = accept(s, NULL, NULL);
	ck_assert_int_gt(read(peer, request, sizeof(request)), 0);
	ck_assert_int_gt(write(peer, answer, strlen(answer)), 0);
	close(peer);
}

START_TEST(refused_connections_are_tried_again)
{
	struct sockaddr_in in;
	char url[64];
	int s = closed_port(&in);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/#rc=1", ntohs(in.sin_port));
	struct fetcher_request refused = {.url = url, .method = "GET"};
	uint64_t begin = bench_ms();
	check_failure(bench_fetch(&refused), 11200, "connection");
	check_took(begin, 50, 1000);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/#rc=5", ntohs(in.sin_port));
	bench_submit("GET", url, NULL);
	usleep(200000);
	answer_once(s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	bench_wait(2, 5000);
	check_answer(bench.result[1], 200, "ok");
	close(s);
}
END_TEST

START_TEST(tls_with_a_server_that_has_none)
{
	struct sockaddr_in in;
	char url[64];
	int s = closed_port(&in);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/#rc=5", ntohs(in.sin_port));
	bench_submit("GET", url, NULL);
	answer_once(s, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	bench_wait(1, 5000);
	check_failure(bench.result[0], 11220, "TLS");
	close(s);
}
END_TEST

START_TEST(certificates_are_verified)
{
	char url[64];
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/ok#rp=all", bench.tls_port);
	struct fetcher_request request = {.url = url, .method = "GET"};
	check_failure(bench_fetch(&request), 11237, "certificate");
}
END_TEST

START_TEST(cancelled_requests_do_not_answer)
{
	uint64_t slow = bench_submit("GET", bench_url("/slow/200"), NULL);
	uint64_t early = bench_submit("GET", bench_url("/slow/201"), NULL);
	fetcher_cancel(bench.fetcher, early);
	usleep(100000);
	fetcher_cancel(bench.fetcher, slow);
	fetcher_cancel(bench.fetcher, slow);
	fetcher_cancel(bench.fetcher, 12345);
	usleep(300000);
	bench_wait(0, 100);
	ck_assert_int_eq(bench.results, 0);
	check_answer(bench_get("/ok"), 200, "<Response/>");
	fetcher_cancel(bench.fetcher, bench.result[0]->id);
}
END_TEST

/* Whatever a cancellation meets, it is followed by no result. */
START_TEST(cancellations_race_with_answers)
{
	int before = 0;
	for (int i = 0; i < 300; i++) {
		uint64_t id = bench_submit("GET", bench_url("/ok"), NULL);
		usleep((useconds_t)(rand() % 3000));
		fetcher_cancel(bench.fetcher, id);
		bench_wait(0, 100);
		int now = bench.results;
		ck_assert_int_le(now - before, 1);
		if (now > before)
			ck_assert_uint_eq(bench.result[now - 1]->id, id);
		before = now;
	}
}
END_TEST

START_TEST(unix_socket)
{
	bench.settings.allowed = 0;
	struct fetcher_request request = {
		.url = "http://media/echo", .method = "POST", .body = "a=b", .unix_socket = bench.socket};
	const struct fetcher_result *r = bench_fetch(&request);
	ck_assert_int_eq(r->status, 200);
	ck_assert_ptr_nonnull(strstr(r->body, "\r\nHost: media\r\n"));
	request = (struct fetcher_request){
		.url = "http://media/hop/1", .method = "GET", .unix_socket = bench.socket};
	r = bench_fetch(&request);
	ck_assert_int_eq(r->error_number, 0);
	ck_assert_int_eq(r->status, 302);
	request.unix_socket = "/nonexistent/http";
	check_failure(bench_fetch(&request), 11200, "connection");
}
END_TEST

START_TEST(connections_are_kept)
{
	char first[16];
	snprintf(first, sizeof(first), "%s", bench_get("/serial")->body);
	ck_assert_str_eq(bench_get("/serial")->body, first);
	ck_assert_str_eq(bench_get("/serial")->body, first);
}
END_TEST

static bool sends_cookie(const char *host, const char *scope)
{
	char url[64];
	snprintf(url, sizeof(url), "http://%s:%d/echo", host, bench.port);
	struct fetcher_request request = {.url = url, .method = "GET", .cookie_scope = scope};
	return strstr(bench_fetch(&request)->body, "Cookie: taste=sweet") != NULL;
}

START_TEST(cookies)
{
	struct fetcher_request request = {
		.url = bench_url("/cookie/sweet"), .method = "GET", .cookie_scope = "SE1"};
	ck_assert_int_eq(bench_fetch(&request)->status, 200);
	ck_assert(sends_cookie("127.0.0.1", "SE1"));
	ck_assert(!sends_cookie("127.0.0.1", "SE2"));
	ck_assert(!sends_cookie("127.0.0.1", NULL));
	bench.settings.allow[0] = (struct settings_range){{.b = {127}, .family = TG_FAMILY_IPV4}, 8};
	ck_assert(!sends_cookie("127.0.0.2", "SE1"));
	fetcher_forget_cookies(bench.fetcher, "SE1");
	fetcher_forget_cookies(bench.fetcher, "never used");
	ck_assert(!sends_cookie("127.0.0.1", "SE1"));
}
END_TEST

START_TEST(cookies_of_accounts)
{
	static const char *const scopes[] = {"SE1/AC1", "SE1/AC2", "SE1-/AC1", "SE10", "SE2/AC1", "SE1"};
	enum { SCOPES = sizeof(scopes) / sizeof(scopes[0]) };
	for (int i = 0; i < SCOPES; i++) {
		ck_assert(!sends_cookie("127.0.0.1", scopes[i]));
		struct fetcher_request request = {
			.url = bench_url("/cookie/sweet"), .method = "GET", .cookie_scope = scopes[i]};
		ck_assert_int_eq(bench_fetch(&request)->status, 200);
		ck_assert(sends_cookie("127.0.0.1", scopes[i]));
	}
	fetcher_forget_cookies(bench.fetcher, "SE1");
	for (int i = 0; i < SCOPES; i++)
		ck_assert_int_eq(sends_cookie("127.0.0.1", scopes[i]), i >= 2 && i <= 4);
}
END_TEST

static int threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;
	for (struct dirent *d; (d = readdir(dir));)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

START_TEST(a_thousand_at_once)
{
	uint64_t begin = bench_ms();
	int before = threads();
	for (int i = 0; i < 1000; i++)
		bench_submit("GET", bench_url("/slow/3000"), NULL);
	check_took(begin, 0, 2500);
	usleep(500000);
	ck_assert_int_eq(threads(), before);
	bench_wait(1000, 20000);
	for (int i = 0; i < 1000; i++)
		check_answer(bench.result[i], 200, "late");
	check_took(begin, 3000, 12000);
}
END_TEST

START_TEST(destruction_ends_what_runs)
{
	for (int i = 0; i < 10; i++)
		bench_submit("GET", bench_url("/slow/5000"), NULL);
	uint64_t cancelled = bench_submit("GET", bench_url("/slow/5000"), NULL);
	usleep(50000);
	fetcher_cancel(bench.fetcher, cancelled);
	bench_submit("GET", bench_url("/slow/5000"), NULL);
	uint64_t begin = bench_ms();
	fetcher_destroy(bench.fetcher);
	check_took(begin, 0, 1000);
	bench.fetcher = NULL;
	bench_wait(0, 100);
	ck_assert_int_eq(bench.results, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {document, what_is_sent, requests_that_can_not_be_sent, statuses,
		timeouts, connect_timeout, redirects, redirected_posts, refused_addresses, sizes,
		broken_answers, retries_by_status, refused_connections_are_tried_again,
		tls_with_a_server_that_has_none, certificates_are_verified, cancelled_requests_do_not_answer,
		cancellations_race_with_answers, unix_socket, connections_are_kept, cookies,
		cookies_of_accounts, a_thousand_at_once, destruction_ends_what_runs};
	Suite *suite = suite_create("fetcher");
	TCase *tc = tcase_create("all");
	tcase_set_timeout(tc, 40);
	tcase_add_unchecked_fixture(tc, bench_start_server, bench_stop_server);
	tcase_add_checked_fixture(tc, bench_open, bench_close);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
