/* Feeds every file of the folders given to a fuzz harness once: the corpora, in ordinary test runs. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay_folder(const char *folder)
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), fed = 0;
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char path[4096], *data;
		size_t len;
		snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && !file_read(path, 16u << 20, &data, &len)) {
			LLVMFuzzerTestOneInput((const uint8_t *)data, len);
			free(data);
			fed++;
		}
		free(entries[i]);
	}
	free(entries);
	return fed;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int fed = replay_folder(argv[i]);
		if (fed <= 0) {
			fprintf(stderr, "%s: no corpus there\n", argv[i]);
			return EXIT_FAILURE;
		}
		printf("%s: %d inputs\n", argv[i], fed);
	}
	return EXIT_SUCCESS;
}
