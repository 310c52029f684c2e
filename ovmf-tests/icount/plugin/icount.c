/*
 * A plugin for QEMU's software emulation (TCG) that counts the guest instructions which were executed.
 *
 *     gcc -O2 -shared -fPIC -o icount.so icount.c
 *     qemu-system-x86_64 ... -plugin ./icount.so,count=FILE
 *
 * FILE holds numbers of eight bytes in the host's byte order: the count, how many marks there are, and what the count was at
 * each of them. A mark is the instruction NOP DWORD [RAX + 0x4b52414d] in the guest ("MARK" in its bytes). The file is mapped
 * memory, so it can be read while the machine runs. The count is exact for a machine with one processor, at a mark up to the
 * few instructions that are translated together with it.
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

enum { FILE_SIZE = 4096, INLINE_ADD_U64 = 0, NO_REGISTERS = 0 };
enum { COUNT, MARKS, FIRST_MARK, MAX_MARKS = FILE_SIZE / 8 - FIRST_MARK };

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t plugin_id;

extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
extern size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*callback)(plugin_id, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation, void *target, uint64_t value);
extern void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, void (*callback)(unsigned int, void *),
						   int flags, void *data);

EXPORT int qemu_plugin_version = 1;

static const unsigned char mark[] = { 0x0f, 0x1f, 0x80, 'M', 'A', 'R', 'K' };

static uint64_t *file;

static void mark_executed(unsigned int cpu, void *data)
{
	(void)cpu;
	(void)data;
	if (file[MARKS] < MAX_MARKS)
		file[FIRST_MARK + file[MARKS]] = file[COUNT];
	file[MARKS]++;
}

/* Makes every execution of a freshly translated block add the number of its instructions, and every mark store the count. */
static void block_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &file[COUNT], n);
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_size(insn) == sizeof mark && memcmp(qemu_plugin_insn_data(insn), mark, sizeof mark) == 0)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark_executed, NO_REGISTERS, NULL);
	}
}

static uint64_t *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	void *memory = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, FILE_SIZE) == 0)
		memory = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return memory == MAP_FAILED ? NULL : memory;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
	static const char key[] = "count=";

	(void)info;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], key, sizeof key - 1) == 0)
			file = map_file(argv[i] + sizeof key - 1);
	if (file == NULL)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	return 0;
}
