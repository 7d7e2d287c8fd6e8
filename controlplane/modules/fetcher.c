#include "controlplane/modules/fetcher.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "controlplane/modules/fetcher_transfer.h"
#include "controlplane/modules/url.h"

#define IDLE_CONNECTIONS 1024L
#define IDLE_MS          60000

struct fetcher {
	const struct settings *settings;
	struct mailbox *box;
	void (*deliver)(struct mail *mail, void *reader);
	pthread_t thread;
	/* lock: what follows, and every transfer's `cancelled`. Held while a result is posted, so that none
	 * follows a cancellation. */
	pthread_mutex_t lock;
	struct fetcher_command *commands, **commands_end;
	void *by_id; /* search tree of the transfers that will still answer */
	uint64_t last_id;
	bool stopping;
	/* The thread's own. */
	CURLM *multi;
	struct transfer *transfers;
	struct fetcher_cookies cookies;
};

static int compare_ids(const void *a, const void *b)
{
	const struct transfer *p = a, *q = b;
	return p->id < q->id ? -1 : p->id > q->id;
}

static void link_transfer(struct fetcher *f, struct transfer *t)
{
	t->next = f->transfers;
	t->at = &f->transfers;
	if (t->next)
		t->next->at = &t->next;
	f->transfers = t;
}

static void unlink_transfer(struct transfer *t)
{
	if (!t->at)
		return;
	*t->at = t->next;
	if (t->next)
		t->next->at = t->at;
	t->at = NULL;
}

static void log_failure(const struct transfer *t, enum fetch_error error)
{
	char shown[URL_BYTES_MAX]; /* without a password */
	const struct fetcher_result *r = t->result;
	if (url_strip(t->url ? t->url : "", shown, sizeof(shown)))
		strcpy(shown, "invalid");
	if (t->unix_socket) /* a service of this node, whose query may hold somebody's password */
		shown[strcspn(shown, "?")] = '\0';
	log_warn(modules, t->scope, "fetch-failed",
		"number=%d status=%d why=\"%s\" address=%s url=%s detail=%s",
		fetch_error_entry(error)->number, r->status, fetch_error_entry(error)->sentence,
		error == FETCH_ADDRESS ? t->refused_address : "-", log_quote(shown), log_quote(t->detail));
}

static void finish(struct fetcher *f, struct transfer *t, enum fetch_error error)
{
	if (error)
		log_failure(t, error);
	transfer_end(t, f->multi);
	unlink_transfer(t);
	transfer_conclude(t, error);
	pthread_mutex_lock(&f->lock);
	bool cancelled = t->cancelled; /* then its command is on its way, and frees it */
	if (!cancelled) {
		tdelete(t, &f->by_id, compare_ids);
		mailbox_post(f->box, &t->result->mail);
		t->result = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	if (!cancelled)
		transfer_free(t);
}

static void attempt_failed(struct fetcher *f, struct transfer *t, enum fetch_error error, uint64_t now_ns)
{
	if (transfer_retry(t, error, now_ns))
		transfer_end(t, f->multi);
	else
		finish(f, t, error);
}

static void attempt_ended(struct fetcher *f, struct transfer *t, CURLcode code)
{
	uint64_t now_ns = clock_mono_ns();
	enum fetch_error error = transfer_outcome(t, code);
	if (error || !transfer_redirected(t)) {
		if (error)
			attempt_failed(f, t, error, now_ns);
		else
			finish(f, t, FETCH_OK);
		return;
	}
	error = transfer_redirect(t);
	if (error) {
		finish(f, t, error);
		return;
	}
	transfer_end(t, f->multi);
	t->start_ns = now_ns;
}

static void run_command(struct fetcher *f, struct fetcher_command *command)
{
	struct transfer *t = command->transfer;
	switch (command->kind) {
	case FETCHER_BEGIN:
		link_transfer(f, t);
		return;
	case FETCHER_CANCEL:
		transfer_end(t, f->multi);
		unlink_transfer(t);
		transfer_free(t);
		return;
	case FETCHER_FORGET_COOKIES:
		fetcher_cookies_forget(&f->cookies, command->scope);
		free(command->scope);
		free(command);
		return;
	}
}

/* Returns false when the thread is to stop. */
static bool run_commands(struct fetcher *f)
{
	pthread_mutex_lock(&f->lock);
	bool stopping = f->stopping;
	struct fetcher_command *command = f->commands;
	f->commands = NULL;
	f->commands_end = &f->commands;
	pthread_mutex_unlock(&f->lock);
	while (command) {
		struct fetcher_command *next = command->next;
		run_command(f, command);
		command = next;
	}
	return !stopping;
}

static void begin_attempt(struct fetcher *f, struct transfer *t, uint64_t now_ns)
{
	enum fetch_error error = FETCH_OK;
	if (t->scope && !t->jar) {
		t->jar = fetcher_cookies_acquire(&f->cookies, t->scope);
		error = t->jar ? FETCH_OK : FETCH_RESOURCES;
	}
	if (!error)
		error = transfer_begin(t, f->multi, now_ns);
	if (error)
		attempt_failed(f, t, error, now_ns);
}

/* Begins what is due and ends what has taken too long. */
static void look_at_times(struct fetcher *f)
{
	uint64_t now_ns = clock_mono_ns();
	struct transfer *next;
	for (struct transfer *t = f->transfers; t; t = next) {
		next = t->next;
		enum fetch_error error = transfer_expired(t, now_ns);
		if (error)
			attempt_failed(f, t, error, now_ns);
		else if (!t->easy && now_ns >= t->start_ns)
			begin_attempt(f, t, now_ns);
	}
}

static void collect(struct fetcher *f)
{
	CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(f->multi, &left))) {
		struct transfer *t = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		attempt_ended(f, t, code);
	}
}

