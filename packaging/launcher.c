/* The one-file executable: unpacks the program once a boot and becomes it.
 *
 * The file is this launcher, linked statically, then a tar archive in one zstd frame, then a trailer (struct trailer). The archive holds
 * the program, every library it needs, and the C library with its loader, so the machine may have any C library or none.
 *
 *   BASE/<digest>-<boot>/     the program, ready; `.lock` is held shared by every process that runs from it
 *   BASE/.unpacking-XXXXXX/   one that is being made; published by rename
 *
 * A process killed while it unpacks, an older version and an earlier boot leave directories whose `.lock` nobody holds: the next start
 * deletes them. The boot is part of the name because files that were not fsynced may be hollow after a power cut.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#define PROGRAM "observatory"
#define GLIBC "_internal/glibc/" /* LOADER, the name of its loader, is given by the build */
#define PIECE (1 << 14) /* the page cache keeps what is written at once as one: larger pieces are mapped whole, 30 MB more at rest */

struct trailer {
    uint64_t offset, packed, unpacked;
    char digest[16], magic[8];
};

static char complaints[16384]; /* why each place was no use */

static void complain(const char *form, ...) {
    size_t used = strlen(complaints);
    va_list values;
    va_start(values, form);
    vsnprintf(complaints + used, sizeof complaints - used, form, values);
    va_end(values);
}

static char *text(const char *form, ...) {
    char *made;
    va_list values;
    va_start(values, form);
    if (vasprintf(&made, form, values) < 0) abort();
    va_end(values);
    return made;
}

/* ---- reading the archive: pulled, never more than a piece in memory ---- */

struct stream {
    ZSTD_DStream *zstd;
    ZSTD_inBuffer in;
    char *piece;
    size_t have, taken;
};

static int refill(struct stream *from) {
    ZSTD_outBuffer out = {from->piece, PIECE, 0};
    while (out.pos == 0) {
        size_t before = from->in.pos, left = ZSTD_decompressStream(from->zstd, &out, &from->in);
        if (ZSTD_isError(left) || (out.pos == 0 && from->in.pos == before)) return errno = EBADMSG, -1;
    }
    from->have = out.pos;
    from->taken = 0;
    return 0;
}

/* The next `size` bytes into memory, into a file, or (both absent) passed over. */
static int pull(struct stream *from, char *memory, int file, uint64_t size) {
    while (size) {
        if (from->taken == from->have && refill(from)) return -1;
        size_t part = from->have - from->taken < size ? from->have - from->taken : size;
        const char *bytes = from->piece + from->taken;
        if (memory) memory = (char *)memcpy(memory, bytes, part) + part;
        for (size_t done = 0; file >= 0 && done < part;) {
            ssize_t written = write(file, bytes + done, part - done);
            if (written < 0 && errno != EINTR) return -1;
            if (written > 0) done += written;
        }
        from->taken += part;
        size -= part;
    }
    return 0;
}

struct header { /* POSIX ustar */
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2], user[32], group[32],
        major[8], minor[8], prefix[155], rest[12];
};

static uint64_t octal(const char *field, size_t length) {
    char digits[16] = {0};
    return strtoull(memcpy(digits, field, length), NULL, 8);
}

static int unpack_entry(struct stream *from, int root, const struct header *entry) {
    char name[300];
    snprintf(name, sizeof name, "%.155s%s%.100s", entry->prefix, entry->prefix[0] ? "/" : "", entry->name);
    uint64_t size = octal(entry->size, sizeof entry->size);
    int mode = octal(entry->mode, sizeof entry->mode) & 0777;
    if (entry->type == '5') return mkdirat(root, name, 0700) && errno != EEXIST ? -1 : 0;
    if (entry->type == '2') {
        char target[101];
        snprintf(target, sizeof target, "%.100s", entry->link);
        return symlinkat(target, root, name);
    }
    if (entry->type != '0') return errno = EBADMSG, -1;
    int file = openat(root, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode | 0400);
    if (file < 0) return -1;
    int failed = pull(from, NULL, file, size) || pull(from, NULL, -1, -size & 511);
    int why = errno;
    close(file);
    errno = why;
    return failed;
}

