/* The state of a dialog from a file that may be damaged: a leg that can be made of it can be kept and made
 * again, and can do what its state says; anything else is refused. Nothing of it crashes or leaks. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "controlplane/sip/loop.h"
#include "controlplane/sip/ua.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct loop *loop;
static struct settings settings;

static void on_event(void *ctx, const struct ua_event *event)
{
}

static void stop(void *ctx)
{
	loop_stop(loop);
}

/* A UDP port that is free at this moment. */
static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
		getsockname(fd, (struct sockaddr *)&address, &len))
		abort();
	close(fd);
	return ntohs(address.sin_port);
}

static void open_ua(struct ua **ua)
{
	char why[256];
	if (!loop) {
		log_set_level("all", "error");
		settings.sip.max_sessions = 8;
		settings.trunks = 1;
		settings.trunk[0] = (struct settings_trunk){.name = "local",
			.range = {{.b = {127, 0, 0, 1}, .family = TG_FAMILY_IPV4}, 32},
			.calls_per_second = 1,
			.max_calls = 1};
		snprintf(settings.sip.address, sizeof(settings.sip.address), "127.0.0.1");
		if (loop_create(&loop))
			abort();
	}
	settings.sip.port = free_port();
	if (ua_create(ua, loop_root(loop), &settings, on_event, NULL, why, sizeof(why)))
		abort();
}

/* Has the leg kept and made again in another user agent, where it is there once only. An INVITE of nonsense
 * may be lost: the stack doesn't write every header that it can read. */
static struct ua *again(struct ua *ua, ua_leg *leg)
{
	json_t *state = ua_dialog_state(ua, *leg);
	if (!state)
		abort();
	bool invite = json_is_string(json_object_get(state, "invite"));
	ua_destroy(ua);
	open_ua(&ua);
	ua_leg other;
	int rc = ua_restore(ua, state, leg);
	if ((rc && !invite) || (!rc && !ua_restore(ua, state, &other)))
		abort();
	json_decref(state);
	return ua;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ua *ua;
	ua_leg leg;
	json_t *state = json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	if (!state)
		return 0;
	open_ua(&ua);
	if (!ua_restore(ua, state, &leg)) {
		ua = again(ua, &leg);
		/* Nothing leaves: no response, no request. What was queued is delivered. */
		loop_tick(loop, 1, stop, NULL);
		loop_run(loop);
	}
	ua_destroy(ua);
	json_decref(state);
	return 0;
}
