#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tools/legs.h"
#include "tools/planes.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/views.h"

static json_t *legs_json(const struct tg_region *region, const struct leg *legs, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, leg_json(region, &legs[i]));
	return list;
}

json_t *calls_json(const struct tg_region *region)
{
	struct leg *legs;
	size_t n;
	if (legs_read(region, planes_now(region), &legs, &n))
		return NULL;
	legs_sort(legs, n);
	json_t *list = legs_json(region, legs, n);
	free(legs);
	return list;
}

static void print_calls(const struct leg *legs, size_t n)
{
	static const char *const titles[] = {
		"SESSION", "DIR", "MODULE", "FROM", "TO", "STATE", ">TIME", ">RX", ">TX"};
	struct table t = {.titles = titles, .columns = 9};
	char time[32];
	for (size_t i = 0; i < n; i++) {
		const struct leg *l = &legs[i];
		table_add(&t, "%s", l->session);
		table_add(&t, "%s", l->outbound ? "out" : "in");
		table_add(&t, "%s", l->module);
		table_add(&t, "%s", l->from);
		table_add(&t, "%s", l->to);
		table_add(&t, "%s", l->state);
		table_add(&t, "%s", text_seconds(l->seconds, time, sizeof(time)));
		table_add(&t, "%" PRIu64, l->rx_packets);
		table_add(&t, "%" PRIu64, l->tx_packets);
	}
	table_print(&t, stdout);
	printf("%zu %s\n", n, n == 1 ? "leg" : "legs");
}

int command_calls(const struct tool *tool)
{
	struct tg_region *region;
	int status = tool_region(tool, &region);
	if (status)
		return status;
	struct leg *legs;
	size_t n;
	if (legs_read(region, planes_now(region), &legs, &n)) {
		tg_region_close(region);
		return tool_fail("out of memory");
	}
	legs_sort(legs, n);
	if (tool->json) {
		status = tool_print(legs_json(region, legs, n));
	} else {
		print_calls(legs, n);
		status = tool_done();
	}
	free(legs);
	tg_region_close(region);
	return status;
}

/* Moves the legs of the session that is meant to the front. Returns how many they are, 0: there is none, -1:
 * more than one session is meant. */
static int select_session(struct leg *legs, size_t n, const char *id)
{
	char session[ID_TEXT_BYTES] = "";
	int found = 0;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(legs[i].session, id, strlen(id)) && strncmp(legs[i].call, id, strlen(id)))
			continue;
		if (*session && strcmp(session, legs[i].session))
			return -1;
		memcpy(session, legs[i].session, sizeof(session));
	}
	for (size_t i = 0; i < n && *session; i++)
		if (!strcmp(legs[i].session, session))
			legs[found++] = legs[i];
	return found;
}

static void print_leg(const struct tg_region *region, const struct leg *l)
{
	json_t *o = leg_json(region, l);
	const char *key;
	json_t *value;
	printf("leg %u.%u\n", l->row, l->generation);
	json_object_foreach(o, key, value)
	{
		if (json_is_string(value))
			printf("  %-21s %s\n", key, json_string_value(value));
		else if (json_is_integer(value))
			printf("  %-21s %" JSON_INTEGER_FORMAT "\n", key, json_integer_value(value));
		else if (json_is_real(value))
			printf("  %-21s %.2f\n", key, json_real_value(value));
	}
	json_decref(o);
}

int command_call(const struct tool *tool)
{
	struct tg_region *region;
	int status = tool_region(tool, &region);
	if (status)
		return status;
	struct leg *legs;
	size_t n;
	if (legs_read(region, planes_now(region), &legs, &n)) {
		tg_region_close(region);
		return tool_fail("out of memory");
	}
	legs_sort(legs, n);
	int found = select_session(legs, n, tool->argv[0]);
	char shown[128];
	text_show(tool->argv[0], strlen(tool->argv[0]), shown, sizeof(shown));
	if (found < 0) {
		status = tool_fail("more than one session has an id that begins with %s", shown);
	} else if (!found) {
		status = tool_fail("no session %s has a leg now; ended sessions are in the CDR files", shown);
	} else if (tool->json) {
		status = tool_print(legs_json(region, legs, (size_t)found));
	} else {
		for (int i = 0; i < found; i++)
			print_leg(region, &legs[i]);
		status = tool_done();
	}
	free(legs);
	tg_region_close(region);
	return status;
}