static int unpack(const char *packed, const struct trailer *trailer, int root) {
    struct stream from = {ZSTD_createDStream(), {packed, trailer->packed, 0}, malloc(PIECE), 0, 0};
    if (!from.zstd || !from.piece) return errno = ENOMEM, -1;
    struct header entry;
    int failed;
    do {
        failed = pull(&from, (char *)&entry, -1, sizeof entry);
        if (failed || !entry.name[0]) break; /* a header of zeros ends the archive */
        failed = unpack_entry(&from, root, &entry);
    } while (!failed);
    int why = errno;
    ZSTD_freeDStream(from.zstd);
    free(from.piece);
    errno = why;
    return failed;
}

/* The program names its loader by an absolute path, which is known only now; room for it was left when it was built. */
static int name_loader(int root, const char *loader) {
    int file = openat(root, PROGRAM, O_RDWR | O_CLOEXEC), done = -1;
    Elf64_Ehdr head;
    Elf64_Phdr part;
    if (file < 0) return -1;
    errno = EBADMSG;
    if (pread(file, &head, sizeof head, 0) == sizeof head)
        for (int i = 0; i < head.e_phnum; i++)
            if (pread(file, &part, sizeof part, head.e_phoff + (off_t)i * head.e_phentsize) == sizeof part && part.p_type == PT_INTERP) {
                if (strlen(loader) + 1 > part.p_filesz) errno = ENAMETOOLONG;
                else if (pwrite(file, loader, strlen(loader) + 1, part.p_offset) > 0) done = 0;
            }
    int why = errno;
    close(file);
    errno = why;
    return done;
}

/* ---- directories ---- */

static int ours(const char *directory) {
    struct stat found;
    return !lstat(directory, &found) && S_ISDIR(found.st_mode) && (found.st_uid == geteuid() || found.st_uid == 0) &&
           !(found.st_mode & (S_IWGRP | S_IWOTH));
}

static int make_directories(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        int failed = mkdir(path, 0700) && errno != EEXIST && errno != EROFS && errno != EACCES;
        *slash = '/';
        if (failed) return -1;
    }
    struct stat found;
    return mkdir(path, 0700) && (stat(path, &found) || !S_ISDIR(found.st_mode)) ? -1 : 0;
}

static int delete_one(const char *path, const struct stat *found, int kind, struct FTW *where) {
    (void)found, (void)kind, (void)where;
    return remove(path), 0;
}

static void delete_tree(const char *path) { nftw(path, delete_one, 16, FTW_DEPTH | FTW_PHYS); }

/* A descriptor that holds `directory`, kept open on purpose until the process ends; -1 when it is not there or is being deleted. */
static int hold(const char *directory, int how) {
    char *path = text("%s/.lock", directory);
    struct stat held, named;
    int lock = open(path, O_RDONLY);
    if (lock >= 0 && (flock(lock, how) || fstat(lock, &held) || stat(path, &named) || held.st_ino != named.st_ino)) {
        close(lock);
        lock = -1;
    }
    free(path);
    return lock;
}

static void sweep(const char *base, const char *current) {
    DIR *listing = opendir(base);
    struct dirent *entry;
    while (listing && (entry = readdir(listing))) {
        int named = strlen(entry->d_name) == 25 && entry->d_name[16] == '-', unpacking = !strncmp(entry->d_name, ".unpacking-", 11);
        if ((!named && !unpacking) || !strcmp(entry->d_name, current)) continue;
        char *path = text("%s/%s", base, entry->d_name);
        int lock = hold(path, LOCK_EX | LOCK_NB);
        if (lock >= 0) {
            delete_tree(path);
            close(lock);
        } else {
            rmdir(path); /* killed before it had a lock: empty */
        }
        free(path);
    }
    if (listing) closedir(listing);
}

static int fill(const char *place, const char *final, const char *packed, const struct trailer *trailer, int boot_known) {
    char *lock_path = text("%s/.lock", place), *loader = text("%s/" GLIBC LOADER, final);
    int root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int lock = open(lock_path, O_RDONLY | O_CREAT | O_EXCL, 0600), why;
    if (lock < 0 || flock(lock, LOCK_SH | LOCK_NB) || unpack(packed, trailer, root) || name_loader(root, loader)) goto failed;
    if (!boot_known) {
        int all = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (syncfs(all)) goto failed;
        close(all);
    }
    if (rename(place, final) && errno != EEXIST && errno != ENOTEMPTY) goto failed;
    close(root);
    return lock;
failed:
    why = errno;
    if (lock >= 0) close(lock);
    delete_tree(place);
    errno = why;
    return -1;
}

