#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/control.h"
#include "tools/table.h"
#include "tools/text.h"
#include "tools/tool.h"

static json_int_t sum(const json_t *worker, const char *which, const char *field)
{
	return json_integer_value(json_object_get(json_object_get(worker, which), field));
}

static void print_worker(const json_t *worker)
{
	static const char *const titles[] = {"COUNTED", ">TOTAL", ">CLOSED", ">OPEN", ">JOURNALLED", ""};
	struct table t = {.titles = titles, .columns = 6};
	for (int i = 0; i < TG_METERS; i++) {
		const char *f = tg_meter_name[i];
		json_int_t total = sum(worker, "total", f), closed = sum(worker, "closed", f);
		json_int_t open = sum(worker, "open", f), journalled = sum(worker, "journalled", f);
		table_add(&t, "%s", f);
		table_add(&t, "%" JSON_INTEGER_FORMAT, total);
		table_add(&t, "%" JSON_INTEGER_FORMAT, closed);
		table_add(&t, "%" JSON_INTEGER_FORMAT, open);
		table_add(&t, "%" JSON_INTEGER_FORMAT, journalled);
		table_add(&t, "%s%s",
			(uint64_t)total != (uint64_t)closed + (uint64_t)open ? "total is not closed + open "
									     : "",
			closed != journalled ? "closed is not journalled" : "");
	}
	printf("\nworker %" JSON_INTEGER_FORMAT "\n", json_integer_value(json_object_get(worker, "worker")));
	table_print(&t, stdout);
}

static void print_audit(const json_t *answer)
{
	char shown[512];
	const char *text = json_string_value(json_object_get(answer, "text"));
	size_t i;
	json_t *worker;
	printf("%s\n", text_show(text ? text : "", text ? strlen(text) : 0, shown, sizeof(shown)));
	json_array_foreach(json_object_get(answer, "workers"), i, worker) print_worker(worker);
}

int command_audit(const struct tool *tool)
{
	struct settings settings;
	int status = tool_settings(tool, &settings);
	if (status)
		return status;
	json_t *answer = control_get(settings.node.run_dir, "/audit");
	if (!answer)
		return TOOL_FAILED;
	bool ok = json_is_true(json_object_get(answer, "ok"));
	if (tool->json) {
		/* The one word that scripts look for. */
		json_t *text = json_object_get(answer, "text");
		json_object_set(answer, "audit", text ? text : json_null());
		status = tool_print(answer);
	} else {
		print_audit(answer);
		json_decref(answer);
		status = tool_done();
	}
	return status ? status : ok ? TOOL_OK : TOOL_FAILED;
}
