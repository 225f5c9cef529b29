// A disk whose syncs fail, for a whole process: preloaded (LD_PRELOAD), it makes fsync and fdatasync fail with EIO as
// often as the file that NISSA_FAILING_SYNC names says: "1" the next one, "-1" all until the file is gone.
// By hand: clang-19 -shared -fPIC -o failing_sync.so test/support/failing_sync.c, then
//   LD_PRELOAD=./failing_sync.so NISSA_FAILING_SYNC=/tmp/fail nissad ... ; echo 1 > /tmp/fail
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int fails(void) {
  const char* const name = getenv("NISSA_FAILING_SYNC");
  FILE* const file = name == NULL ? NULL : fopen(name, "r+");
  if (file == NULL) return 0;
  int left = 0;
  if (fscanf(file, "%d", &left) != 1) left = 0;
  if (left > 0) {
    rewind(file);
    fprintf(file, "%-10d", left - 1);
  }
  fclose(file);
  return left != 0;
}

static int sync_by(const char* function, int descriptor) {
  int (*const real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
  if (!fails()) return real(descriptor);
  errno = EIO;
  return -1;
}

int fsync(int descriptor) { return sync_by("fsync", descriptor); }
int fdatasync(int descriptor) { return sync_by("fdatasync", descriptor); }
