#ifndef MISSENT_TESTS_FUZZ_H
#define MISSENT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