/* A held directory below `base` that has the program; -1 when this place is no use, and the complaints say why. */
static int prepare(char *base, const char *name, const char *packed, const struct trailer *trailer, int boot_known) {
    char *final = text("%s/%s", base, name), *place = NULL;
    int lock = ours(base) && ours(final) ? hold(final, LOCK_SH) : -1;
    if (lock >= 0) return lock;
    if (make_directories(base)) return complain("  %s: %s\n", base, strerror(errno)), -1;
    if (!ours(base)) return complain("  %s: others may write there\n", base), -1;
    sweep(base, name);
    for (int attempt = 0; lock < 0 && attempt < 5; attempt++) {
        place = text("%s/.unpacking-XXXXXX", base);
        lock = mkdtemp(place) ? fill(place, final, packed, trailer, boot_known) : -1;
        /* another start may have swept it in the instant before it was locked */
        if (lock < 0 && errno != ENOENT && errno != EWOULDBLOCK) break;
    }
    if (lock < 0) return complain("  %s: %s\n", base, strerror(errno)), -1;
    if (access(place, F_OK) == 0) { /* another process was faster */
        delete_tree(place);
        close(lock);
        lock = hold(final, LOCK_SH);
    }
    return lock;
}

/* ---- where ---- */

static const char *flag(int count, char **words, const char *name) {
    size_t length = strlen(name);
    for (int i = 1; i < count; i++) {
        if (!strncmp(words[i], name, length) && words[i][length] == '=') return words[i] + length + 1;
        if (!strcmp(words[i], name) && i + 1 < count) return words[i + 1];
    }
    return NULL;
}

static char *below(const char *directory, const char *rest) {
    if (!directory || !*directory) return NULL;
    if (*directory == '/') return text("%s%s", directory, rest);
    char *here = getcwd(NULL, 0);
    return here ? text("%s/%s%s", here, directory, rest) : NULL;
}

static char *boot(void) {
    static char id[9] = "nobootid";
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (file >= 0 && read(file, id, 8) != 8) strcpy(id, "nobootid");
    if (file >= 0) close(file);
    return id;
}

int main(int count, char **words) {
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) length = snprintf(self, sizeof self, "%s", words[0]);
    self[length] = 0;
    int file = open(self, O_RDONLY | O_CLOEXEC);
    struct stat found;
    struct trailer trailer;
    if (file < 0 || fstat(file, &found) || pread(file, &trailer, sizeof trailer, found.st_size - sizeof trailer) != sizeof trailer ||
        memcmp(trailer.magic, "LLMOBSX1", 8) || trailer.offset + trailer.packed + sizeof trailer != (uint64_t)found.st_size) {
        fprintf(stderr, "observatory: %s is not complete; download it again and compare its SHA-256\n", self);
        return 2;
    }
    char *mapped = mmap(NULL, found.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (mapped == MAP_FAILED) return perror("observatory"), 2;

    char *name = text("%.16s-%s", trailer.digest, boot());
    int boot_known = strcmp(boot(), "nobootid") != 0;
    const char *cache = getenv("XDG_CACHE_HOME"), *data = flag(count, words, "--data"), *scratch = getenv("TMPDIR");
    char *bases[] = {
        below(getenv("OBSERVATORY_RUNTIME"), ""),
        cache && *cache == '/' ? below(cache, "/observatory") : below(getenv("HOME"), "/.cache/observatory"),
        below(data ? data : getenv("OBSERVATORY_SERVER__DATA"), "/runtime"),
        below(scratch && *scratch ? scratch : "/tmp", text("/observatory-%d", (int)geteuid())),
    };
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        if (!bases[i] || prepare(bases[i], name, mapped + trailer.offset, &trailer, boot_known) < 0) continue;
        words[0] = text("%s/%s/" PROGRAM, bases[i], name);
        setenv("OBSERVATORY_EXECUTABLE", self, 1);
        execv(words[0], words);
        complain("  %s: it cannot be executed there (%s)%s\n", bases[i], strerror(errno), errno == EACCES ? "; mounted noexec?" : "");
    }
    fprintf(stderr,
            "observatory: found no place to unpack %llu MB of program; set TMPDIR (or OBSERVATORY_RUNTIME) to a directory of yours with that "
            "much space, where programs may run. Tried:\n%s",
            (unsigned long long)(trailer.unpacked >> 20), complaints);
    return 2;
}