static int wait_ms(const struct fetcher *f)
{
	uint64_t now_ns = clock_mono_ns(), due_ns = now_ns + IDLE_MS * CLOCK_NS_PER_MS;
	for (const struct transfer *t = f->transfers; t; t = t->next)
		if (transfer_due_ns(t) < due_ns)
			due_ns = transfer_due_ns(t);
	if (due_ns <= now_ns)
		return 0;
	return (int)((due_ns - now_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
}

static void *run(void *arg)
{
	struct fetcher *f = arg;
	int running;
	pthread_setname_np(pthread_self(), "tg-fetcher");
	while (run_commands(f)) {
		look_at_times(f);
		curl_multi_perform(f->multi, &running);
		collect(f);
		curl_multi_poll(f->multi, NULL, 0, wait_ms(f), NULL);
	}
	return NULL;
}

/* Signals are the program's other threads' business. */
static int start_thread(struct fetcher *f)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int e = -pthread_create(&f->thread, NULL, run, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return e;
}

int fetcher_create(struct fetcher **fetcher, const struct settings *settings, struct mailbox *box,
	void (*deliver)(struct mail *mail, void *reader))
{
	int e = -ENOMEM;
	struct fetcher *f = calloc(1, sizeof(*f));
	if (!f)
		return e;
	f->settings = settings;
	f->box = box;
	f->deliver = deliver;
	f->commands_end = &f->commands;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		goto free_fetcher;
	f->multi = curl_multi_init();
	if (!f->multi)
		goto cleanup_curl;
	curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
	pthread_mutex_init(&f->lock, NULL);
	e = start_thread(f);
	if (e)
		goto destroy_lock;
	*fetcher = f;
	return 0;

destroy_lock:
	pthread_mutex_destroy(&f->lock);
	curl_multi_cleanup(f->multi);
cleanup_curl:
	curl_global_cleanup();
free_fetcher:
	free(f);
	return e;
}

static void keep(void *node)
{
}

void fetcher_destroy(struct fetcher *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->stopping = true;
	pthread_mutex_unlock(&f->lock);
	curl_multi_wakeup(f->multi);
	pthread_join(f->thread, NULL);
	run_commands(f);
	while (f->transfers) {
		struct transfer *t = f->transfers;
		transfer_end(t, f->multi);
		unlink_transfer(t);
		transfer_free(t);
	}
	tdestroy(f->by_id, keep);
	fetcher_cookies_clear(&f->cookies);
	curl_multi_cleanup(f->multi);
	curl_global_cleanup();
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static void append(struct fetcher *f, struct fetcher_command *command)
{
	command->next = NULL;
	*f->commands_end = command;
	f->commands_end = &command->next;
}

uint64_t fetcher_submit(struct fetcher *f, const struct fetcher_request *request, void *ctx)
{
	struct transfer *t;
	if (transfer_new(&t, f->settings, request))
		return 0;
	t->result->mail.deliver = f->deliver;
	t->result->ctx = ctx;
	pthread_mutex_lock(&f->lock);
	uint64_t id = t->id = t->result->id = ++f->last_id;
	bool known = tsearch(t, &f->by_id, compare_ids) != NULL;
	if (known)
		append(f, &t->begin);
	pthread_mutex_unlock(&f->lock);
	if (!known) {
		transfer_free(t);
		return 0;
	}
	curl_multi_wakeup(f->multi);
	return id;
}

void fetcher_cancel(struct fetcher *f, uint64_t id)
{
	struct transfer key = {.id = id};
	pthread_mutex_lock(&f->lock);
	struct transfer **found = tfind(&key, &f->by_id, compare_ids);
	if (found) {
		struct transfer *t = *found;
		tdelete(t, &f->by_id, compare_ids);
		t->cancelled = true;
		append(f, &t->cancel);
	}
	pthread_mutex_unlock(&f->lock);
	if (found)
		curl_multi_wakeup(f->multi);
}

void fetcher_forget_cookies(struct fetcher *f, const char *cookie_scope)
{
	struct fetcher_command *command = calloc(1, sizeof(*command));
	char *scope = strdup(cookie_scope);
	if (!command || !scope) {
		log_error(modules, cookie_scope, "cookies-kept", "why=\"out of memory\"");
		free(command);
		free(scope);
		return;
	}
	command->kind = FETCHER_FORGET_COOKIES;
	command->scope = scope;
	pthread_mutex_lock(&f->lock);
	append(f, command);
	pthread_mutex_unlock(&f->lock);
	curl_multi_wakeup(f->multi);
}
