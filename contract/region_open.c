#include "contract/region_open.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HUGETLBFS_MAGIC_NUMBER 0x958458f6u
#define TMPFS_MAGIC_NUMBER     0x01021994u

static bool has_region(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* Everyone may make files in the fallback's place: somebody else's is no region of ours. */
	return !lstat(path, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	       (st.st_uid == geteuid() || st.st_uid == 0);
}

/* Pages of this size that are reserved, free or not. */
static unsigned long pages_reserved(unsigned long page_bytes)
{
	char path[128];
	unsigned long n = 0;
	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
		page_bytes / 1024);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

const char *tg_region_place(const char *dir, const char *name)
{
	struct statfs fs;
	if (has_region(dir, name))
		return dir;
	if (has_region(TG_REGION_FALLBACK_DIR, name) || statfs(dir, &fs))
		return TG_REGION_FALLBACK_DIR;
	if ((uint32_t)fs.f_type == HUGETLBFS_MAGIC_NUMBER && pages_reserved((unsigned long)fs.f_bsize))
		return dir;
	return (uint32_t)fs.f_type == TMPFS_MAGIC_NUMBER ? dir : TG_REGION_FALLBACK_DIR;
}

int tg_region_open_or_fallback(struct tg_region **region, const char *dir, const char *name,
	const struct tg_capacity *cap, enum tg_role role, char *why, size_t n)
{
	return tg_region_open(region, tg_region_place(dir, name), name, cap, role, why, n);
}
