/* tollgate-cdr-rebuild JOURNAL OUT: what `tollgate cdr rebuild` runs. A program of its own, since the command
 * line contains nothing of a plane. */
#include <stdio.h>

#include "controlplane/cdr/rebuild.h"

int main(int argc, char **argv)
{
	char why[1024] = "";
	if (argc != 3) {
		fputs("usage: tollgate-cdr-rebuild JOURNAL OUT\n", stderr);
		return 2;
	}
	if (!cdr_rebuild(argv[1], argv[2], why, sizeof(why)))
		return 0;
	fprintf(stderr, "tollgate-cdr-rebuild: %s\n", why);
	return 1;
}
