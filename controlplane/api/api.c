#include "controlplane/api/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/log.h"
#include "base/mailbox.h"
#include "controlplane/calls/engine.h"
#include "controlplane/sip/loop.h"

#define ANSWER_WAIT_S 10

struct api {
	struct MHD_Daemon *daemon;
	struct mailbox *box; /* questions to the SIP thread */
	struct engine *engine;
	char path[108];
};

/* A question on its way to the SIP thread and back. Two hold it: the one that waits and the one that answers.
 */
enum question_kind { QUESTION_STATUS, QUESTION_AUDIT, QUESTION_DRAIN, QUESTION_TAKE };

struct question {
	struct mail mail;
	enum question_kind kind;
	pthread_mutex_t lock;
	pthread_cond_t answered;
	char *text;
	int done, holders;
};

static void release(struct question *q)
{
	pthread_mutex_lock(&q->lock);
	int left = --q->holders;
	pthread_mutex_unlock(&q->lock);
	if (left)
		return;
	pthread_cond_destroy(&q->answered);
	pthread_mutex_destroy(&q->lock);
	free(q->text);
	free(q);
}

static void answer(void *ctx, const json_t *result)
{
	struct question *q = ctx;
	pthread_mutex_lock(&q->lock);
	q->text = result ? json_dumps(result, JSON_SORT_KEYS | JSON_INDENT(1)) : NULL;
	q->done = 1;
	pthread_cond_signal(&q->answered);
	pthread_mutex_unlock(&q->lock);
	release(q);
}

static void ask(struct mail *mail, void *reader)
{
	struct question *q = (struct question *)mail;
	struct api *api = reader;
	if (!api->engine) {
		answer(q, NULL);
		return;
	}
	if (q->kind == QUESTION_AUDIT) {
		engine_audit(api->engine, answer, q);
		return;
	}
	if (q->kind == QUESTION_DRAIN || q->kind == QUESTION_TAKE)
		engine_drain(api->engine, q->kind == QUESTION_DRAIN);
	json_t *status = engine_status(api->engine);
	answer(q, status);
	json_decref(status);
}

static void on_box(void *ctx)
{
	struct api *api = ctx;
	mailbox_drain(api->box, api);
}

/* The answer's text, or NULL if none came in time. The caller frees it. */
static char *question_and_answer(struct api *api, enum question_kind kind)
{
	struct question *q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->mail.deliver = ask;
	q->kind = kind;
	q->holders = 2;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->answered, NULL);
	mailbox_post(api->box, &q->mail);
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ANSWER_WAIT_S;
	pthread_mutex_lock(&q->lock);
	while (!q->done && pthread_cond_clockwait(&q->answered, &q->lock, CLOCK_MONOTONIC, &until) == 0)
		;
	char *text = q->text;
	q->text = NULL;
	pthread_mutex_unlock(&q->lock);
	release(q);
	return text;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", "application/json");
	enum MHD_Result result = MHD_queue_response(connection, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *body, size_t *body_len, void **state)
{
	static int seen; /* its address marks the second call for one request */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	*body_len = 0;
	static const struct {
		const char *method, *url;
		enum question_kind kind;
	} routes[] = {{"GET", "/status", QUESTION_STATUS}, {"GET", "/audit", QUESTION_AUDIT},
		{"POST", "/drain", QUESTION_DRAIN}, {"POST", "/take-calls", QUESTION_TAKE}};
	size_t r = 0, n = sizeof(routes) / sizeof(*routes);
	while (r < n && (strcmp(url, routes[r].url) || strcmp(method, routes[r].method)))
		r++;
	if (r == n)
		return reply(connection, 404,
			"{\"error\":\"there are GET /status, GET /audit, POST /drain and POST "
			"/take-calls\"}");
	char *text = question_and_answer(ctx, routes[r].kind);
	if (!text)
		return reply(connection, 503, "{\"error\":\"the control plane did not answer in 10 s\"}");
	enum MHD_Result result = reply(connection, 200, text);
	free(text);
	return result;
}

static int listen_on(const char *path, char *why, size_t n)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(at.sun_path)) {
		snprintf(why, n, "%s: a socket's path has at most 107 bytes: choose a shorter node.run_dir",
			path);
		return -ENAMETOOLONG;
	}
	strcpy(at.sun_path, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		snprintf(why, n, "%s: another tollgate-control listens there", path);
		return -EADDRINUSE;
	}
	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || chmod(path, 0660) || listen(fd, 16)) {
		int e = -errno;
		snprintf(why, n, "%s: %s", path, strerror(-e));
		close(fd);
		return e;
	}
	return fd;
}

int api_start(struct api **api, const char *socket_path, struct engine *engine, struct loop *loop, char *why,
	size_t n)
{
	struct api *a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->engine = engine;
	int e = mailbox_create(&a->box);
	if (e) {
		free(a);
		return e;
	}
	int fd = listen_on(socket_path, why, n);
	if (fd < 0) {
		mailbox_destroy(a->box, a);
		free(a);
		return fd;
	}
	snprintf(a->path, sizeof(a->path), "%s", socket_path);
	e = loop_watch(loop, mailbox_fd(a->box), on_box, a);
	if (!e) {
		a->daemon = MHD_start_daemon(
			MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_THREAD_PER_CONNECTION, 0,
			NULL, NULL, on_request, a, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
			16u, MHD_OPTION_CONNECTION_TIMEOUT, 30u, MHD_OPTION_END);
		if (!a->daemon) {
			snprintf(why, n, "%s: the HTTP service can't start", socket_path);
			e = -EIO;
			close(fd);
		}
	}
	if (e) {
		mailbox_destroy(a->box, a);
		free(a);
		return e;
	}
	*api = a;
	return 0;
}

void api_stop(struct api *a)
{
	if (!a)
		return;
	/* Whoever waits for an answer gets none, at once: the daemon's threads must come to an end. */
	a->engine = NULL;
	mailbox_drain(a->box, a);
	MHD_stop_daemon(a->daemon);
	unlink(a->path);
	mailbox_destroy(a->box, a);
	free(a);
}
