/*
 * A plugin for QEMU's software emulation (TCG) that counts the guest instructions which were executed.
 *
 *     gcc -O2 -shared -fPIC -o icount.so icount.c
 *     qemu-system-x86_64 ... -plugin ./icount.so,count=FILE
 *
 * The count is the first eight bytes of FILE, in the host's byte order; the file is mapped memory, so it can be read
 * while the machine runs. The count is exact for a machine with one processor.
 *
 * Debian ships no qemu-plugin.h: what is used of the plugin interface, version 1 (QEMU 4.2 to 8), is declared here.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { COUNTER_FILE_SIZE = 4096, INLINE_ADD_U64 = 0 };

struct qemu_plugin_tb;
typedef uint64_t plugin_id;

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation, void *target, uint64_t value);

EXPORT int qemu_plugin_version = 1;

static uint64_t *counter;

/* Makes every execution of a freshly translated block add the number of its instructions. */
static void block_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, counter, qemu_plugin_tb_n_insns(tb));
}

static uint64_t *map_counter(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *memory = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, COUNTER_FILE_SIZE) == 0)
		memory = mmap(NULL, COUNTER_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	static const char key[] = "count=";

	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], key, sizeof key - 1) == 0)
			counter = map_counter(argv[i] + sizeof key - 1);
	if (counter == NULL)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	return 0;
}
