#include <string.h>

#include "settings/settings.h"
#include "settings/settings_table.h"

/* A port kind says which of the other keys it wants, so the sample names an interface for its own. */
static void print_port(FILE *out, const struct settings_list *list)
{
	fputs("\tports = (\n\t\t{\n", out);
	for (size_t i = 0; i < list->n; i++) {
		struct settings_field f = list->fields[i];
		if (!strcmp(f.key, "interface"))
			f.def_text = "media0";
		settings_table_print(out, &f, 1, "\t\t\t");
	}
	fputs("\t\t}\n\t);\n", out);
}

static void print_trunk(FILE *out, const struct settings_list *list)
{
	fputs("\ttrunks = (\n\t\t{\n", out);
	for (size_t i = 0; i < list->n; i++) {
		struct settings_field f = list->fields[i];
		if (f.type == SETTINGS_RANGE)
			f.def_text = "198.18.0.0/24";
		else if (!strcmp(f.key, "name"))
			f.def_text = "carrier-a";
		settings_table_print(out, &f, 1, "\t\t\t");
	}
	fputs("\t\t}\n\t);\n", out);
}

static void print_lists(FILE *out, const char *section)
{
	for (size_t i = 0; i < settings_address_lists_n; i++) {
		const struct settings_addresses *list = &settings_address_lists[i];
		if (strcmp(list->section, section))
			continue;
		fprintf(out, "\t# %s\n\t%s = (", list->help, list->key);
		if (*list->sample)
			settings_table_print_text(out, list->sample);
		fputs(");\n", out);
	}
	for (size_t i = 0; i < settings_lists_n; i++) {
		const struct settings_list *list = &settings_lists[i];
		if (strcmp(list->section, section))
			continue;
		fprintf(out, "\t# %s\n", list->help);
		if (!strcmp(list->key, "ports"))
			print_port(out, list);
		else
			print_trunk(out, list);
	}
}

void settings_print_sample(FILE *out)
{
	fputs("# Settings of a Tollgate node: every key with its default.\n\n", out);
	settings_table_print(out, settings_top, settings_top_n, "");
	for (size_t i = 0; i < settings_sections_n; i++) {
		const struct settings_section *s = &settings_sections[i];
		fprintf(out, "\n# %s\n%s: {\n", s->help, s->name);
		settings_table_print(out, s->fields, s->n, "\t");
		print_lists(out, s->name);
		fputs("};\n", out);
	}
}
